-- A workspace as fettle kept it before projects (version 4 of its form): workspace-3.sql, taken on by it.
PRAGMA application_id = 1718908012;
PRAGMA user_version = 4;
-- Its tables stand by name, and not in the order in which they refer to each other.
PRAGMA foreign_keys = OFF;
CREATE TABLE assets (
  id INTEGER PRIMARY KEY,
  dataset_id INTEGER NOT NULL REFERENCES datasets ON DELETE CASCADE,
  external_id TEXT NOT NULL, line INTEGER NOT NULL, category INTEGER, text TEXT NOT NULL);
INSERT INTO "assets" VALUES(1,1,'h1',2,0,'Fog keeps the ferry in port');
INSERT INTO "assets" VALUES(2,1,'h2',3,1,'Rowers win on their own river');
INSERT INTO "assets" VALUES(3,2,'v1',2,0,'Snow closes the upper road');
CREATE TABLE categories (
  dataset_id INTEGER NOT NULL REFERENCES datasets ON DELETE CASCADE,
  number INTEGER NOT NULL, name TEXT NOT NULL, assets INTEGER NOT NULL,
  PRIMARY KEY (dataset_id, number)) WITHOUT ROWID;
INSERT INTO "categories" VALUES(1,0,'Weather',1);
INSERT INTO "categories" VALUES(1,1,'Sport',1);
INSERT INTO "categories" VALUES(2,0,'Weather',1);
CREATE TABLE datasets (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE, digest TEXT NOT NULL, options TEXT NOT NULL, source TEXT NOT NULL,
  format TEXT NOT NULL, assets INTEGER NOT NULL, categories INTEGER NOT NULL, bytes INTEGER NOT NULL,
  skipped INTEGER NOT NULL);
INSERT INTO "datasets" VALUES(1,'harbour','d1','','/home/ana/harbour.csv','CSV',2,2,55,0);
INSERT INTO "datasets" VALUES(2,'valley','d2','','/home/ana/valley.csv','CSV',1,1,25,0);
CREATE TABLE files (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, purpose TEXT NOT NULL, bytes INTEGER NOT NULL,
  created INTEGER NOT NULL, expires INTEGER, content BLOB NOT NULL);
INSERT INTO "files" VALUES(1,'file-1','a.jsonl','fine-tune',2,1,NULL,X'7b7d');
CREATE TABLE interface (id INTEGER PRIMARY KEY CHECK (id = 1), json TEXT NOT NULL);
INSERT INTO "interface" VALUES(1,'{"jobs": {"CLASSIFICATION_JOB": {"mlTask": "CLASSIFICATION", "content": {"categories":
  {"WEATHER": {"name": "Weather"}, "SPORT": {"name": "Sport"}}}}}}');
CREATE TABLE job_events (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  job INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE, json TEXT NOT NULL);
INSERT INTO "job_events" VALUES(3,1,'{}');
CREATE TABLE jobs (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE, status TEXT NOT NULL, json TEXT NOT NULL);
INSERT INTO "jobs" VALUES(1,'ftjob-1','queued','{}');
CREATE TABLE labels (
  id INTEGER PRIMARY KEY,
  asset_id INTEGER NOT NULL REFERENCES assets ON DELETE CASCADE,
  author TEXT NOT NULL, category TEXT NOT NULL, source TEXT NOT NULL DEFAULT 'person'
  CHECK (source IN ('person', 'file', 'simulated')),
  UNIQUE (asset_id, author));
INSERT INTO "labels" VALUES(1,1,'simulated','WEATHER','simulated');
INSERT INTO "labels" VALUES(2,2,'simulated','SPORT','simulated');
INSERT INTO "labels" VALUES(3,1,'trainee','SPORT','simulated');
INSERT INTO "labels" VALUES(4,2,'trainee','SPORT','simulated');
INSERT INTO "labels" VALUES(5,1,'ana','WEATHER','person');
INSERT INTO "labels" VALUES(6,3,'trainee','WEATHER','person');
CREATE TABLE models (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE, base TEXT NOT NULL, method TEXT NOT NULL, dataset TEXT NOT NULL,
  examples INTEGER NOT NULL, options TEXT NOT NULL, folder TEXT NOT NULL, bytes INTEGER NOT NULL,
  categories TEXT NOT NULL, final_loss REAL, held_out_accuracy REAL, base_digest TEXT, taught TEXT);
INSERT INTO "models" VALUES(1,'tuned-1','base','linear','harbour',2,'{}','tuned-1',3000,'["WEATHER","SPORT"]',0.4,NULL,NULL,NULL);
INSERT INTO "models" VALUES(2,'written','smollm2','adapter','harbour',2,'{"embedded":"smollm2"}','written',9000,'["WEATHER","SPORT"]',0.2,0.5,'abababababababababababababababababababababababababababababababab','{"categories":[{"key":"WEATHER","name":"Weather"},{"key":"SPORT","name":"Sport"}],"completions":"names","prompt":{"isChat":false,"template":"message: {text}\ncategory:"}}');
CREATE TABLE predictions (
  run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  asset_id INTEGER NOT NULL,
  category TEXT NOT NULL, confidence REAL, reason TEXT, answer TEXT,
  PRIMARY KEY (run_id, asset_id)) WITHOUT ROWID;
INSERT INTO "predictions" VALUES(1,1,'WEATHER',0.8,NULL,NULL);
INSERT INTO "predictions" VALUES(1,2,'SPORT',0.7,NULL,NULL);
INSERT INTO "predictions" VALUES(2,1,'WEATHER',NULL,NULL,' Weather');
CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  dataset_id INTEGER NOT NULL REFERENCES datasets ON DELETE CASCADE,
  model TEXT NOT NULL, signature TEXT NOT NULL,
  finished INTEGER, -- counts up; the highest predicted last; null while the run is not complete
  UNIQUE (dataset_id, model));
INSERT INTO "runs" VALUES(1,1,'base','f32',1);
INSERT INTO "runs" VALUES(2,1,'written','s',9);
CREATE TABLE settings (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "settings" VALUES('dataset','harbour');
INSERT INTO "settings" VALUES('seed','7');
INSERT INTO "settings" VALUES('written','4');
INSERT INTO "settings" VALUES('written_length','479');
CREATE TABLE steps (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  verb TEXT NOT NULL, command TEXT NOT NULL, answer TEXT NOT NULL, json TEXT NOT NULL, status TEXT NOT NULL);
INSERT INTO "steps" VALUES(1,'label simulate','label simulate','simulated labelled 2 assets of harbour.','{"author":"simulated","dataset":"harbour","labels":2,"wrong":0}','done');
INSERT INTO "steps" VALUES(2,'label simulate','label simulate --author trainee --noise 0.5','trainee labelled 2 assets of harbour, 1 of them wrongly on purpose.','{"author":"trainee","dataset":"harbour","labels":2,"wrong":1}','folded');
INSERT INTO "steps" VALUES(3,'label simulate','label simulate --dataset nowhere','error: There is no data set named nowhere.','','failed');
INSERT INTO "steps" VALUES(4,'status','status','  data sets     harbour (current), valley
  interface     2 categories
  labels        of harbour: 2 by simulated, 2 by trainee, 1 by ana
  predictions   of harbour: by base
  tuned models  tuned-1','{"categories":2,"dataset":"harbour","datasets":["harbour","valley"],"models":["tuned-1"],"seed":7}','done');
CREATE TABLE training_texts (
  model_id INTEGER NOT NULL REFERENCES models ON DELETE CASCADE,
  digest BLOB NOT NULL,
  PRIMARY KEY (model_id, digest)) WITHOUT ROWID;
INSERT INTO "training_texts" VALUES(1,X'00112233445566778899aabbccddeeff');
CREATE UNIQUE INDEX assets_by_external_id ON assets (dataset_id, external_id);
CREATE INDEX assets_in_file_order ON assets (dataset_id);
CREATE INDEX job_events_by_job ON job_events (job);
CREATE INDEX steps_by_verb ON steps (verb);
UPDATE sqlite_sequence SET seq = 4 WHERE name = 'steps';
UPDATE sqlite_sequence SET seq = 3 WHERE name = 'job_events';

import GRDB

/// The form of the database. Each entry of `steps` brings a database from its index to the next version.
enum Schema {
  /// "fttl": marks the file as fettle's, whatever it is named.
  static let applicationID = 0x6674_746C

  static var version: Int { steps.count }

  private static let steps = [first, second, third, fourth, projects]

  /// What `bring(_:upTo:)` found.
  enum Finding: Equatable {
    case created, current
    case newer(Int)
    case foreign
    /// There is what fettle never makes: a view or a virtual table in a table's place may answer for ever, and a trigger may do
    /// anything at a write.
    case damaged
  }

  /// Creates or updates the tables, in one transaction: of several processes that open a new workspace
  /// together one does it and the others wait for it.
  static func prepare(_ db: Database) throws -> Finding {
    // The usual case takes no write lock, so that opening never waits for a writer.
    if try isCurrent(db) { return try isPlain(db) ? .current : .damaged }
    var finding = Finding.current
    try db.inTransaction(.immediate) {
      let found = try number("user_version", db)
      if try number("application_id", db) != applicationID {
        let tables = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master") ?? 0
        if tables > 0 || found > 0 {
          finding = .foreign
          return .rollback
        }
        finding = .created
      } else if found > version {
        finding = .newer(found)
        return .rollback
      } else if try found < 0 || !isPlain(db) {
        finding = .damaged
        return .rollback
      }
      for step in steps[min(found, version)...] { try db.execute(sql: step) }
      try db.execute(sql: "PRAGMA application_id = \(applicationID); PRAGMA user_version = \(version)")
      return .commit
    }
    return finding
  }

  /// Whether it can be used as it is.
  static func isFit(_ db: Database) throws -> Bool { try isCurrent(db) && isPlain(db) }

  private static func isCurrent(_ db: Database) throws -> Bool {
    try number("application_id", db) == applicationID && number("user_version", db) == version
  }

  private static func number(_ pragma: String, _ db: Database) throws -> Int {
    try Int.fetchOne(db, sql: "PRAGMA \(pragma)") ?? 0
  }

  /// Whether all there is are tables and indexes: nothing else has no page of its own.
  private static func isPlain(_ db: Database) throws -> Bool {
    try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master WHERE coalesce(rootpage, 0) = 0") == 0
  }

  private static let first = """
    CREATE TABLE settings (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) WITHOUT ROWID;

    CREATE TABLE steps (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      verb TEXT NOT NULL, command TEXT NOT NULL, answer TEXT NOT NULL, json TEXT NOT NULL, status TEXT NOT NULL);
    CREATE INDEX steps_by_verb ON steps (verb);

    CREATE TABLE datasets (
      id INTEGER PRIMARY KEY,
      name TEXT NOT NULL UNIQUE, digest TEXT NOT NULL, options TEXT NOT NULL, source TEXT NOT NULL,
      format TEXT NOT NULL, assets INTEGER NOT NULL, categories INTEGER NOT NULL, bytes INTEGER NOT NULL,
      skipped INTEGER NOT NULL);

    CREATE TABLE categories (
      dataset_id INTEGER NOT NULL REFERENCES datasets ON DELETE CASCADE,
      number INTEGER NOT NULL, name TEXT NOT NULL, assets INTEGER NOT NULL,
      PRIMARY KEY (dataset_id, number)) WITHOUT ROWID;

    -- category is a number in categories, not a foreign key: removing a data set would look for each of its
    -- categories in all assets.
    CREATE TABLE assets (
      id INTEGER PRIMARY KEY,
      dataset_id INTEGER NOT NULL REFERENCES datasets ON DELETE CASCADE,
      external_id TEXT NOT NULL, line INTEGER NOT NULL, category INTEGER, text TEXT NOT NULL);
    CREATE INDEX assets_in_file_order ON assets (dataset_id);
    CREATE UNIQUE INDEX assets_by_external_id ON assets (dataset_id, external_id);

    CREATE TABLE interface (id INTEGER PRIMARY KEY CHECK (id = 1), json TEXT NOT NULL);

    CREATE TABLE labels (
      id INTEGER PRIMARY KEY,
      asset_id INTEGER NOT NULL REFERENCES assets ON DELETE CASCADE,
      author TEXT NOT NULL, category TEXT NOT NULL,
      UNIQUE (asset_id, author));

    CREATE TABLE runs (
      id INTEGER PRIMARY KEY,
      dataset_id INTEGER NOT NULL REFERENCES datasets ON DELETE CASCADE,
      model TEXT NOT NULL, signature TEXT NOT NULL,
      finished INTEGER, -- counts up; the highest predicted last; null while the run is not complete
      UNIQUE (dataset_id, model));

    -- asset_id is no foreign key: assets go only with their data set, and then its runs go too.
    CREATE TABLE predictions (
      run_id INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
      asset_id INTEGER NOT NULL,
      category TEXT NOT NULL, confidence REAL, reason TEXT,
      PRIMARY KEY (run_id, asset_id)) WITHOUT ROWID;

    CREATE TABLE models (
      id INTEGER PRIMARY KEY,
      name TEXT NOT NULL UNIQUE, base TEXT NOT NULL, method TEXT NOT NULL, dataset TEXT NOT NULL,
      examples INTEGER NOT NULL, options TEXT NOT NULL, folder TEXT NOT NULL, bytes INTEGER NOT NULL,
      categories TEXT NOT NULL, final_loss REAL, held_out_accuracy REAL);

    CREATE TABLE training_texts (
      model_id INTEGER NOT NULL REFERENCES models ON DELETE CASCADE,
      digest BLOB NOT NULL,
      PRIMARY KEY (model_id, digest)) WITHOUT ROWID;
    """

  /// Where a label comes from decides whose counts, and a tuned model says on which weights it stands.
  ///
  /// Version 1 did not keep which labels were simulated. They are those of the author who does it by default, and of
  /// those whom the log names.
  private static let second = """
    ALTER TABLE labels ADD COLUMN source TEXT NOT NULL DEFAULT 'person'
      CHECK (source IN ('person', 'file', 'simulated'));
    WITH simulations AS MATERIALIZED (
      SELECT json FROM steps WHERE verb = 'label simulate' AND status IN ('done', 'folded') AND json_valid(json))
    UPDATE labels SET source = 'simulated'
    WHERE author = 'simulated' OR EXISTS (
      SELECT 1 FROM simulations, assets JOIN datasets ON datasets.id = assets.dataset_id
      WHERE assets.id = labels.asset_id AND labels.author = json_extract(json, '$.author')
        AND datasets.name = json_extract(json, '$.dataset'));

    -- SHA-256 of the embedded model's weights, 64 hexadecimal digits; null for models of version 1.
    ALTER TABLE models ADD COLUMN base_digest TEXT;
    """

  /// A language model's answer is kept as it was written, whatever is read out of it; and of a tuned one what it was taught with, by
  /// which it is asked ever after.
  private static let third = """
    ALTER TABLE predictions ADD COLUMN answer TEXT;
    -- A JSON object; null for encoders.
    ALTER TABLE models ADD COLUMN taught TEXT;
    """

  /// What `serve` keeps: files that clients upload, trainings that they order, and what happened to these.
  private static let fourth = """
    CREATE TABLE files (
      number INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, purpose TEXT NOT NULL, bytes INTEGER NOT NULL,
      created INTEGER NOT NULL, expires INTEGER, content BLOB NOT NULL);

    CREATE TABLE jobs (
      number INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE, status TEXT NOT NULL, json TEXT NOT NULL);

    CREATE TABLE job_events (
      number INTEGER PRIMARY KEY AUTOINCREMENT,
      job INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE, json TEXT NOT NULL);
    CREATE INDEX job_events_by_job ON job_events (job);
    """

  /// Labels know when they were given, and `serve` keeps projects: data sets that come over the wire with an interface of their own.
  private static let projects = """
    -- Milliseconds since 1970; null for labels of version 4.
    ALTER TABLE labels ADD COLUMN given INTEGER;

    CREATE TABLE projects (
      dataset_id INTEGER PRIMARY KEY REFERENCES datasets ON DELETE CASCADE,
      id TEXT NOT NULL UNIQUE, title TEXT NOT NULL, description TEXT NOT NULL, interface TEXT NOT NULL);

    CREATE TABLE project_assets (
      asset_id INTEGER PRIMARY KEY REFERENCES assets ON DELETE CASCADE,
      id TEXT NOT NULL UNIQUE, metadata TEXT NOT NULL, created INTEGER NOT NULL);

    -- Texts that no asset has taken yet.
    CREATE TABLE uploads (path TEXT PRIMARY KEY NOT NULL, created INTEGER NOT NULL, text TEXT NOT NULL);
    """
}

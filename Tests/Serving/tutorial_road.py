#!/usr/bin/env python3
"""The tutorial's whole road against one `fettle serve`, with the packages that it is written for: Kili's, and OpenAI's of 2023.

A project and its texts; a language model's answers as INFERENCE labels; people's labels; how often the two agree; the export; a training
file made of it, uploaded; a fine-tune followed to its end; the tuned model asked, and validated on texts that it has not seen.

    tutorial_road.py FETTLE [--real]

With --real the installed language model learns 160 texts of Samples, which takes some minutes; else tiny models go through the same
steps, which shows the protocols and nothing of learning.
"""

import atexit
import csv
import io
import json
import os
import shutil
import sys
import tempfile
import time
import zipfile

from served import ROOT, Checks, Server, with_packages

with_packages("road", "kili==26.2.4", "openai==0.27.10")

from tiny_models import tiny_models  # noqa: E402

REAL = "--real" in sys.argv
home = tempfile.mkdtemp(prefix="fettle-road-")
installed = {"XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", os.path.join(os.path.expanduser("~"), ".cache"))}
server = Server(sys.argv[1], environment=installed if REAL else tiny_models())
atexit.register(server.process.kill)
os.environ |= {"HOME": home, "KILI_API_KEY": "any", "KILI_API_ENDPOINT": server.url + "/api/label/v2/graphql"}
os.environ |= {"no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1"}

import warnings  # noqa: E402

warnings.simplefilter("ignore")

import openai  # noqa: E402
from kili.client import Kili  # noqa: E402

openai.api_key, openai.api_base = "any", server.url + "/v1"
check = Checks()
INTERFACE = json.loads((ROOT / "Samples/interface.json").read_text())
JOB, UNABLE = "CLASSIFICATION_JOB", "UNABLE_TO_CLASSIFY"
KEYS = list(INTERFACE["jobs"][JOB]["content"]["categories"])
STOP, END = "[PROMPT_STOP]", "[END]"
COUNT, FRESH = (160, 100) if REAL else (24, 8)


def step(what):
    print(f"{time.monotonic() - started:6.1f} s  {what}", flush=True)


def news(number, count):
    with open(ROOT / f"Samples/news-{number}.csv", newline="") as file:
        rows = list(csv.DictReader(file))[:count]
    return [(row["text"], row["category"].upper().replace("&", "AND").replace(" ", "_")) for row in rows]


def found(answer):
    """The category that an answer names first; it may be written with blanks or as it is taught, with underscores."""
    answer = answer.upper().replace("_", " ")
    places = {key: answer.find(key.replace("_", " ")) for key in KEYS if key != UNABLE}
    named = {key: place for key, place in places.items() if place >= 0}
    return min(named, key=named.get) if named else UNABLE


def question(text):
    names = ", ".join(key.replace("_", " ") for key in KEYS if key != UNABLE)
    # A tiny model reads few tokens.
    return f"Classify the text of the following message as exactly one of the following: {names}.\nmessage: {text}\ncategory: " if REAL else text[:40]


def complete(model, prompt, **options):
    return openai.Completion.create(model=model, engine="text_curie_001", prompt=prompt, max_tokens=10, temperature=0, **options)["choices"][0]["text"]


def response(category):
    return {JOB: {"categories": [{"name": category, "confidence": 100}]}}


def label(project, ids, predicted, truth, model):
    """Both kinds of labels, and the tutorial's score: the share of texts on which model and people agree."""
    for categories, options in [(predicted, {"label_type": "INFERENCE", "model_name": model}), (truth, {"label_type": "DEFAULT"})]:
        kili.append_labels(
            project_id=project, asset_external_id_array=ids, json_response_array=[response(name) for name in categories],
            disable_tqdm=True, **options)
    differ = kili.count_assets(project_id=project, external_id_strictly_in=ids, inference_mark_lte=0.51)
    agree = sum(one == other for one, other in zip(predicted, truth))
    check("model and people", differ == len(ids) - agree, (differ, agree))
    return (len(ids) - differ) / len(ids)


started = time.monotonic()
kili = Kili()
texts, truth = zip(*news(1, COUNT))
ids = [f"text_{index}" for index in range(COUNT)]
project = kili.create_project(title="Road", input_type="TEXT", json_interface=INTERFACE)["id"]
kili.append_many_to_dataset(project_id=project, content_array=list(texts), external_id_array=ids, disable_tqdm=True)
step(f"{COUNT} texts are in a project")

predicted = [found(complete("curie", question(text))) for text in texts]
score = label(project, ids, predicted, truth, "curie")
kpi = json.loads(server.run("--json", "-c", "kpi --dataset Road"))
check("kpi at the prompt", abs(kpi["score"] - score) < 1e-12 and kpi["unable_to_classify"] == predicted.count(UNABLE), kpi)
step(f"the untuned model agrees with people on {score:.2f}")

path = os.path.join(home, "labels.zip")
kili.export_labels(project, filename=path, fmt="raw", disable_tqdm=True)
lines = []
with zipfile.ZipFile(path) as archive:
    for index in range(COUNT):
        exported = json.loads(archive.read(f"labels/text_{index}.json"))
        category = exported["latestLabel"]["jsonResponse"][JOB]["categories"][0]["name"]
        text = archive.read(exported["content"]).decode()
        lines.append(json.dumps({"prompt": (text if REAL else text[:40]) + STOP, "completion": f" {category}{END}"}))
check("the export is what people said", all(json.loads(line)["completion"] == f" {key}{END}" for line, key in zip(lines, truth)))
content = ("\n".join(lines) + "\n").encode()
file = openai.File.create(file=io.BytesIO(content), purpose="fine-tune", user_provided_filename="road.jsonl")
job = openai.FineTune.create(training_file=file["id"], model="curie", n_epochs=2)
messages = [event["message"] for event in openai.FineTune.stream_events(job["id"])]
check("the fine-tune", "Fine-tune succeeded" in messages and messages[-1].startswith("Training hours billed:"), messages)
tuned = openai.FineTune.retrieve(job["id"])["fine_tuned_model"]
check("the tuned model is the last", openai.Model.list()["data"][-1]["id"] == tuned, tuned)
step(f"{tuned} is tuned")

fresh, right = zip(*news(2, FRESH))
names = [f"text_{COUNT + 1 + index}" for index in range(FRESH)]
kili.append_many_to_dataset(project_id=project, content_array=list(fresh), external_id_array=names, disable_tqdm=True)
# Asked as it was taught.
answers = [found(complete(tuned, (text if REAL else text[:40]) + STOP, stop=END)) for text in fresh]
after = label(project, names, answers, right, tuned)
untuned = [found(complete("curie", question(text))) for text in fresh]
before = sum(one == other for one, other in zip(untuned, right)) / FRESH
step(f"on {FRESH} texts that it has not seen: {before:.2f} untuned, {after:.2f} tuned")
if REAL:
    check("it has learned", after > before and after > 0.4, (before, after))
kpi = json.loads(server.run("--json", "-c", f"kpi --dataset Road --model {tuned}"))
check("kpi of the tuned model", (kpi["model"], kpi["assets"]) == (tuned, FRESH) and abs(kpi["score"] - after) < 1e-12, kpi)
listed = server.run("--json", "-c", "models")
check("the prompt knows it", tuned in listed, listed)
shutil.rmtree(home)
check.finish(server)

#!/usr/bin/env python3
"""Asks `fettle serve` with Kili's own packages, as the tutorial's notebook does: a project, its texts, a model's labels and people's,
how often they agree, the export; and holds what the server answers to what fettle's prompt says of the same.

    kili_tutorial.py FETTLE [--long] [--version 26.2.4]

Both maintained lines of the package are tried, each with its checks at the start (viewer, version, introspection, key) and without
them. 160 texts of Samples; --long takes all 800.
"""

import atexit
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile

from served import ROOT, Checks, Server, with_packages

VERSIONS = ["26.1.7", "26.2.4"]
if "--version" not in sys.argv:
    failed = [version for version in VERSIONS if subprocess.run([sys.executable, *sys.argv, "--version", version]).returncode]
    sys.exit(1 if failed else 0)

VERSION = sys.argv[sys.argv.index("--version") + 1]
LONG = "--long" in sys.argv
with_packages(f"kili-{VERSION}", f"kili=={VERSION}")

# The client keeps the server's schema in the home.
home = tempfile.mkdtemp(prefix="fettle-kili-")
installed = os.environ.get("XDG_CACHE_HOME", os.path.join(os.path.expanduser("~"), ".cache"))
os.environ |= {"HOME": home, "KILI_API_KEY": "<the key>", "KILI_SDK_SKIP_CHECKS": "1"}
os.environ |= {"no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1"}

import warnings  # noqa: E402

warnings.simplefilter("ignore")

from kili.client import Kili  # noqa: E402
from kili.exceptions import GraphQLError, NotFound  # noqa: E402

server = Server(sys.argv[1], environment={"XDG_CACHE_HOME": installed})
atexit.register(server.process.kill)
os.environ["KILI_API_ENDPOINT"] = server.url + "/api/label/v2/graphql"
check = Checks()
started = time.monotonic()

INTERFACE = json.loads((ROOT / "Samples/interface.json").read_text())
JOB = "CLASSIFICATION_JOB"
KEYS = list(INTERFACE["jobs"][JOB]["content"]["categories"])


def key(category):
    return category.upper().replace("&", "AND").replace(" ", "_")


def news():
    rows = []
    for number in range(1, 5 if LONG else 2):
        with open(ROOT / f"Samples/news-{number}.csv", newline="") as file:
            rows += [(row["text"], key(row["category"])) for row in csv.DictReader(file)]
    return rows if LONG else rows[:160]


def response(category):
    return {JOB: {"categories": [{"name": category, "confidence": 100}]}}


def prompt(line):
    return json.loads(server.run("--json", "-c", line))


TEXTS = [text for text, _ in news()]
TRUTH = [category for _, category in news()]
# A model that is right two times in three.
GUESS = [truth if index % 3 else KEYS[(KEYS.index(truth) + 1) % len(KEYS)] for index, truth in enumerate(TRUTH)]
IDS = [f"text_{index}" for index in range(len(TEXTS))]
AGREE = sum(guess == truth for guess, truth in zip(GUESS, TRUTH))


def tutorial(kili, title, model):
    """The notebook's steps, from an empty project to the exported labels."""
    project = kili.create_project(title=title, description="As in the tutorial.", input_type="TEXT", json_interface=INTERFACE)["id"]
    added = kili.append_many_to_dataset(project_id=project, content_array=TEXTS, external_id_array=IDS, disable_tqdm=True)
    check("texts added", len(added["asset_ids"]) == len(TEXTS), added)
    check("no mark without labels", kili.count_assets(project_id=project, inference_mark_lte=1.0) == 0)
    for category, options in [(GUESS, {"model_name": model, "label_type": "INFERENCE"}), (TRUTH, {"label_type": "DEFAULT"})]:
        labels = kili.append_labels(
            project_id=project, asset_external_id_array=IDS, json_response_array=[response(name) for name in category],
            disable_tqdm=True, **options)
        check("labels added", len({label["id"] for label in labels}) == len(TEXTS), labels[:2])
    for most in [0.5, 0.51]:
        below = kili.count_assets(project_id=project, external_id_strictly_in=IDS, inference_mark_lte=most)
        check("the texts on which model and people differ", below == len(TEXTS) - AGREE, below)
    check("of some", kili.count_assets(project_id=project, external_id_strictly_in=IDS[:3], inference_mark_lte=0.5) == 1)
    return project


def export(kili, project):
    """The exported labels, as they lie in the zip."""
    path = os.path.join(home, "labels.zip")
    kili.export_labels(project, filename=path, fmt="raw", disable_tqdm=True)
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        check("the zip", sum(name.startswith("labels/") and name.endswith(".json") for name in names) == len(TEXTS), names[:5])
        for index in [0, 1, len(TEXTS) - 1]:
            label = json.loads(archive.read(f"labels/text_{index}.json"))
            latest = label["latestLabel"]
            check("an exported label", latest["jsonResponse"][JOB]["categories"] == [{"name": TRUTH[index], "confidence": 100}], label)
            check("its kind", latest["labelType"] == "DEFAULT" and latest["author"]["email"] == "me@localhost", latest)
            check("its asset", label["externalId"] == f"text_{index}" and label["status"] == "LABELED", label)
            check("its text", archive.read(f"assets/text_{index}.txt").decode() == TEXTS[index])


for title, checks in [("First", False), ("Second", True)]:
    if checks:
        del os.environ["KILI_SDK_SKIP_CHECKS"]
    kili = Kili()
    project = tutorial(kili, title, "Curie")
    export(kili, project)

    # What the prompt says of the same.
    kpi = prompt(f"kpi --dataset {title}")
    check("kpi", (kpi["model"], kpi["assets"], kpi["agree"]) == ("Curie", len(TEXTS), AGREE), kpi)
    check("its score", abs(kpi["score"] - AGREE / len(TEXTS)) < 1e-12, kpi)
    shown = prompt(f"show asset text_0 --dataset {title}")
    labels = {(label["by"], label["kind"], label["category"]) for label in shown["labels"]}
    check("show", shown["text"] == TEXTS[0] and labels == {("me", "DEFAULT", TRUTH[0]), ("Curie", "INFERENCE", GUESS[0])}, shown)

    labels = kili.labels(project_id=project, fields=["id", "labelType", "modelName", "inferenceMark", "jsonResponse", "labelOf.externalId", "author.email"], disable_tqdm=True)
    check("labels", len(labels) == 2 * len(TEXTS) == kili.count_labels(project_id=project), len(labels))
    marks = {label["labelOf"]["externalId"]: label["inferenceMark"] for label in labels if label["labelType"] == "INFERENCE"}
    check("their marks", marks == {name: 1.0 if one == other else 0.5 for name, one, other in zip(IDS, GUESS, TRUTH)}, list(marks.items())[:4])

    # The cell again: nothing comes twice.
    try:
        kili.append_many_to_dataset(project_id=project, content_array=TEXTS[:3], external_id_array=IDS[:3], disable_tqdm=True)
        check("the same texts again", False)
    except Exception as error:
        check("the same texts again", "already exist" in str(error), error)
    kili.append_labels(project_id=project, asset_external_id_array=IDS, json_response_array=[response(name) for name in TRUTH], model_name="Ground Truth", disable_tqdm=True)
    check("the same labels again", kili.count_labels(project_id=project) == 2 * len(TEXTS), kili.count_labels(project_id=project))
    # A model's later label is not the latest one.
    kili.append_labels(project_id=project, asset_external_id_array=IDS[:1], json_response_array=[response(GUESS[1])], model_name="Curie", label_type="INFERENCE", disable_tqdm=True)
    export(kili, project)
    kili.append_labels(project_id=project, asset_external_id_array=IDS[:1], json_response_array=[response(GUESS[0])], model_name="Curie", label_type="INFERENCE", disable_tqdm=True)

    # What is asked for without naming fields.
    check("a project", [found["title"] for found in kili.projects(project_id=project)] == [title])
    check("some labels", len(kili.labels(project_id=project, first=5, disable_tqdm=True)) == 5)
    check("by consensus", kili.count_assets(project_id=project, consensus_mark_lte=1.0) == 0)

    # Refusals say what is wrong, and lose nothing.
    for what, call, words in [
        ("a kind of project", lambda: kili.create_project(title="p", input_type="IMAGE", json_interface=INTERFACE), "TEXT"),
        ("another job", lambda: kili.create_project(title="p", input_type="TEXT", json_interface={"jobs": {"J": {"mlTask": "NAMED_ENTITIES_RECOGNITION"}}}), "NAMED_ENTITIES"),
        ("a category", lambda: kili.append_labels(project_id=project, asset_external_id_array=IDS[:1], json_response_array=[response("SPORT")], disable_tqdm=True), "Did you mean SPORTS?"),
        ("a kind of label", lambda: kili.append_labels(project_id=project, asset_external_id_array=IDS[:1], json_response_array=[response("SPORTS")], label_type="PREDICTION", model_name="m", disable_tqdm=True), "PREDICTION"),
        ("a filter", lambda: kili.count_assets(project_id=project, metadata_where={"a": "b"}), "AssetWhere.metadata"),
        ("a project", lambda: kili.count_assets(project_id="nowhere"), "no project nowhere"),
    ]:
        try:
            check(what, False, call())
        except GraphQLError as error:
            check(what, words in str(error), error)
    check.raises("no such asset", NotFound, lambda: kili.append_labels(project_id=project, asset_external_id_array=["nobody"], json_response_array=[response("SPORTS")], disable_tqdm=True))
    check("nothing was lost", kili.count_labels(project_id=project) == 2 * len(TEXTS))

    # 26.2 compresses what is longer than a megabyte.
    long = [f"{index:04}" + "x" * 996 for index in range(1100)] + IDS
    check("a long request", kili.count_assets(project_id=project, external_id_strictly_in=long) == len(TEXTS))
    # A reader more, and their agreement.
    kili.append_labels(project_id=project, asset_external_id_array=IDS[:40], json_response_array=[response(name) for name in GUESS[:40]], author_id_array=["ana"] * 40, disable_tqdm=True)
    agreed = sum(one == other for one, other in zip(GUESS[:40], TRUTH[:40]))
    check("consensus", kili.count_assets(project_id=project, consensus_mark_gte=0.9) == agreed)
    kpi = prompt(f"kpi --consensus --dataset {title}")
    check("consensus at the prompt", (kpi["assets"], kpi["agree"]) == (40, agreed), kpi)
    kili.append_labels(project_id=project, asset_external_id_array=IDS[:40], json_response_array=[response(name) for name in TRUTH[:40]], author_id_array=["ana"] * 40, disable_tqdm=True)

projects = Kili().projects(disable_tqdm=True)
check("two projects, side by side", [found["title"] for found in projects] == ["First", "Second"], projects)
check("the prompt's data sets", [found["name"] for found in prompt("datasets")["datasets"]] == ["First", "Second"])
first = prompt("kpi --dataset First")
check("the first is as it was", (first["assets"], first["agree"]) == (len(TEXTS), AGREE), first)
check("the interface is the first's", prompt("interface show")["categories"] == KEYS)
check("the key is in no log", not any("<the key>" in line for line in server.log), server.log)
shutil.rmtree(home)
print(f"kili {VERSION}: {len(TEXTS)} texts, {time.monotonic() - started:.1f} s")
check.finish(server)

#!/usr/bin/env python3
"""Has lm-eval score `fettle serve` by multiple choice, as it scores any server of completions, and holds the accuracy and each choice's
probability to what transformers makes of the same weights: those of the installed language model, and of one that is taught here.

    served_lm_eval.py FETTLE PYTHON GGUF [--texts 20] [--taught 16]

PYTHON has torch, transformers and gguf; GGUF is the installed language model's file. The task is our own texts.
"""

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "Serving"))
from served import ROOT, Checks, Server, with_packages  # noqa: E402

with_packages("lm-eval", "lm-eval[api]==0.4.13", "transformers==5.24.0")

options = argparse.ArgumentParser()
options.add_argument("fettle")
options.add_argument("python")
options.add_argument("gguf")
options.add_argument("--texts", type=int, default=20)
options.add_argument("--taught", type=int, default=16)
options = options.parse_args()
check = Checks()

TASK = """\
task: kinds
dataset_path: json
dataset_kwargs: {{data_files: {{test: {file}}}}}
test_split: test
output_type: multiple_choice
doc_to_text: "{{{{text}}}}"
doc_to_choice: choices
doc_to_target: right
metric_list: [{{metric: acc}}]
"""
ACCURACY, PROBABILITY = 0.002, 0.002


def texts():
    """The shortest, so that it does not take long."""
    with open(ROOT / "Samples/news-2.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = sorted({row["category"].replace("&", "AND") for row in rows})
    rows = sorted(rows, key=lambda row: len(row["text"]))[:options.texts]
    prompt = "Classify the text of the following message.\nmessage: {}\ncategory:"
    return [
        {"text": prompt.format(row["text"]), "choices": names, "right": names.index(row["category"].replace("&", "AND"))} for row in rows]


server = Server(
    options.fettle, f"load {ROOT}/Samples/news-1.csv --sample {options.taught} --name few", f"interface load {ROOT}/Samples/interface.json",
    "label file", "finetune --base smollm2 --epochs 1 --holdout 0 --name taught", "export model smollm2 --model smollm2 --merge",
    "export model taught --merge")
folder = Path(server.folder)
rows = texts()
(folder / "kinds.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
(folder / "kinds.yaml").write_text(TASK.format(file=folder / "kinds.jsonl"))


def by_transformers(place):
    """Each choice's log probability, `[texts, choices]`."""
    script = Path(__file__).with_name("choices.py")
    done = subprocess.run([options.python, script, place, folder / "kinds.jsonl"], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr[-2000:])
    return [json.loads(line) for line in done.stdout.splitlines()]


def by_lm_eval(model, **more):
    """What it calls the accuracy, and each choice's log probability, `[texts, choices]`."""
    out = folder / "out"
    given = {"model": model, "base_url": f"{server.url}/v1/completions", "num_concurrent": 4, "max_retries": 1} | more
    environment = os.environ | {
        "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": str(folder / "hub"), "OPENAI_API_KEY": "any", "no_proxy": "127.0.0.1"}
    done = subprocess.run([
        Path(sys.prefix, "bin/lm_eval"), "run", "--model", "local-completions", "--tasks", "kinds", "--include_path", folder,
        "--model_args", ",".join(f"{name}={value}" for name, value in given.items()), "--batch_size", "4",
        "--log_samples", "--output_path", out / "result.json"], cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        check(f"lm-eval runs on {model}", False, done.stderr[-2000:])
        check.finish(server)
    (samples,) = out.glob("**/samples_*.jsonl")
    (result,) = out.glob("**/result*.json")
    found = sorted((json.loads(line) for line in samples.read_text().splitlines()), key=lambda sample: sample["doc_id"])
    accuracy = json.loads(result.read_text())["results"]["kinds"]["acc,none"]
    shutil.rmtree(out)
    return accuracy, [[float(choice[0][0]) for choice in sample["resps"]] for sample in found]


def furthest(sums, others):
    return max(abs(one - other) for row, other_row in zip(sums, others, strict=True) for one, other in zip(row, other_row, strict=True))


def hold(what, found, wanted):
    accuracy, sums = found
    right = sum(max(range(len(row)), key=row.__getitem__) == text["right"] for row, text in zip(wanted, rows, strict=True)) / len(rows)
    distance = furthest(sums, wanted)
    print(f"{what}: accuracy {accuracy:.3f}, by transformers {right:.3f}; log probabilities differ by {distance:.1e} at most", flush=True)
    check(f"{what}: the accuracy is transformers'", abs(accuracy - right) <= ACCURACY, (accuracy, right))
    check(f"{what}: each choice's probability is transformers'", distance <= PROBABILITY, distance)


exact = by_transformers(options.gguf)
hold("smollm2, its tokenizer a folder", by_lm_eval("smollm2", tokenizer=folder / "smollm2"), exact)
hold("smollm2, the server's tokenizer", by_lm_eval("smollm2"), exact)
taught = by_transformers(folder / "taught")
hold("taught, the server's tokenizer", by_lm_eval("taught"), taught)
check("the taught one is another model", furthest(taught, exact) > 1, furthest(taught, exact))
check.finish(server)

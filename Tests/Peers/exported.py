#!/usr/bin/env python3
"""Holds `export model` to sentence-transformers: fettle trains on TRAIN, classifies all of TEST and exports; the folder's own
README is run, and what it loads has to give every text fettle's category, and its probability within 0.002.

    exported.py FETTLE TRAIN TEST [METHOD ...]

TRAIN and TEST are CSV with the columns text and category, or hold `text|category` lines. METHOD is linear, full, gradual or adapter; linear, full and adapter unless given.
needs: pip install sentence-transformers safetensors numpy
"""

import csv
import json
import os
import re
import subprocess
import sys
import tempfile

import numpy

fettle, train, test = [os.path.abspath(path) for path in sys.argv[1:4]]
methods = sys.argv[4:] or ["linear", "full", "adapter"]


def run(folder, lines, *options):
    """One `fettle` that reads its lines from a pipe; its answers as JSON."""
    done = subprocess.run(
        [fettle, "--json", *options], input="\n".join(lines) + "\n", cwd=folder, text=True, capture_output=True)
    if done.returncode:
        sys.exit(f"fettle failed: {done.stderr[-2000:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def read(file):
    """Texts in one line each, as `classify` takes them."""
    with open(file, encoding="utf-8", newline="") as lines:
        if file.endswith(".csv"):
            texts = [row["text"] for row in csv.DictReader(lines)]
        else:
            texts = [line.rsplit("|", 1)[0] for line in lines]
    return [" ".join(text.split()) for text in texts]


def by_readme(folder):
    """The model and its head as the README's own code makes them."""
    with open(os.path.join(folder, "README.md"), encoding="utf-8") as file:
        code = re.search(r"```python\n(.*?)```", file.read(), re.DOTALL)[1]
    names = {}
    before = os.getcwd()
    os.chdir(folder)
    try:
        exec(code, names)
    finally:
        os.chdir(before)
    return names


def main():
    texts = read(test)
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        run(folder, [f"load {train} --name train", "interface define --from train", "label simulate"])
        for method in methods:
            run(folder, [f"finetune --method {method} --name {method}", f"export model out-{method} --model {method}"])
            answers = run(folder, [f"classify --model {method} {text}" for text in texts], "--no-record")
            names = by_readme(os.path.join(folder, f"out-{method}"))
            logits = names["model"].encode(texts) @ names["head"]["weight"].T + names["head"]["bias"]
            shares = numpy.exp(logits - logits.max(1, keepdims=True))
            shares /= shares.sum(1, keepdims=True)
            same, furthest = 0, 0.0
            for text, answer, row in zip(texts, answers, shares, strict=True):
                found = names["categories"][row.argmax()]
                same += answer["category"] == found
                if answer["category"] != found:
                    print(f"{method}: fettle {answer['category']}, sentence-transformers {found}: {text}")
                own = numpy.array([answer["scores"][category] for category in names["categories"]])
                furthest = max(furthest, float(abs(own - row).max()))
            print(f"{method}: {same} of {len(texts)} categories are the same; probabilities differ by {furthest:.1e} at most")
            failed |= same < len(texts) or furthest > 2e-3
    sys.exit(failed)


main()

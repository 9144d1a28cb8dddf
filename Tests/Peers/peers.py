#!/usr/bin/env python3
"""What a user would take instead of fettle, on this machine: PyTorch and transformers, ONNX Runtime, Hugging Face's
tokenizers, scikit-learn. `make bench` runs these beside fettle, each as a process of its own.

    peers.py check                        says whether the packages are here
    peers.py finetune MODEL TRAIN [TEST]  full fine-tuning with PyTorch
    peers.py embed MODEL FILE ...         mean-pooled vectors with PyTorch or ONNX Runtime
    peers.py tokenize MODEL FILE ...      WordPiece with tokenizers, on one thread
    peers.py linear FEATURES TRAIN        logistic regression with scikit-learn on features that fettle wrote

MODEL is a folder with config.json, model.safetensors and vocab.txt. TRAIN, TEST and FILE hold `text|category` lines. The
answer is one line of JSON; tokens_per_second counts the texts' own tokens, never padding.

needs: pip install torch transformers tokenizers safetensors numpy onnx onnxruntime scikit-learn
"""

import argparse
import importlib.util
import json
import os
import random
import sys
import tempfile
import time

PACKAGES = {
    "torch": "torch", "transformers": "transformers", "tokenizers": "tokenizers", "safetensors": "safetensors",
    "numpy": "numpy", "onnx": "onnx", "onnxruntime": "onnxruntime", "sklearn": "scikit-learn",
}


def check(_):
    missing = [package for module, package in PACKAGES.items() if importlib.util.find_spec(module) is None]
    if missing:
        sys.exit("missing: " + " ".join(missing))
    import torch

    answer(peer="check", torch=torch.__version__)


def answer(**values):
    """One line of JSON, with the most memory that this process has had."""
    with open("/proc/self/status", encoding="ascii") as status:
        peak = next(line for line in status if line.startswith("VmHWM:"))
    print(json.dumps(values | {"peak_mb": int(peak.split()[1]) // 1024}), flush=True)


def fastest(runs, body):
    """Seconds of the fastest run, and what the last one gave."""
    best, result = float("inf"), None
    for _ in range(runs):
        start = time.perf_counter()
        result = body()
        best = min(best, time.perf_counter() - start)
    return best, result


def read(files):
    rows = []
    for file in files:
        with open(file, encoding="utf-8", newline="\n") as lines:
            rows += [line.rstrip("\n").rsplit("|", 1) for line in lines]
    return [text for text, _ in rows], [category for _, category in rows]


def tokenizer(folder, length):
    """From vocab.txt, as fettle reads it, so that a folder without tokenizer.json serves too."""
    from tokenizers import BertWordPieceTokenizer

    settings = {}
    path = os.path.join(folder, "tokenizer_config.json")
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            settings = json.load(file)
    made = BertWordPieceTokenizer(
        os.path.join(folder, "vocab.txt"), lowercase=settings.get("do_lower_case", True),
        strip_accents=settings.get("strip_accents"))
    made.enable_truncation(length)
    return made


def model(folder):
    import torch
    from transformers import AutoModel

    return AutoModel.from_pretrained(folder, dtype=torch.float32)


def padded(rows):
    """Token ids and mask, `[texts, longest]`."""
    import torch

    longest = max(map(len, rows))
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    return ids, mask


def by_length(rows, batch):
    order = sorted(range(len(rows)), key=lambda place: len(rows[place]))
    return [order[start : start + batch] for start in range(0, len(order), batch)]


def finetune(options):
    import torch
    from torch import nn

    torch.manual_seed(options.seed)
    random.seed(options.seed)
    if options.threads:
        torch.set_num_threads(options.threads)
    texts, labels = read([options.train])
    names = sorted(set(labels))
    cut = tokenizer(options.model, 128)
    rows = [encoding.ids for encoding in cut.encode_batch(texts)]
    wanted = torch.tensor([names.index(label) for label in labels])
    encoder = model(options.model)
    encoder.pooler = None
    head = nn.Linear(encoder.config.hidden_size, len(names))
    drop = nn.Dropout(0.1)
    optimiser = torch.optim.AdamW(
        [{"params": encoder.parameters(), "lr": options.rate}, {"params": head.parameters(), "lr": options.head_rate}],
        weight_decay=0.01)
    in_epoch = -(-len(rows) // options.batch)
    steps = options.epochs * in_epoch
    rise = 0.1 * steps
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / rise, max(0, (steps - step) / (steps - rise))))

    def logits(places, source):
        ids, mask = padded([source[place] for place in places])
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=options.precision == "bf16"):
            states = encoder(input_ids=ids, attention_mask=mask).last_hidden_state.float()
        share = mask.unsqueeze(-1).float()
        return head(drop((states * share).sum(1) / share.sum(1)))

    def epoch_batches():
        """Texts of like length together, as one would to pad little; the batches in random order."""
        order = torch.randperm(len(rows)).tolist()
        batches = []
        for start in range(0, len(order), 8 * options.batch):
            part = sorted(order[start : start + 8 * options.batch], key=lambda place: len(rows[place]))
            batches += [part[first : first + options.batch] for first in range(0, len(part), options.batch)]
        random.shuffle(batches)
        return batches

    encoder.train()
    drop.train()
    start = time.perf_counter()
    for _ in range(options.epochs):
        for places in epoch_batches():
            loss = nn.functional.cross_entropy(logits(places, rows), wanted[places])
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)
            optimiser.step()
            schedule.step()
    seconds = time.perf_counter() - start
    tokens = options.epochs * sum(map(len, rows))
    values = {
        "peer": "pytorch", "precision": options.precision, "examples": len(rows), "tokens": tokens, "seed": options.seed,
        "seconds": round(seconds, 3), "tokens_per_second": round(tokens / seconds),
    }
    if options.test:
        values["accuracy"] = accuracy(encoder, drop, logits, cut, names, options)
    answer(**values)


def accuracy(encoder, drop, logits, cut, names, options):
    import torch

    encoder.eval()
    drop.eval()
    texts, labels = read([options.test])
    rows = [encoding.ids for encoding in cut.encode_batch(texts)]
    right = 0
    with torch.inference_mode():
        for places in by_length(rows, 32):
            for place, found in zip(places, logits(places, rows).argmax(1).tolist()):
                right += names[found] == labels[place]
    return round(right / len(rows), 4)


def embed(options):
    import torch

    if options.threads:
        torch.set_num_threads(options.threads)
    texts, _ = read(options.files)
    rows = [encoding.ids for encoding in tokenizer(options.model, 256).encode_batch(texts)]
    tokens = sum(map(len, rows))
    encoder = model(options.model).eval()
    encoder.pooler = None
    batches = [padded([rows[place] for place in places]) for places in by_length(rows, options.batch)]
    if options.peer == "onnxruntime":
        states = onnx_session(encoder, options)
        batches = [(ids.numpy(), mask.numpy()) for ids, mask in batches]
    else:
        states = lambda ids, mask: encoder(input_ids=ids, attention_mask=mask).last_hidden_state

    def mean(states, mask):
        share = mask[:, :, None]
        return (states * share).sum(1) / share.sum(1)

    def run():
        for ids, mask in batches:
            mean(states(ids, mask), mask)

    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=options.peer == "pytorch-bf16"):
        seconds, _ = fastest(options.runs, run)
    answer(peer=options.peer, tokens=tokens, seconds=round(seconds, 3), tokens_per_second=round(tokens / seconds))


def onnx_session(encoder, options):
    import onnxruntime
    import torch

    class States(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = encoder

        def forward(self, input_ids, attention_mask):
            return self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state

    names = ["input_ids", "attention_mask"]
    axes = {name: {0: "texts", 1: "length"} for name in [*names, "states"]}
    example = torch.ones(2, 16, dtype=torch.long)
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "model.onnx")
        torch.onnx.export(
            States(), (example, example), file, input_names=names, output_names=["states"], dynamic_axes=axes,
            dynamo=False)
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = options.threads or os.cpu_count()
        session = onnxruntime.InferenceSession(file, settings, providers=["CPUExecutionProvider"])
    return lambda ids, mask: session.run(None, dict(zip(names, (ids, mask))))[0]


def tokenize(options):
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    texts, _ = read(options.files)
    cut = tokenizer(options.model, 256)
    seconds, encodings = fastest(options.runs, lambda: cut.encode_batch(texts))
    tokens = sum(len(encoding.ids) for encoding in encodings)
    answer(peer="tokenizers", tokens=tokens, seconds=round(seconds, 4), tokens_per_second=round(tokens / seconds))


def linear(options):
    """FEATURES holds f32 numbers, one row a text of TRAIN and then of TEST, as `fettle-bench embed --save` writes them."""
    import numpy
    from sklearn.linear_model import LogisticRegression

    _, labels = read([options.train])
    _, tests = read([options.test]) if options.test else ([], [])
    features = numpy.fromfile(options.features, numpy.float32).reshape(len(labels) + len(tests), -1)
    features /= numpy.linalg.norm(features, axis=1, keepdims=True)
    train, test = features[: len(labels)], features[len(labels) :]
    seconds, fitted = fastest(options.runs, lambda: LogisticRegression(max_iter=1000).fit(train, labels))
    values = {"peer": "scikit-learn", "examples": len(labels), "seconds": round(seconds, 4)}
    if tests:
        values["accuracy"] = round(float(fitted.score(test, tests)), 4)
    answer(**values)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    def verb(name, run):
        made = verbs.add_parser(name)
        made.set_defaults(run=run)
        return made

    verb("check", check)
    made = verb("finetune", finetune)
    made.add_argument("model")
    made.add_argument("train")
    made.add_argument("test", nargs="?")
    made.add_argument("--epochs", type=int, default=5)
    made.add_argument("--batch", type=int, default=32)
    made.add_argument("--rate", type=float, default=2e-4)
    made.add_argument("--head-rate", type=float, default=2e-3)
    made.add_argument("--precision", choices=["f32", "bf16"], default="f32")
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--threads", type=int)
    made = verb("embed", embed)
    made.add_argument("model")
    made.add_argument("files", nargs="+")
    made.add_argument("--peer", choices=["pytorch-f32", "pytorch-bf16", "onnxruntime"], default="pytorch-f32")
    made.add_argument("--batch", type=int, default=16)
    made.add_argument("--runs", type=int, default=3)
    made.add_argument("--threads", type=int)
    made = verb("tokenize", tokenize)
    made.add_argument("model")
    made.add_argument("files", nargs="+")
    made.add_argument("--runs", type=int, default=5)
    made = verb("linear", linear)
    made.add_argument("features")
    made.add_argument("train")
    made.add_argument("test", nargs="?")
    made.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    options.run(options)


main()

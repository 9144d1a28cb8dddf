#!/usr/bin/env python3
"""Holds BERTs of other sizes, vocabularies and files to transformers: made here with random weights, installed with
`model install --from`, and then `tokens` has to give transformers' numbers and `embed` its mean-pooled vectors.

    foreign.py FETTLE
    foreign.py pin FOLDER    writes one of them, which has many of their traits, with transformers' numbers, for EncoderTests

needs: pip install torch transformers tokenizers safetensors
"""

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

import torch
from safetensors.torch import load_file, save_file
import transformers
from transformers import AutoModel, AutoTokenizer, BertConfig, BertForMaskedLM, BertForSequenceClassification, BertModel

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
FETTLE = os.path.abspath(sys.argv[1]) if len(sys.argv) == 2 else None
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,!?'-$%&()äöüßéèàÅåŁłçñİıΣσςдЖ東京ニ가ᄀ\u0301\u0307"
WORDS = ["news", "News", "the", "of", "ferry", "Ferry", "strike", "bank", "über", "Über", "uber", "##ing", "##s", "café", "cafe", "ÅNG", "ang"]
TEXTS = [
    "The ferry strike enters its second week.", "Über den Fluß, über die Brücke!", "cafés CAFÉS café", "ÅNGSTRÖM Łódź",
    "東京のnews 가나", "Σίσυφος ΣΊΣΥΦΟΣ", "İstanbul ISTANBUL ıi", "[MASK] of the [CLS] bank", "a\tb\nc\u00a0d\u200be", "",
    "x" * 120, "news " * 300, "don't 9.4% (up) $1,234 — “so”", "👩‍🚀 of the 🏳️‍🌈", "e\u0301 É é",
]


def texts():
    """Those above, and random ones of the vocabulary's own characters."""
    chance = random.Random(5)
    words = [piece.removeprefix("##") for piece in WORDS]
    return TEXTS + [
        " ".join(
            chance.choice(words) if chance.random() < 0.5 else "".join(chance.choices(LETTERS, k=chance.randint(1, 8)))
            for _ in range(chance.randint(1, 40)))
        for _ in range(60)
    ]


def vocabulary(extra=0):
    pieces = SPECIAL + list(LETTERS) + ["##" + letter for letter in LETTERS] + WORDS
    return pieces + [f"[unused{number}]" for number in range(extra)]


def folder_of(parent, name, *, kind=BertModel, dtype=torch.float32, settings=None, vocabulary_size=None, **sizes):
    """A folder as transformers saves it, with vocab.txt and the tokenizer's settings."""
    torch.manual_seed(len(name))
    pieces = vocabulary()
    shape = dict(hidden_size=48, num_hidden_layers=2, num_attention_heads=3, intermediate_size=96, max_position_embeddings=64)
    model = kind(BertConfig(vocab_size=vocabulary_size or len(pieces), **(shape | sizes)))
    for weights in model.parameters():
        torch.nn.init.normal_(weights, 0, 0.2)
    for key, weights in model.named_parameters():
        if key.endswith("LayerNorm.weight"):
            weights.data.add_(1)
    folder = os.path.join(parent, name)
    model.to(dtype).save_pretrained(folder)
    with open(os.path.join(folder, "vocab.txt"), "w", encoding="utf-8") as file:
        file.write("\n".join(pieces) + "\n")
    if settings is not None:
        with open(os.path.join(folder, "tokenizer_config.json"), "w", encoding="utf-8") as file:
            json.dump({"tokenizer_class": "BertTokenizer"} | settings, file)
    return folder


def rename(folder, change):
    """The same weights under other names."""
    path = os.path.join(folder, "model.safetensors")
    tensors = {change(name): tensor.clone() for name, tensor in load_file(path).items()}
    save_file(tensors, path, metadata={"format": "pt"})
    return folder


def old_names(name):
    """As Google's own files have them, and with them the best known BERT there is."""
    return name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")


def only_tokenizer_json(folder):
    """As transformers 5 saves a tokenizer: no vocab.txt."""
    AutoTokenizer.from_pretrained(folder).save_pretrained(folder)
    os.remove(os.path.join(folder, "vocab.txt"))
    return folder


def run(home, *arguments):
    environment = os.environ | {"XDG_CACHE_HOME": home, "FETTLE_MODEL": ""}
    return subprocess.run([FETTLE, "--no-record", *arguments], cwd=home, env=environment, text=True, capture_output=True)


def answers(home, verb):
    done = run(home, "--json", verb, "--file", "texts.jsonl")
    if done.returncode:
        raise ValueError(done.stderr.strip())
    return [json.loads(line) for line in done.stdout.splitlines()]


def numbers(folder, split=False):
    """For each text transformers' token ids, and the mean of its last states, scaled to length one.

    With `split` the name of a special token in a text is letters and signs, as it is to fettle.
    """
    model = AutoModel.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    longest = min(256, model.config.max_position_embeddings)
    for text in texts():
        ids = tokenizer(text, truncation=True, max_length=longest, split_special_tokens=split)["input_ids"]
        with torch.inference_mode():
            states = model(input_ids=torch.tensor([ids])).last_hidden_state[0].mean(0)
        yield text, ids, torch.nn.functional.normalize(states, dim=0)


def compare(home, folder):
    """A sentence about what differs, or None; and how far the vectors are apart."""
    installed = run(home, "model", "install", "--from", folder)
    if installed.returncode:
        return " ".join(installed.stderr.split()), None
    furthest = 0.0
    own = zip(answers(home, "tokens"), answers(home, "embed"), strict=True)
    for (text, ids, wanted), (cut, vector) in zip(numbers(folder, split=True), own, strict=True):
        if ids != cut["ids"]:
            return f"tokens of {text!r}: {cut['ids']}, transformers {ids}", None
        furthest = max(furthest, float((wanted - torch.tensor(vector["embedding"])).abs().max()))
    return (None if furthest < 2e-5 else "the vectors differ"), furthest


def pin(parent):
    folder = folder_of(
        parent, "odd-bert", kind=BertForSequenceClassification, dtype=torch.float16, settings={"do_lower_case": False},
        hidden_size=30, num_attention_heads=2, num_hidden_layers=1, intermediate_size=21, max_position_embeddings=24,
        type_vocab_size=1)
    only_tokenizer_json(rename(folder, old_names))
    with open(os.path.join(folder, "reference.jsonl"), "w", encoding="utf-8") as file:
        for text, ids, vector in numbers(folder):
            rounded = [round(float(number), 6) for number in vector]
            file.write(json.dumps({"text": text, "ids": ids, "embedding": rounded}) + "\n")


def main():
    failed = False

    def check(name, folder, refusal=None):
        """Right, or refused with these words."""
        nonlocal failed
        with tempfile.TemporaryDirectory() as home:
            with open(os.path.join(home, "texts.jsonl"), "w", encoding="utf-8") as file:
                file.writelines(json.dumps({"text": text}) + "\n" for text in texts())
            fault, furthest = compare(home, folder)
        if refusal is None:
            good, said = fault is None, fault or f"the same tokens, vectors within {furthest:.0e}"
        else:
            good, said = fault is not None and refusal in fault, fault or "was not refused"
        failed |= not good
        print(f"{'ok  ' if good else 'FAIL'} {name}: {said}")

    with tempfile.TemporaryDirectory() as parent:
        made = lambda name, **options: folder_of(parent, name, **options)
        lower, cased = {"do_lower_case": True}, {"do_lower_case": False}
        check("hidden 48, 3 heads, 2 layers", made("a", settings=lower))
        check("hidden 96, 12 heads, 1 layer", made("b", settings=lower, hidden_size=96, num_attention_heads=12, num_hidden_layers=1))
        check("heads of 15", made("c", settings=lower, hidden_size=60, num_attention_heads=4, intermediate_size=77))
        check("heads of 10, hidden 70", made("d", settings=lower, hidden_size=70, num_attention_heads=7, intermediate_size=33))
        check("one head of 17", made("e", settings=lower, hidden_size=17, num_attention_heads=1, intermediate_size=51))
        check("heads of 64", made("f", settings=lower, hidden_size=128, num_attention_heads=2, intermediate_size=512))
        check("heads of 100", made("g", settings=lower, hidden_size=200, num_attention_heads=2, intermediate_size=100))
        check("512 positions", made("h", settings=lower, max_position_embeddings=512))
        check("one segment type", made("i", settings=lower, type_vocab_size=1))
        check("another epsilon", made("j", settings=lower, layer_norm_eps=1e-3))
        check("a table larger than the vocabulary", made("k", settings=lower, vocabulary_size=512))
        check("no tokenizer settings", made("l"))
        check("cased", made("m", settings=cased))
        check("lower case, accents kept", made("n", settings=lower | {"strip_accents": False}))
        check("cased, accents stripped", made("o", settings=cased | {"strip_accents": True}))
        check("ideographs left together", made("p", settings=cased | {"tokenize_chinese_chars": False}))
        check("of a BertForMaskedLM", made("q", settings=lower, kind=BertForMaskedLM))
        check("of a BertForSequenceClassification", made("r", settings=lower, kind=BertForSequenceClassification))
        check("layer norms called gamma and beta", rename(made("s", settings=lower), old_names))
        check("stored in f16", made("t", settings=lower, dtype=torch.float16))
        check("stored in bf16", made("u", settings=lower, dtype=torch.bfloat16))
        check("tokenizer.json alone", only_tokenizer_json(made("v", settings=lower)))
        check("tokenizer.json alone, cased", only_tokenizer_json(made("w", settings=cased)))
        check("stored in f64", made("x", settings=lower, dtype=torch.float64), "of type F64")
        check("relu", made("y", settings=lower, hidden_act="relu"), "hidden_act is relu")
        check("gelu_new", made("z", settings=lower, hidden_act="gelu_new"), "hidden_act is gelu_new")
        other = made("aa", settings=lower)
        torch.save(load_file(f"{other}/model.safetensors"), f"{other}/pytorch_model.bin")
        os.remove(f"{other}/model.safetensors")
        check("pytorch_model.bin alone", other, "pytorch_model.bin")
        other = made("ab", settings=lower)
        shutil.move(f"{other}/model.safetensors", f"{other}/model-00001-of-00001.safetensors")
        with open(f"{other}/model.safetensors.index.json", "w", encoding="utf-8") as file:
            json.dump({"weight_map": {}}, file)
        check("in several files", other, "model.safetensors.index.json")
        other = made("ac", settings=lower)
        with open(f"{other}/config.json", encoding="utf-8") as file:
            config = json.load(file)
        with open(f"{other}/config.json", "w", encoding="utf-8") as file:
            json.dump(config | {"model_type": "distilbert"}, file)
        check("another kind of model", other, "model_type is distilbert")
    sys.exit(failed)


if sys.argv[1] == "pin":
    pin(sys.argv[2])
else:
    main()

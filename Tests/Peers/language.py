#!/usr/bin/env python3
"""Holds language models of other shapes to transformers, and the pre-tokenizers to Hugging Face's tokenizers. The models are made here
with random weights, the vocabulary is trained here; `fettle-bench states` has to give the same states, logits and token ids.

    language.py FETTLE-BENCH

needs: pip install torch transformers tokenizers
"""

import json
import os
import random
import subprocess
import sys
import tempfile

import torch
import transformers
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

from byte_pair import CHOSEN, PIECES, VARIANTS, trained, variant

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
BENCH = os.path.abspath(sys.argv[1])
VOCABULARY = 720


def states(folder, *arguments):
    done = subprocess.run([BENCH, "states", "--model", folder, *arguments], text=True, capture_output=True)
    if done.returncode:
        raise ValueError(done.stderr.strip())
    return json.loads(done.stdout)


def rows():
    chance = random.Random(14)
    return [[chance.randrange(VOCABULARY) for _ in range(length)] for length in (1, 2, 17, 90, 300)]


def folder_of(parent, number, kind, settings, sizes):
    torch.manual_seed(number)
    shape = dict(
        vocab_size=VOCABULARY, hidden_size=48, num_hidden_layers=3, num_attention_heads=6, num_key_value_heads=2,
        intermediate_size=112, max_position_embeddings=512)
    model = kind(settings(**(shape | sizes))).eval()
    for name, weights in model.named_parameters():
        # Biases and norms too: what begins as 0 or 1 would hide a mistake. With much greater ones transformers' own f32 is as far from its
        # f64 as is allowed.
        torch.nn.init.normal_(weights, 1 if name.endswith("norm.weight") else 0, 0.08)
    folder = os.path.join(parent, str(number))
    model.save_pretrained(folder)
    with open(os.path.join(folder, "tokenizer.json"), "w", encoding="utf-8") as file:
        json.dump(trained(), file)
    # In f64 transformers adds no rounding of its own.
    return folder, model.double()


def distance(found, wanted):
    """The greatest, where 1 is 1e-4 of the number or 1e-5, whichever is more."""
    wanted = wanted.double()
    return float(((torch.tensor(found, dtype=torch.float64) - wanted).abs() / (1e-4 * wanted.abs()).clamp(min=1e-5)).max())


def compare(folder, model):
    found = states(folder, *[part for row in rows() for part in ("--ids", ",".join(map(str, row)))])["rows"]
    furthest = 0.0
    for row, own in zip(rows(), found, strict=True):
        with torch.inference_mode():
            wanted = model(torch.tensor([row]), output_hidden_states=True)
        furthest = max(
            furthest, distance(own["states"], wanted.hidden_states[-1][0]), distance(own["logits"], wanted.logits[0]))
    return furthest


SHAPES = [
    ("Llama, tied, 6 heads on 2", LlamaForCausalLM, LlamaConfig, dict(tie_word_embeddings=True)),
    ("Llama, untied, heads of 24", LlamaForCausalLM, LlamaConfig, dict(tie_word_embeddings=False, head_dim=24)),
    ("Llama, one head of keys", LlamaForCausalLM, LlamaConfig, dict(num_key_value_heads=1, tie_word_embeddings=False)),
    ("Llama, a head of keys each", LlamaForCausalLM, LlamaConfig, dict(num_key_value_heads=6, hidden_size=96)),
    ("Llama, odd sizes", LlamaForCausalLM, LlamaConfig,
     dict(hidden_size=70, num_attention_heads=7, num_key_value_heads=1, head_dim=10, intermediate_size=33)),
    ("Llama, another epsilon and base", LlamaForCausalLM, LlamaConfig,
     dict(rms_norm_eps=1e-3, rope_parameters={"rope_type": "default", "rope_theta": 500000.0})),
    ("Qwen2, tied", Qwen2ForCausalLM, Qwen2Config, dict(tie_word_embeddings=True)),
    ("Qwen2, untied", Qwen2ForCausalLM, Qwen2Config, dict(tie_word_embeddings=False, num_key_value_heads=3)),
]


def texts():
    chance = random.Random()
    return CHOSEN + ["".join(chance.choices(PIECES, k=chance.randint(2, 14))) for _ in range(1000)]


def main():
    failed = False

    def say(good, name, sentence):
        nonlocal failed
        failed |= not good
        print(f"{'ok  ' if good else 'FAIL'} {name}: {sentence}")

    with tempfile.TemporaryDirectory() as parent:
        for number, (name, kind, settings, sizes) in enumerate(SHAPES):
            folder, model = folder_of(parent, number, kind, settings, sizes)
            try:
                furthest = compare(folder, model)
                say(furthest <= 1, name, f"states and logits at {furthest:.2f} of what is allowed (1e-4 of each, or 1e-5)")
            except ValueError as error:
                say(False, name, error)
        sample, file = texts(), trained()
        with open(os.path.join(parent, "texts.json"), "w", encoding="utf-8") as out:
            json.dump(sample, out)
        for name, changes in VARIANTS.items():
            cut = variant(file, changes)
            cut.save(os.path.join(folder, "tokenizer.json"))
            found = states(folder, "--texts", os.path.join(parent, "texts.json"))["ids"]
            others = [
                text for text, ids in zip(sample, found, strict=True) if cut.encode(text, add_special_tokens=False).ids != ids]
            say(not others, f"pre-tokenizer {name}", f"{len(sample)} texts" if not others else f"other ids of {others[0]!r}")
    sys.exit(failed)


main()

#!/usr/bin/env python3
"""How probable a language model finds each of several continuations of a text, by transformers, for what has to be held to that.

    choices.py MODEL FILE

MODEL is a GGUF file or a folder of transformers; FILE has lines {"text", "choices"}. The answer is one line of JSON for each: the natural
logarithms of the choices' probabilities.

needs: pip install torch transformers gguf
"""

import copy
import json
import os
import sys

import torch

from peers import llama_of


def loaded(place):
    """The model, and what makes token ids of a text."""
    if os.path.isfile(place):
        model, cut = llama_of(place)
        return model.eval(), lambda text: cut.encode(text, add_special_tokens=False).ids
    from transformers import AutoModelForCausalLM, AutoTokenizer

    cut = AutoTokenizer.from_pretrained(place)
    model = AutoModelForCausalLM.from_pretrained(place, dtype=torch.float32)
    return model.eval(), lambda text: cut(text, add_special_tokens=False)["input_ids"]


@torch.inference_mode()
def main():
    model, ids = loaded(sys.argv[1])
    with open(sys.argv[2], encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    for row in rows:
        text, sums = ids(row["text"]), []
        read = model(torch.tensor([text]), use_cache=True)
        for choice in row["choices"]:
            whole = ids(f"{row['text']} {choice}")
            assert whole[:len(text)] == text, row["text"]
            written = torch.tensor([whole[len(text):]])
            # A cache is written on by who reads it.
            logits = model(written, past_key_values=copy.deepcopy(read.past_key_values)).logits[0, :-1]
            chosen = torch.cat([read.logits[0, -1:], logits]).double().log_softmax(-1).gather(1, written.T)
            sums.append(float(chosen.sum()))
        print(json.dumps(sums), flush=True)


main()

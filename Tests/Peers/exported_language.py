#!/usr/bin/env python3
"""Holds `export model` of language models to peft, transformers and llama.cpp: fettle teaches SmolLM2 on some of TRAIN's texts, exports it
in all forms and asks it for the category of each text of TEST. Each form, loaded as its own README says, has to read the same tokens and
to write the same answer, token by token, but where the two best logits lie so close that the last bits decide.

    exported_language.py FETTLE TRAIN TEST [--taught 40] [--texts N] [--prompt plain|chat|short]

TRAIN and TEST are CSV with the columns text and category; --taught: on how many texts it learns, for one epoch; --texts: how many of TEST are
asked, all if left out.
needs: pip install torch transformers peft gguf llama-cpp-python
"""

import argparse
import contextlib
import csv
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import warnings

os.environ["HF_HUB_OFFLINE"] = "1"
import llama_cpp
import numpy
import torch
import transformers
from transformers import AutoModelForCausalLM

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
warnings.filterwarnings("ignore", category=FutureWarning)

# How close two logits may lie for their order to be chance, and twice how far any logit may be from transformers' own: two that move
# towards each other change places. In f32 the libraries add up in other orders. With --gguf alone all matrices are rounded to f16, and
# llama.cpp rounds what it multiplies with them likewise.
EXACT, ROUNDED = 1e-3, 0.2

options = argparse.ArgumentParser()
options.add_argument("fettle")
options.add_argument("train")
options.add_argument("test")
options.add_argument("--taught", type=int, default=40)
options.add_argument("--texts", type=int)
options.add_argument("--prompt", default="plain")
options = options.parse_args()
fettle, train, test = map(os.path.abspath, (options.fettle, options.train, options.test))
failed = []


def run(folder, *lines):
    """One `fettle` that reads its lines from a pipe; its answers as JSON."""
    done = subprocess.run([fettle, "--json"], input="\n".join(lines) + "\n", cwd=folder, text=True, capture_output=True)
    if done.returncode:
        sys.exit(f"fettle failed: {done.stdout[-1000:]}{done.stderr[-2000:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def check(holds, sentence):
    print(f"{'' if holds else 'NOT SO: '}{sentence}", flush=True)
    if not holds:
        failed.append(sentence)


def by_readme(folder):
    """Model, tokenizer and prompt as the README's own code makes them, and what it printed."""
    with open(os.path.join(folder, "README.md"), encoding="utf-8") as file:
        code = re.search(r"```python\n(.*?)```", file.read(), re.DOTALL)[1]
    # The prompt with {text} in it: the line's text is put in place of that at the line's end.
    prompt = re.search(r'^prompt = (".*")\.replace\("\{text\}", ".*"\)$', code, re.MULTILINE)
    names, before, printed = {}, os.getcwd(), io.StringIO()
    os.chdir(folder)
    try:
        with contextlib.redirect_stdout(printed):
            exec(code, names)
    finally:
        os.chdir(before)
    return names["model"].eval(), names["tokenizer"], prompt and json.loads(prompt[1]), printed.getvalue().strip()


@torch.inference_mode()
def written(model, prompt, ends, most):
    """The most probable tokens one after another, the end among them, and the logits that each was chosen by."""
    ids, logits, cache = [], [], None
    following = torch.tensor([prompt])
    while len(ids) < most and not (ids and ids[-1] in ends):
        out = model(following, past_key_values=cache, use_cache=True)
        cache = out.past_key_values
        logits.append(out.logits[0, -1].float().numpy())
        ids.append(int(logits[-1].argmax()))
        following = torch.tensor([ids[-1:]])
    return ids, numpy.stack(logits)


@torch.inference_mode()
def forced(model, prompt, ids):
    """The logits that the model would have chosen each of these tokens by."""
    return model(torch.tensor([prompt + ids[:-1]])).logits[0, len(prompt) - 1:].float().numpy()


def forced_by_llama(model, prompt, ids):
    model.reset()
    model.eval(prompt + ids[:-1])
    return numpy.array(model.scores[len(prompt) - 1:len(prompt) + len(ids) - 1])


def margins(logits):
    two = numpy.partition(logits, -2, axis=-1)
    return two[:, -1] - two[:, -2]


def compare(name, rows, logits_of, tolerance):
    """Whether a form chooses the tokens of `rows`, (prompt, ids, logits), at every step that is not left to the last bits, by nearly the
    same logits: what is a little wrong throughout may still choose the same."""
    same, close, wrong, furthest = 0, 0, [], 0.0
    for number, (prompt, ids, logits) in enumerate(rows):
        own = logits_of(prompt, ids)
        furthest = max(furthest, float(abs(own - logits).max()))
        others = [step for step in range(len(ids)) if int(own[step].argmax()) != ids[step]]
        if not others:
            same += 1
        elif margins(logits)[others[0]] < tolerance:
            close += 1
        else:
            wrong.append(f"text {number + 1}, token {others[0] + 1}: a lead of {margins(logits)[others[0]]:.4f}")
    check(
        not wrong and furthest <= tolerance / 2,
        f"{name}: {same} of {len(rows)} answers are the same, {close} part where two logits lie within {tolerance}, {len(wrong)} elsewhere; "
        f"logits differ by {furthest:.1e} at most {wrong[:3] or ''}")


def main():
    with open(test, encoding="utf-8", newline="") as lines:
        texts = [" ".join(row["text"].split()) for row in csv.DictReader(lines)][:options.texts]
    with tempfile.TemporaryDirectory() as folder:
        place = lambda name: os.path.join(folder, name)
        with open(place("texts.jsonl"), "w", encoding="utf-8") as file:
            file.writelines(json.dumps({"text": text}) + "\n" for text in texts)
        run(
            folder, f"load {train} --name all", "interface define --from all",
            f"load {train} --sample {options.taught} --name taught", "label simulate", f"prompt set --preset {options.prompt}",
            "finetune --base smollm2 --epochs 1 --name tuned", "export model smollm2 --model smollm2 --merge",
            "export model --gguf base.gguf --model smollm2", "export model lora --model tuned",
            "export model merged --model tuned --merge", "export model --gguf exact.gguf --f32 --model tuned",
            "export model --gguf small.gguf --model tuned", "export finetune taught.jsonl --model tuned")
        answers = run(folder, "classify --model tuned --file texts.jsonl")
        prompts = [answer["prompt_ids"] for answer in answers]

        model, tokenizer, prompt, printed = by_readme(place("merged"))
        whole = [prompt.replace("{text}", text) for text in texts]
        read = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in whole]
        count = sum(one == other for one, other in zip(read, prompts, strict=True))
        check(count == len(texts), f"tokens: transformers reads {count} of {len(texts)} prompts as fettle does")
        with open(place("taught.jsonl"), encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        start, end = prompt.split("{text}")
        count = sum(row["prompt"].startswith(start) and row["prompt"].endswith(end) for row in rows)
        check(count == options.taught == len(rows), f"export finetune: {count} of {len(rows)} prompts are the README's")

        ends = set(model.generation_config.eos_token_id)
        most = max(10, max(len(tokenizer(row["completion"])["input_ids"]) for row in rows))
        check(
            all(tokenizer(row["completion"])["input_ids"][-1] in ends for row in rows),
            f"export finetune: each completion ends as an answer does, by one of the tokens {sorted(ends)}")
        rows = []
        same, close, wrong = 0, 0, []
        for number, (prompt_ids, answer) in enumerate(zip(prompts, answers)):
            ids, logits = written(model, prompt_ids, ends, most)
            rows.append((prompt_ids, ids, logits))
            text = tokenizer.decode(ids[:-1] if ids[-1] in ends else ids, skip_special_tokens=True)
            if text == answer["answer"]:
                same += 1
            elif margins(logits).min() < EXACT:
                close += 1
            else:
                wrong.append(f"text {number + 1}: fettle {answer['answer']!r}, transformers {text!r}")
        check(
            not wrong,
            f"transformers, --merge: {same} of {len(texts)} answers are the same, {close} part where two logits lie within {EXACT}, "
            f"{len(wrong)} elsewhere {wrong[:3] or ''}")
        print(f"  {len(set(answer['answer'] for answer in answers))} different answers, {sum(len(row[1]) for row in rows)} tokens")

        # Byte for byte what transformers itself makes of the GGUF file.
        own = AutoModelForCausalLM.from_pretrained(folder, gguf_file="base.gguf", dtype=torch.float32).state_dict()
        base = AutoModelForCausalLM.from_pretrained(place("smollm2"), dtype=torch.float32).eval()
        count = sum(torch.equal(tensor, own[name]) for name, tensor in base.state_dict().items())
        check(count == len(own), f"base: {count} of {len(own)} tensors are those that transformers reads from the GGUF file")
        change = max(float(abs(forced(base, *row[:2]) - row[2]).max()) for row in rows[:5])
        check(change > 1, f"base: its logits are {change:.1f} away, so the comparisons tell")
        del own, base, model

        peft, _, _, by_peft = by_readme(place("lora"))
        check(by_peft == printed, f"README: peft writes {by_peft!r}, transformers {printed!r}")
        compare("peft, LoRA", rows, lambda *row: forced(peft, *row), EXACT)
        del peft

        longest = max(len(row[0]) + len(row[1]) for row in rows)
        for name, tolerance in (("exact.gguf", EXACT), ("small.gguf", ROUNDED)):
            llama = llama_cpp.Llama(
                place(name), n_ctx=longest + 8, n_batch=longest + 8, logits_all=True, verbose=False, n_threads=os.cpu_count(),
                type_k=llama_cpp.GGML_TYPE_F32, type_v=llama_cpp.GGML_TYPE_F32)
            count = sum(llama.tokenize(text.encode(), add_bos=False, special=True) == ids for text, ids in zip(whole, prompts))
            check(count == len(texts), f"llama.cpp, {name}: reads {count} of {len(texts)} prompts as fettle does")
            check(
                llama.metadata.get("tokenizer.chat_template") == tokenizer.chat_template,
                f"llama.cpp, {name}: the chat template is transformers' own")
            compare(f"llama.cpp, {name}", rows, lambda *row: forced_by_llama(llama, *row), tolerance)
            del llama
    sys.exit(bool(failed))


main()

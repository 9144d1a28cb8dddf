#!/usr/bin/env python3
"""What a user would take instead of fettle, on this machine: PyTorch and transformers, ONNX Runtime, Hugging Face's
tokenizers, scikit-learn, llama.cpp. `make bench` runs these beside fettle, each as a process of its own.

    peers.py check                        says whether the packages are here
    peers.py finetune MODEL TRAIN [TEST]  full fine-tuning with PyTorch
    peers.py embed MODEL FILE ...         mean-pooled vectors with PyTorch or ONNX Runtime
    peers.py tokenize MODEL FILE ...      WordPiece with tokenizers, on one thread
    peers.py linear FEATURES TRAIN        logistic regression with scikit-learn on features that fettle wrote
    peers.py generate GGUF FILE           a language model's answers with transformers or llama-cpp-python
    peers.py finetune-language GGUF TRAIN LoRA of a language model with PyTorch and peft
    peers.py serve GGUF|MODEL             a server: llama-cpp-python's, or embeddings with FastAPI and PyTorch

MODEL is a folder with config.json, model.safetensors and vocab.txt. TRAIN, TEST and FILE hold `text|category` lines. The
answer is one line of JSON; tokens_per_second counts the texts' own tokens, never padding.

needs: pip install torch transformers tokenizers safetensors numpy onnx onnxruntime scikit-learn gguf 'llama-cpp-python[server]' peft fastapi uvicorn
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
    "numpy": "numpy", "onnx": "onnx", "onnxruntime": "onnxruntime", "sklearn": "scikit-learn", "gguf": "gguf",
    "llama_cpp": "llama-cpp-python", "peft": "peft",
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


def prompts_of(file, count):
    """As `fettle-bench generate` writes them."""
    texts, names = with_names(file)
    return [prompt(texts[place % len(texts)], names) for place in range(count)]


def with_names(file):
    texts, categories = read([file])
    return texts, [category.replace("&", "AND") for category in categories]


def prompt(text, names):
    instruction = f"Classify the text of the following message as exactly one of the following: {', '.join(sorted(set(names)))}."
    return f"{instruction}\nmessage: {text}\ncategory:"


def generate(options):
    prompts = prompts_of(options.file, options.texts)
    run = with_llama_cpp if options.peer == "llama-cpp" else with_transformers
    seconds, (processor, answers) = run(options, prompts)
    answer(
        peer=options.peer, texts=len(prompts), written=sum(map(len, answers)), seconds=round(seconds, 3),
        predictions_per_second=round(len(prompts) / seconds, 3), cpu_seconds=round(processor, 2))


NEW_TOKENS = 10


def with_processor_time(body):
    """The time of all cores that it takes, which other programs disturb less, and what it gives."""
    start = time.process_time()
    result = body()
    return time.process_time() - start, result


def with_llama_cpp(options, prompts):
    """`generate` keeps the keys and values of what a prompt begins with like the one before."""
    from llama_cpp import Llama

    threads = options.threads or os.cpu_count()
    llama = Llama(model_path=options.model, n_ctx=2048, n_threads=threads, n_threads_batch=threads, verbose=False)
    rows = [llama.tokenize(prompt.encode(), add_bos=False, special=False) for prompt in prompts]
    (end,) = llama.tokenize(b"\n", add_bos=False)

    def one(row):
        answered = []
        for token in llama.generate(row, temp=0.0):
            answered.append(token)
            if token == end or len(answered) == NEW_TOKENS:
                break
        return answered

    return fastest(1, lambda: with_processor_time(lambda: [one(row) for row in rows]))


def with_transformers(options, prompts):
    import torch

    if options.threads:
        torch.set_num_threads(options.threads)
    model, cut = llama_of(options.model)
    model = model.to(torch.bfloat16 if options.peer == "transformers-bf16" else torch.float32).eval()
    rows = [cut.encode(prompt, add_special_tokens=False).ids for prompt in prompts]
    (end,) = cut.encode("\n", add_special_tokens=False).ids

    def run():
        answers = []
        for places in by_length(rows, options.batch):
            longest = max(len(rows[place]) for place in places)
            ids = torch.tensor([[end] * (longest - len(rows[place])) + rows[place] for place in places])
            mask = torch.tensor([[0] * (longest - len(rows[place])) + [1] * len(rows[place]) for place in places])
            written = model.generate(
                input_ids=ids, attention_mask=mask, max_new_tokens=NEW_TOKENS, do_sample=False, eos_token_id=end,
                pad_token_id=end)
            for row in written[:, longest:].tolist():
                answers.append(row[: row.index(end) + 1] if end in row else row)
        return answers

    with torch.inference_mode():
        return fastest(1, lambda: with_processor_time(run))


def finetune_language(options):
    """LoRA as peft does it, on all seven projections, in padded batches of like length; the loss is the completions' alone, and
    only their states go through the output matrix."""
    import peft
    import torch

    torch.manual_seed(options.seed)
    random.seed(options.seed)
    if options.threads:
        torch.set_num_threads(options.threads)
    model, cut = llama_of(options.model)
    if options.precision == "bf16":
        model = model.to(torch.bfloat16)
    model = peft.get_peft_model(model, peft.LoraConfig(
        r=8, lora_alpha=16, lora_dropout=0.0, task_type="CAUSAL_LM",
        target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]))
    for weights in model.parameters():
        if weights.requires_grad:
            weights.data = weights.data.float()
    inner = model.base_model.model
    texts, names = with_names(options.train)

    def ids(text):
        return cut.encode(text, add_special_tokens=False).ids

    rows = [
        (ids(prompt(text, names)), ids(f" {name}\n")) for text, name in list(zip(texts, names))[: options.examples]]
    learned = [weights for weights in model.parameters() if weights.requires_grad]
    optimiser = torch.optim.AdamW(learned, lr=options.rate, weight_decay=0.0)
    steps = options.epochs * -(-len(rows) // options.batch)
    rise = 0.06 * steps
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / rise, max(0, (steps - step) / (steps - rise))))

    def epoch_batches():
        order = random.sample(range(len(rows)), len(rows))
        batches = []
        for start in range(0, len(order), 10 * options.batch):
            part = sorted(order[start : start + 10 * options.batch], key=lambda place: sum(map(len, rows[place])))
            batches += [part[first : first + options.batch] for first in range(0, len(part), options.batch)]
        random.shuffle(batches)
        return batches

    model.train()
    start, losses = time.perf_counter(), []
    for _ in range(options.epochs):
        sum_of_losses = 0.0
        for places in epoch_batches():
            batch = [rows[place] for place in places]
            tokens, mask = padded([first + then for first, then in batch])
            wanted = torch.full(tokens.shape, -100)
            for row, (first, then) in enumerate(batch):
                wanted[row, len(first) - 1 : len(first) + len(then) - 1] = torch.tensor(then)
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=options.precision == "bf16"):
                states = inner.model(input_ids=tokens, attention_mask=mask, use_cache=False).last_hidden_state
                chosen = wanted != -100
                logits = inner.lm_head(states[chosen])
            loss = torch.nn.functional.cross_entropy(logits.float(), wanted[chosen])
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(learned, 1.0)
            optimiser.step()
            schedule.step()
            sum_of_losses += loss.item() * int(chosen.sum())
        losses.append(round(sum_of_losses / sum(len(then) for _, then in rows), 4))
    seconds = time.perf_counter() - start
    tokens = options.epochs * sum(len(first) + len(then) for first, then in rows)
    answer(
        peer="peft", precision=options.precision, examples=len(rows), tokens=tokens, seconds=round(seconds, 3),
        tokens_per_second=round(tokens / seconds, 1), loss_by_epoch=losses,
        trainable_parameters=sum(weights.numel() for weights in learned))


def serve(options):
    """Says `Serving on http://127.0.0.1:PORT` on standard error once it can be asked, and ends with SIGTERM."""
    import socket

    import uvicorn

    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))

    class Server(uvicorn.Server):
        async def startup(self, sockets=None):
            await super().startup(sockets)
            print(f"Serving on http://127.0.0.1:{listener.getsockname()[1]}", file=sys.stderr, flush=True)

    app = llama_cpp_app(options) if options.peer == "llama-cpp" else embeddings_app(options)
    Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listener])


def llama_cpp_app(options):
    from llama_cpp.server.app import create_app
    from llama_cpp.server.settings import ModelSettings, ServerSettings

    threads = options.threads or os.cpu_count()
    return create_app(server_settings=ServerSettings(), model_settings=[ModelSettings(
        model=options.model, model_alias="smollm2", n_ctx=2048, n_threads=threads, n_threads_batch=threads, verbose=False)])


def embeddings_app(options):
    """As one would write it with FastAPI: `alone` answers one request after another, `threads` in FastAPI's threads, which share
    PyTorch's, and `batched` computes together what has come meanwhile."""
    import asyncio
    import base64

    import torch
    from fastapi import FastAPI
    from pydantic import BaseModel

    if options.threads:
        torch.set_num_threads(options.threads)
    encoder = model(options.model).eval()
    encoder.pooler = None
    cut = tokenizer(options.model, 256)

    def vectors(texts):
        rows = [encoding.ids for encoding in cut.encode_batch(texts)]
        ids, mask = padded(rows)
        with torch.inference_mode():
            states = encoder(input_ids=ids, attention_mask=mask).last_hidden_state
            share = mask[:, :, None]
            means = torch.nn.functional.normalize((states * share).sum(1) / share.sum(1), dim=1)
        return means.numpy(), [len(row) for row in rows]

    class Request(BaseModel):
        model: str
        input: str | list[str]
        encoding_format: str = "float"

    def texts_of(request):
        return [request.input] if isinstance(request.input, str) else request.input

    def answered(request, means, counts):
        def shown(mean):
            return base64.b64encode(mean.tobytes()).decode() if request.encoding_format == "base64" else mean.tolist()

        return {
            "object": "list", "model": request.model,
            "data": [{"object": "embedding", "index": index, "embedding": shown(mean)} for index, mean in enumerate(means)],
            "usage": {"prompt_tokens": sum(counts), "total_tokens": sum(counts)}}

    app = FastAPI()
    waiting, worker = asyncio.Queue(), []

    async def batches():
        loop = asyncio.get_running_loop()
        while True:
            batch = [await waiting.get()]
            while not waiting.empty() and len(batch) < 64:
                batch.append(waiting.get_nowait())
            means, counts = await loop.run_in_executor(None, vectors, [text for texts, _ in batch for text in texts])
            start = 0
            for texts, done in batch:
                done.set_result((means[start : start + len(texts)], counts[start : start + len(texts)]))
                start += len(texts)

    if options.peer == "embeddings-threads":
        @app.post("/v1/embeddings")
        def embeddings(request: Request):
            return answered(request, *vectors(texts_of(request)))
    elif options.peer == "embeddings-batched":
        @app.post("/v1/embeddings")
        async def embeddings(request: Request):
            if not worker:
                worker.append(asyncio.create_task(batches()))
            done = asyncio.get_running_loop().create_future()
            waiting.put_nowait((texts_of(request), done))
            return answered(request, *await done)
    else:
        @app.post("/v1/embeddings")
        async def embeddings(request: Request):
            return answered(request, *vectors(texts_of(request)))
    return app


def llama_of(file):
    """The model and the tokenizer of a GGUF file, by gguf-py: transformers' own loading leaves SmolLM's digits together."""
    import gguf
    import torch
    from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM

    reader = gguf.GGUFReader(file)
    field = {key: value.contents() for key, value in reader.fields.items()}
    tokens = field["tokenizer.ggml.tokens"]
    cut = Tokenizer(models.BPE(
        vocab={token: number for number, token in enumerate(tokens)},
        merges=[tuple(merge.split(" ")) for merge in field["tokenizer.ggml.merges"]]))
    digits = [pre_tokenizers.Digits(individual_digits=True)] if field["tokenizer.ggml.pre"] == "smollm" else []
    cut.pre_tokenizer = pre_tokenizers.Sequence(
        digits + [pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)])
    cut.add_special_tokens([
        AddedToken(token, special=True, normalized=False)
        for token, kind in zip(tokens, field["tokenizer.ggml.token_type"]) if kind == 3])

    heads, key_heads = field["llama.attention.head_count"], field["llama.attention.head_count_kv"]
    model = LlamaForCausalLM(LlamaConfig(
        vocab_size=len(tokens), hidden_size=field["llama.embedding_length"],
        intermediate_size=field["llama.feed_forward_length"], num_hidden_layers=field["llama.block_count"],
        num_attention_heads=heads, num_key_value_heads=key_heads, head_dim=field["llama.rope.dimension_count"],
        max_position_embeddings=field["llama.context_length"],
        rms_norm_eps=field["llama.attention.layer_norm_rms_epsilon"],
        rope_parameters={"rope_type": "default", "rope_theta": field["llama.rope.freq_base"]}, tie_word_embeddings=True))
    parts = {
        "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
        "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
        "ffn_down": "mlp.down_proj", "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm"}
    others = {"token_embd": "model.embed_tokens", "output_norm": "model.norm"}
    state = {}
    for tensor in reader.tensors:
        weights = torch.from_numpy(gguf.dequantize(tensor.data, tensor.tensor_type).copy())
        name = tensor.name.split(".")
        if name[0] != "blk":
            state[f"{others[name[0]]}.weight"] = weights
            continue
        if name[2] in ("attn_q", "attn_k"):
            # GGUF keeps each head's rows in pairs, for its own way of rotating.
            count = heads if name[2] == "attn_q" else key_heads
            weights = weights.reshape(count, weights.shape[0] // count // 2, 2, -1).swapaxes(1, 2).reshape(weights.shape)
        state[f"model.layers.{name[1]}.{parts[name[2]]}.weight"] = weights
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert missing == ["lm_head.weight"] and not unexpected, (missing, unexpected)
    model.tie_weights()
    return model, cut


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
    made = verb("generate", generate)
    made.add_argument("model")
    made.add_argument("file")
    made.add_argument("--peer", choices=["transformers-f32", "transformers-bf16", "llama-cpp"], default="transformers-f32")
    made.add_argument("--texts", type=int, default=800)
    made.add_argument("--batch", type=int, default=25)
    made.add_argument("--threads", type=int)
    made = verb("finetune-language", finetune_language)
    made.add_argument("model")
    made.add_argument("train")
    made.add_argument("--examples", type=int)
    made.add_argument("--epochs", type=int, default=1)
    made.add_argument("--batch", type=int, default=8)
    made.add_argument("--rate", type=float, default=2e-3)
    made.add_argument("--precision", choices=["f32", "bf16"], default="f32")
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--threads", type=int)
    made = verb("serve", serve)
    made.add_argument("model")
    made.add_argument(
        "--peer", choices=["llama-cpp", "embeddings-alone", "embeddings-threads", "embeddings-batched"],
        default="llama-cpp")
    made.add_argument("--threads", type=int)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()

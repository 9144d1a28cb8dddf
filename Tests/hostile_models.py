"""Models that are not what they say: files for `model install --from` that have to be refused, each with the word that names why.

They are made from the small Llama of the tests: a folder of Hugging Face's kind, or a GGUF file taken apart and put together with
something wrong in it.
"""

import json
import shutil
import struct
from pathlib import Path

LLAMA = Path(__file__).resolve().parent / "EncoderTests/Reference/tiny-llama"
U32, I32, F32, BOOL, STRING, ARRAY, U64 = 4, 5, 6, 7, 8, 9, 10


def u32(number):
    return struct.pack("<I", number)


def u64(number):
    return struct.pack("<Q", number)


def text(string):
    data = string if isinstance(string, bytes) else string.encode()
    return u64(len(data)) + data


def array(kind, elements, count=None):
    return u32(kind) + u64(len(elements) if count is None else count) + b"".join(elements)


class GGUF:
    """Keys as [name, type, bytes], tensors as [name, dimensions, type, offset or None, bytes]."""

    def __init__(self, path):
        self.data, self.at = path.read_bytes(), 24
        tensors, keys = struct.unpack_from("<QQ", self.data, 8)
        self.keys = [self.key() for _ in range(keys)]
        entries = [self.entry() for _ in range(tensors)]
        start = (self.at + 31) // 32 * 32
        ends = sorted(entry[3] for entry in entries) + [len(self.data) - start]
        self.tensors = [
            [name, dimensions, kind, None, self.data[start + offset:start + ends[ends.index(offset) + 1]]]
            for name, dimensions, kind, offset in entries]

    def number(self, form):
        value = struct.unpack_from("<" + form, self.data, self.at)[0]
        self.at += struct.calcsize(form)
        return value

    def string(self):
        length = self.number("Q")
        self.at += length
        return self.data[self.at - length:self.at]

    def skip(self, kind):
        if kind == STRING:
            self.string()
        elif kind == ARRAY:
            inner, count = self.number("I"), self.number("Q")
            for _ in range(count):
                self.skip(inner)
        else:
            self.at += {0: 1, 1: 1, 2: 2, 3: 2, 7: 1, 10: 8, 11: 8, 12: 8}.get(kind, 4)

    def key(self):
        name, kind = self.string().decode(), self.number("I")
        start = self.at
        self.skip(kind)
        return [name, kind, self.data[start:self.at]]

    def entry(self):
        name = self.string().decode()
        dimensions = [self.number("Q") for _ in range(self.number("I"))]
        return [name, dimensions, self.number("I"), self.number("Q")]

    def set(self, name, kind, data):
        self.keys = [key for key in self.keys if key[0] != name] + [[name, kind, data]]
        return self

    def drop(self, name):
        self.keys = [key for key in self.keys if key[0] != name]
        self.tensors = [tensor for tensor in self.tensors if tensor[0] != name]
        return self

    def tensor(self, name):
        return next(tensor for tensor in self.tensors if tensor[0] == name)

    def bytes(self, tensors=None, keys=None):
        data = b"GGUF" + u32(3) + u64(len(self.tensors) if tensors is None else tensors)
        data += u64(len(self.keys) if keys is None else keys)
        for name, kind, value in self.keys:
            data += text(name) + u32(kind) + value
        numbers = b""
        for name, dimensions, kind, offset, values in self.tensors:
            data += text(name) + u32(len(dimensions)) + b"".join(map(u64, dimensions)) + u32(kind)
            data += u64(len(numbers) if offset is None else offset)
            numbers += values + bytes(-len(values) % 32)
        return data + bytes(-len(data) % 32) + numbers


def changed(number, place, value):
    """A GGUF whose tensor has another entry: 1 dimensions, 2 type, 3 offset."""
    def make():
        file = GGUF(LLAMA / "model-q8_0.gguf")
        file.tensor(number)[place] = value
        return file.bytes()
    return make


def with_key(name, kind, data):
    return lambda: GGUF(LLAMA / "model-q8_0.gguf").set(name, kind, data).bytes()


def whole():
    return (LLAMA / "model-q8_0.gguf").read_bytes()


def flipped():
    """One bit of a tensor's name."""
    data = bytearray(whole())
    data[data.index(b"blk.0.attn_q")] ^= 1
    return bytes(data)


def twice():
    file = GGUF(LLAMA / "model-q8_0.gguf")
    file.tensors.append(file.tensors[0])
    return file.bytes()


def nested(depth):
    value = array(U32, [u32(1)])
    for _ in range(depth):
        value = array(ARRAY, [value])
    return value


def tokens(change):
    def make():
        file = GGUF(LLAMA / "model-q8_0.gguf")
        file.at = 0
        file.data = next(key[2] for key in file.keys if key[0] == "tokenizer.ggml.tokens")
        file.number("I")
        names = [file.string() for _ in range(file.number("Q"))]
        return file.set("tokenizer.ggml.tokens", ARRAY, array(STRING, [text(name) for name in change(names)])).bytes()
    return make


# Each with a word of the sentence that refuses it.
GGUFS = {
    "nothing": (lambda: b"", "it is empty"),
    "cut in its header": (lambda: whole()[:13], "it ends within"),
    "cut in its keys": (lambda: whole()[:300], "it ends within"),
    "cut in its numbers": (lambda: whole()[:-5000], "of"),
    "a bit of a name flipped": (flipped, "lack the tensor"),
    "2^60 tensors": (lambda: GGUF(LLAMA / "model-q8_0.gguf").bytes(tensors=1 << 60), "claims a length of"),
    "2^60 keys": (lambda: GGUF(LLAMA / "model-q8_0.gguf").bytes(keys=1 << 60), "claims a length of"),
    "a string of 2^63": (with_key("x", STRING, u64(1 << 63)), "claims a length of"),
    "four million tokens": (
        with_key("tokenizer.ggml.tokens", ARRAY, u32(STRING) + u64(1 << 22) + bytes(8 << 22)), "claims a length of"),
    "a token of a megabyte": (
        lambda: GGUF(LLAMA / "model-q8_0.gguf").set("tokenizer.ggml.tokens", ARRAY, array(STRING, [text("a" * 1_000_000)]))
        .set("tokenizer.ggml.token_type", ARRAY, array(I32, [u32(4)])).bytes(), "its token 0"),
    "an array of 2^62": (with_key("x", ARRAY, array(U32, [], count=1 << 62)), "claims a length of"),
    "arrays of arrays": (with_key("x", ARRAY, nested(5000)), "nested deeper"),
    "an unknown value": (with_key("x", 77, b""), "unknown type"),
    "an offset beyond the end": (changed("output_norm.weight", 3, (1 << 64) - 32), "begins at byte"),
    "an odd offset": (changed("output_norm.weight", 3, 33), "no multiple of 32"),
    "overlapping tensors": (changed("output_norm.weight", 3, 0), "overlap"),
    "a dimension of zero": (changed("output_norm.weight", 1, [0]), "impossible shape"),
    "dimensions that overflow": (changed("token_embd.weight", 1, [1 << 40, 1 << 40]), "impossible shape"),
    "a tensor twice": (twice, "twice"),
    "an unknown type": (changed("token_embd.weight", 2, 99), "number 99"),
    "an unread quantisation": (changed("token_embd.weight", 2, 19), "IQ1_S"),
    "another architecture": (with_key("general.architecture", STRING, text("mamba")), "mamba"),
    "an architecture of a megabyte": (with_key("general.architecture", STRING, text("a" * 1_000_000)), "general.architecture"),
    "an architecture that is a number": (with_key("general.architecture", U32, u32(1)), "does not hold text"),
    "a split model": (with_key("split.count", U32, u32(4)), "4 parts"),
    "scaled positions": (with_key("llama.rope.scaling.type", STRING, text("yarn")), "scaled by yarn"),
    "another pre-tokenizer": (with_key("tokenizer.ggml.pre", STRING, text("tekken")), "tekken"),
    "another tokenizer": (with_key("tokenizer.ggml.model", STRING, text("llama")), "its tokenizer is llama"),
    "a token that is no UTF-8": (tokens(lambda names: [*names[:-1], b"\xff\xfe"]), "no UTF-8"),
    "more tokens than rows": (tokens(lambda names: names + [b"zzz%d" % n for n in range(100)]), "token"),
    "one token": (tokens(lambda names: names[:1]), "token"),
    "merges of unknown tokens": (with_key("tokenizer.ggml.merges", ARRAY, array(STRING, [text("qq zz")])), "merge 0"),
    "no blocks": (with_key("llama.block_count", U32, u32(0)), "num_hidden_layers is 0"),
    "10^9 blocks": (with_key("llama.block_count", U32, u32(10**9)), "num_hidden_layers is 1000000000"),
    "a block more": (with_key("llama.block_count", U32, u32(4)), "lack the tensor"),
    "no heads": (with_key("llama.attention.head_count", U32, u32(0)), "num_attention_heads is 0"),
    "heads that do not divide": (with_key("llama.attention.head_count_kv", U32, u32(3)), "does not divide"),
    "a negative size": (with_key("llama.embedding_length", I32, struct.pack("<i", -64)), "hidden_size is -64"),
    "another size": (with_key("llama.embedding_length", U32, u32(128)), "has the shape"),
    "an epsilon of NaN": (with_key("llama.attention.layer_norm_rms_epsilon", F32, struct.pack("<f", float("nan"))), "rms_norm_eps"),
    "a theta of 0": (with_key("llama.rope.freq_base", F32, struct.pack("<f", 0)), "rope_theta is 0"),
    "a theta of NaN": (with_key("llama.rope.freq_base", F32, struct.pack("<f", float("nan"))), "rope_theta is nan"),
}

CONFIGURATIONS = {
    "10^9 layers": ({"num_hidden_layers": 10**9}, "num_hidden_layers is 1000000000"),
    "10^30 layers": ({"num_hidden_layers": 10**30}, "not well-formed JSON"),
    "hidden 0": ({"hidden_size": 0}, "hidden_size is 0"),
    "hidden -1": ({"hidden_size": -1}, "hidden_size is -1"),
    "hidden of text": ({"hidden_size": "64"}, "hidden_size has a value of the wrong kind"),
    "heads that do not divide": ({"num_key_value_heads": 3}, "does not divide"),
    "heads of 2^62": ({"num_attention_heads": 1 << 62}, "num_attention_heads is"),
    "an odd head": ({"head_dim": 17}, "head_dim is 17"),
    "theta 0": ({"rope_parameters": {"rope_theta": 0, "rope_type": "default"}}, "rope_theta is 0"),
    "theta -1": ({"rope_parameters": {"rope_theta": -1, "rope_type": "default"}}, "rope_theta is -1"),
    "theta 1e999": ('"rope_theta": 1e999', ""),
    "epsilon -1": ({"rms_norm_eps": -1}, "rms_norm_eps is -1"),
    "epsilon NaN": ('"rms_norm_eps": NaN', ""),
    "yarn": ({"rope_scaling": {"rope_type": "yarn", "factor": 4}}, "scaled by yarn"),
    "another activation": ({"hidden_act": "gelu"}, "hidden_act is gelu"),
    "another family": ({"model_type": "mamba"}, "mamba"),
    "a family of escapes": ({"model_type": "\u001b[2J" * 1000}, "model_type is"),
    "a larger vocabulary": ({"vocab_size": 100_000}, "has the shape"),
    "a smaller vocabulary": ({"vocab_size": 10}, "tokens"),
    "a vocabulary of 2^62": ({"vocab_size": 1 << 62}, "vocab_size is"),
    "positions of 2^62": ({"max_position_embeddings": 1 << 62}, "max_position_embeddings is"),
    "deeply nested": ('"x": ' + "[" * 100_000 + "]" * 100_000, ""),
}


def tokenizer(change):
    def make():
        content = json.loads((LLAMA / "tokenizer.json").read_text())
        change(content)
        return json.dumps(content)
    return make


TOKENIZERS = {
    "no tokenizer": (lambda: None, "tokenizer.json"),
    "no JSON": (lambda: "{", "tokenizer.json"),
    "nested objects": (lambda: '{"model": ' * 50_000 + "1" + "}" * 50_000, "tokenizer.json"),
    "sequences of sequences": (
        lambda: (LLAMA / "tokenizer.json").read_text().replace(
            '"normalizer":', '"normalizer":' + '{"type":"Sequence","normalizers":[' * 20_000 + "]}" * 20_000 + ',"x":', 1),
        "tokenizer.json"),
    "giant merges": (tokenizer(lambda t: t["model"].update(merges=["a" * 400_000 + " b"] * 2)), "merge 0"),
    "merges that are no pairs": (tokenizer(lambda t: t["model"].update(merges=["a b c"])), "merge 0"),
    "merges of what is merged later": (tokenizer(lambda t: t["model"].update(merges=["ab a", "a ba"])), "merge 0"),
    "one number for two tokens": (tokenizer(lambda t: t["model"].update(vocab={"a": 0, "b": 0})), "tokenizer.json"),
    "a number of 10^18": (tokenizer(lambda t: t["model"].update(vocab={"a": 10**18})), "tokenizer.json"),
    "an added token of 10^9": (tokenizer(lambda t: t["added_tokens"].append({"id": 10**9, "content": "x"})), "added token"),
    "WordPiece": (tokenizer(lambda t: t["model"].update(type="WordPiece")), "BPE"),
    "byte_fallback": (tokenizer(lambda t: t["model"].update(byte_fallback=True)), "byte_fallback"),
    "another pre-tokenizer": (tokenizer(lambda t: t.update(pre_tokenizer={"type": "Metaspace"})), "Metaspace"),
    "another normalizer": (tokenizer(lambda t: t.update(normalizer={"type": "NFKC"})), "NFKC"),
}


def safetensors(change, cut=0):
    def make():
        data = (LLAMA / "model.safetensors").read_bytes()
        length = struct.unpack_from("<Q", data)[0]
        header = json.loads(data[8:8 + length])
        change(header)
        written = json.dumps(header).encode()
        return u64(len(written)) + written + data[8 + length:len(data) - cut]
    return make


QUERY = "model.layers.0.self_attn.q_proj.weight"
WEIGHTS = {
    "a tensor missing": (safetensors(lambda h: h.pop(QUERY)), QUERY),
    "a tensor misshapen": (safetensors(lambda h: h[QUERY].update(shape=[1, h[QUERY]["shape"][0] * h[QUERY]["shape"][1]])), QUERY),
    "tensors that overlap": (
        safetensors(lambda h: h[QUERY].update(data_offsets=[0, h[QUERY]["data_offsets"][1] - h[QUERY]["data_offsets"][0]])), "overlap"),
    "a tensor of negative rows": (safetensors(lambda h: h[QUERY].update(shape=[-1, -1])), QUERY),
    "a tensor of 2^80 numbers": (safetensors(lambda h: h[QUERY].update(shape=[1 << 40, 1 << 40])), QUERY),
    "a tensor of integers": (safetensors(lambda h: h[QUERY].update(dtype="I32")), "I32"),
    "a place beyond the end": (safetensors(lambda h: None, cut=1000), "ends at byte"),
    "a header of 2^63": (lambda: u64(1 << 63) + b"{}", "header claims"),
    "a header of nothing": (lambda: b"", "empty"),
    "a header that is no JSON": (lambda: u64(2) + b"{{", "JSON"),
    "a nested header": (lambda: u64(200_000) + b"[" * 100_000 + b"]" * 100_000, "JSON"),
}


def folder(place, **files):
    """The small Llama with other files; None leaves one out."""
    place.mkdir(parents=True)
    for name in ["config.json", "tokenizer.json", "model.safetensors"]:
        content = files.get(name.split(".")[0], LLAMA / name)
        if isinstance(content, Path):
            shutil.copy(content, place / name)
        elif content is not None:
            (place / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return place


def configuration(change):
    content = json.loads((LLAMA / "config.json").read_text())
    if isinstance(change, dict):
        return json.dumps(content | change)
    name = change.split('"')[1]
    content.pop(name, None)
    return json.dumps(content)[:-1] + ", " + change + "}"


def models(parent):
    """Name, kind, path, and what the refusal has to say."""
    for number, (name, (make, said)) in enumerate(GGUFS.items()):
        file = parent / f"gguf-{number}" / "model.gguf"
        file.parent.mkdir(parents=True)
        file.write_bytes(make())
        yield name, "gguf", file, said
    for number, (name, (change, said)) in enumerate(CONFIGURATIONS.items()):
        yield name, "config", folder(parent / f"config-{number}", config=configuration(change)), said
    for number, (name, (make, said)) in enumerate(TOKENIZERS.items()):
        yield name, "tokenizer", folder(parent / f"tokenizer-{number}", tokenizer=make()), said
    for number, (name, (make, said)) in enumerate(WEIGHTS.items()):
        yield name, "weights", folder(parent / f"weights-{number}", model=make()), said

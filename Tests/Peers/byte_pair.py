#!/usr/bin/env python3
"""Writes Tests/EncoderTests/Reference/byte-pair: a small vocabulary and what Hugging Face's tokenizers makes of nasty strings.

usage: byte_pair.py FOLDER
needs: pip install tokenizers==0.23.3

tokenizer.json    a byte-level BPE, trained on the sentences below; the bytes 0x04 and 0x06 have no token, "<tool>" is a token that
                  is added but not special, and "Ġmercury" is one that no merge makes
variants.json     what differs by pre-tokenizer: gpt-2, smollm, llama-bpe and qwen2, each as its models' own tokenizer.json has it
ids.jsonl         a text, its ids by each of the four, and what decoding those of gpt-2 gives; no text holds a special token's name
"""
import json, random, sys
from pathlib import Path
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
SENTENCES = """The harbour was quiet when the last boat came in. They're sure that we'll have weather like this until Monday.
I'd have said it's nothing, but she wouldn't listen; he's been there since the morning. You've got what I'm looking for, don't you?
WE'LL SEE WHAT THEY'VE DONE, THEY SAID. In the market a basket of apples costs three coins, and a loaf of bread costs four.
A naïve café owner in Malmö served crème brûlée. Добрый день, как ваши дела? Добрый вечер, всё хорошо. Γειά σου κόσμε, καλημέρα.
今日は天気がいいですね。明日も天気がいいでしょう。 안녕하세요 오늘 날씨가 좋습니다. नमस्ते दुनिया, नमस्ते भारत। مرحبا بالعالم، مرحبا بكم.
def read(self, name):\n    return self.files[name]\n\n\ndef write(self, name, text):\n    self.files[name] = text\n
The temperature rose, the river fell, and the mill stood still. Nothing that is written is lost; everything that's lost was written.
""".split("\n")
PIECES = [
    "'s", "'S", "’s", "'ll", "'LL", "'Ll", "’LL", "'re", "'RE", "'ve", "'VE", "'m", "'M", "'d", "'D", "'t", "'T", "'x", "''s", "'ſ", "'st", "s'",
    " ", "  ", "   ", "\t", "\n", "\r", "\r\n", "\n\n", "\x0b", "\x0c", "\x85", "\u00a0", "\u1680", "\u2003", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000",
    "\u180e", "\u200b", "\u200c", "\u200d", "\ufeff", "\u00ad", "\u2060",
    "a", "The", "river", " mercury", "mercury", "DON'T", "don't", "I'M", "naïve", "nai\u0308ve", "e\u0301", "é", "ạ\u0302", "a\u0323\u0302", "a\u0302\u0323", "\u0301", "o\u0335\u0327\u0301",
    "0", "7", "42", "123", "1234", "1234567", "3.14", "1,000", "½", "Ⅷ", "²", "①", "٣", "٣٤٥٦", "१२३४", "๑๒", "𝟘𝟙", "〇", "二", "㊷", "零",
    "日本語", "ニュース", "が", "か\u3099", "ガ", "한국어", "\u1112\u1161\u11ab", "\u1112\u1161", "中文", "𠀀𠀁", "Ωμέγα", "Ω", "K", "Å", "Добрый", "и\u0306", "й", "نص", "مَرْحَبًا", "עִבְרִית", "नमस्ते", "क़", "தமிழ்", "ไทย", "გამარჯობა",
    "😀", "👩‍🚀", "🏳️‍🌈", "👍🏽", "🇸🇪", "❤️", "™", "€", "$", "£", "…", "—", "“q”", "!!!", "?!", "...", "___", "__init__", "->", "=>", "//", "/*", "{}", "<", ">", "<|", "|>", "<tool", "<tool>", "tool>", "@", "#", "\\", "\"",
    "\x00", "\x01", "\x04", "\x06", "\x07", "\x1b", "\x7f", "\x9f", "\ue000", "\ufffd", "\U000f0000", "\U0010ffff", "\u0378", "ﬁ", "ǅ", "ʰ", "ª", "ß", "ẞ", "İ", "ı", "ﬆ",
]
CHOSEN = [
    "", " ", "  ", "\n", " \n ", "\r", "\r\r", "a\rb", "a \r b", "a\n b", "a \n\n  b", "\n\n\n", "x   ", "   x", "  5", "5  5", " 5", "a5a", "a 5 a",
    "They're WE'LL it's IT'S they’re I'm I'M I'd you'Ve", "can't've", "'tis 'twas", "' s", "'s's's", "rock'n'roll", "'ll'll", "''''", "it's.", "it''s", "O'Reilly", "l'été", "'\u0301s",
    "1234567890", "12 345 6789", "٣٤٥٦٧ १२३४५", "½½½½", "Ⅷ Ⅸ", "3½", "a1b22c333d4444", "10.000,50", "x²+y³",
    "tab\tand\ttab", "\t\tif x:\n\t\t\treturn\n", "a\u00a0b \u00a0 c", "\u3000全角\u3000 空白", "\u2028\u2029", " \u2003 \u2003x", "\x85x\x85", "\x0b\x0c",
    "!!!\n\nx", "...\r\n\r\n  y", "?! \n z", " !\n", "#\n#\n", "-\r-\r", "()\n  ()",
    "a\x04b", "The\x04 river", "th\x06e", "\x04", "\x04\x06", " \x04 ", "ri\x04ver",
    "<tool>", "a<tool>b", " <tool> ", "<tool><tool>", "<<tool>>", "  <tool>", "<tool>\n\n", "é<tool>e\u0301",
    "mercury", " mercury", "  mercury", "mercury mercury", " Mercury", "xmercury",
    "e" * 200, "the" * 100, "ab " * 60, "!" * 150, " " * 70 + "x", "\n" * 40 + "x", "😀" * 20, "\u0301" * 30, "日" * 50, "0" * 50, "aA" * 40,
    "a" + "\u0301\u0316" * 20, "q\u0307\u0323", "\u1e0b\u0323", "\u0344", "\u0958\u09dc", "\u2126\u212a\u212b", "\uf900\ufa0e", "\u1100\u1161\u11a8\u11a8", "\uac00\u11a8", "\u0b47\u0b3e", "\U0001d15e",
    "\U00020049\u0304", "\u0cc6\u0cc2\u0cd5", "<tool>\u0338", "=\u0338", "\U00011099\U000110ba",
]


def trained():
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    spelled = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    missing = {spelled.pre_tokenize_str(chr(byte))[0][0] for byte in (4, 6)}
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.train_from_iterator(SENTENCES * 3, trainers.BpeTrainer(
        vocab_size=700, special_tokens=SPECIALS, initial_alphabet=sorted(set(alphabet) - missing), show_progress=False))
    file = json.loads(tokenizer.to_str())
    file["decoder"] = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
    vocabulary = file["model"]["vocab"]
    vocabulary["Ġmercury"] = len(vocabulary)
    file["added_tokens"].append(dict(file["added_tokens"][0], id=len(vocabulary), content="<tool>", special=False))
    return file


def split(numbers):
    pattern = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|" + numbers
               + r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
    return {"type": "Sequence", "pretokenizers": [
        {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False},
        {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}]}


BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
VARIANTS = {
    "gpt-2": {"pre_tokenizer": BYTES, "normalizer": None, "ignore_merges": False},
    "smollm": {"pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": True}, BYTES]},
               "normalizer": None, "ignore_merges": False},
    "llama-bpe": {"pre_tokenizer": split(r"\p{N}{1,3}"), "normalizer": None, "ignore_merges": True},
    "qwen2": {"pre_tokenizer": split(r"\p{N}"), "normalizer": {"type": "NFC"}, "ignore_merges": False},
}


def variant(file, changes):
    changed = json.loads(json.dumps(file))
    changed["pre_tokenizer"], changed["normalizer"] = changes["pre_tokenizer"], changes["normalizer"]
    changed["model"]["ignore_merges"] = changes["ignore_merges"]
    return Tokenizer.from_str(json.dumps(changed))


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    file = trained()
    tokenizers = {name: variant(file, changes) for name, changes in VARIANTS.items()}
    rng, texts = random.Random(14), list(CHOSEN)
    while len(texts) < 340:
        texts.append("".join(rng.choice(PIECES) for _ in range(rng.randint(2, 14))))
    (folder / "tokenizer.json").write_text(json.dumps(file, ensure_ascii=False, separators=(",", ":")))
    (folder / "variants.json").write_text(json.dumps(VARIANTS, indent=1))
    with open(folder / "ids.jsonl", "w") as lines:
        for text in texts:
            ids = {name: t.encode(text, add_special_tokens=False).ids for name, t in tokenizers.items()}
            decoded = tokenizers["gpt-2"].decode(ids["gpt-2"], skip_special_tokens=False)
            lines.write(json.dumps({"text": text, "decoded": decoded, "ids": ids}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

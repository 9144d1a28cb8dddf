"""Makes Tests/EncoderTests/Reference/quantised-blocks.json: blocks of each type of number that fettle reads from a GGUF, and the numbers
that gguf-py makes of them.

    pip install gguf==0.19.0 numpy
    python3 Tests/Peers/blocks.py > Tests/EncoderTests/Reference/quantised-blocks.json
"""

import json

import numpy as np
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType
from gguf.quants import dequantize

# Where the halves stand that scale a block.
SCALES = {
    "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208],
}
# 0, -0, the least and the greatest subnormal, the least normal, 1, the greatest, infinity, not a number.
EXTREMES = [0x0000, 0x8000, 0x0001, 0x83FF, 0x0400, 0x3C00, 0x7BFF, 0xFC00, 0x7E00]


def blocks(name, random):
    kind = GGMLQuantizationType[name]
    numbers, size = GGML_QUANT_SIZES[kind]
    if name in ("F16", "BF16"):
        made = np.concatenate([np.array(EXTREMES, np.uint16), random.integers(0, 1 << 16, 55, np.uint16)]).view(np.uint8)
        return kind, made.reshape(1, -1)
    count = 12 if numbers == 32 else 5
    made = random.integers(0, 256, (count, size), np.uint8)
    for place in SCALES[name]:
        scales = random.normal(0, 0.02, count).astype(np.float16).view(np.uint16)
        # The first three blocks are as a model has them.
        extremes = EXTREMES if count == 12 else [random.choice(EXTREMES[2:6]), EXTREMES[7]]
        scales[3:] = random.permutation(extremes)
        made[:, place : place + 2] = scales.view(np.uint8).reshape(-1, 2)
    return kind, made.reshape(1, -1)


random = np.random.default_rng(14)
types = {}
for name in ["F16", "BF16", *SCALES]:
    kind, made = blocks(name, random)
    with np.errstate(all="ignore"):
        numbers = dequantize(made, kind).astype(np.float32).reshape(-1)
    types[name] = {"blocks": made.tobytes().hex(), "numbers": numbers.astype(">f4").tobytes().hex()}
made_by = "Tests/Peers/blocks.py: blocks as they stand in a file, and the bits of the f32 numbers that gguf-py makes of them, in hex"
print(json.dumps({"madeBy": made_by, "types": types}, indent=1))

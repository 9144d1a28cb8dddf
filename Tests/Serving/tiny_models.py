"""Tiny models for scripts that look at the protocol and not at what is learned."""

import atexit
import shutil
import tempfile
from pathlib import Path

REFERENCE = Path(__file__).resolve().parent.parent / "EncoderTests/Reference"


def tiny_models():
    """An environment in which a tiny encoder and a tiny language model are all that is installed."""
    folder = Path(tempfile.mkdtemp(prefix="fettle-tiny-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name in ["tiny-bert", "tiny-llama"]:
        shutil.copytree(REFERENCE / name, folder / "fettle/models" / name)
    (folder / "fettle/models/embedded").write_text("tiny-bert")
    return {"XDG_CACHE_HOME": str(folder)}

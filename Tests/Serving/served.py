"""A `fettle serve` of its own for a script: in a folder of its own, with the models that are installed or with tiny ones."""

import contextlib
import csv
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
REFERENCE = ROOT / "Tests/EncoderTests/Reference"


class Problem(Exception):
    pass


def expect(holds, what):
    if not holds:
        raise Problem(str(what))


class Served:
    def __init__(self, program, folder, real):
        self.program, self.folder, self.real = str(Path(program).resolve()), Path(folder), real
        self.environment = dict(os.environ, TERM="dumb", no_proxy="127.0.0.1,localhost")
        if not real:
            models = self.folder / "cache/fettle/models"
            models.mkdir(parents=True, exist_ok=True)
            shutil.copytree(REFERENCE / "tiny-llama", models / "tiny-llama")
            shutil.copytree(REFERENCE / "tiny-bert", models / "tiny-bert")
            (models / "embedded").write_text("tiny-bert")
            self.environment["XDG_CACHE_HOME"] = str(self.folder / "cache")
        self.process = None

    def start(self):
        self.log = open(self.folder / "serve.log", "ab")
        at = self.log.tell()
        self.process = subprocess.Popen(
            [self.program, "serve", "--port", "0"], cwd=self.folder, env=self.environment,
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            found = re.search(r"Serving on (http://127\.0\.0\.1:\d+)", self.said()[at:])
            if found:
                self.address = found.group(1)
                return self
            expect(self.process.poll() is None, self.said()[at:])
            time.sleep(0.05)
        raise Problem("it does not serve: " + self.said())

    def said(self):
        return (self.folder / "serve.log").read_text(errors="replace")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        expect(self.process.wait(60) == 0, f"it ended with {self.process.returncode}: {self.said()[-2000:]}")

    def fettle(self, *arguments):
        """What a command at the prompt's side answers, beside the server."""
        done = subprocess.run(
            [self.program, *arguments], cwd=self.folder, env=self.environment, capture_output=True, text=True)
        expect(done.returncode == 0, done.stderr)
        return done.stdout


@contextlib.contextmanager
def served(program, real=False):
    with tempfile.TemporaryDirectory(prefix="fettle-serve-") as folder:
        server = Served(program, folder, real).start()
        try:
            yield server
        finally:
            if server.process.poll() is None:
                server.kill()


def news(number, count):
    """Texts and categories of our own samples, as keys."""
    with open(ROOT / f"Samples/news-{number}.csv", newline="") as file:
        rows = list(csv.DictReader(file))[:count]
    return [(row["text"], row["category"].upper().replace("&", "AND").replace(" ", "_")) for row in rows]

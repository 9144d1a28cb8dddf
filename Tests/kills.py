#!/usr/bin/env python3
"""Kills fettle at every moment at which something becomes durable, and looks at what is left.

Each scenario runs once to be counted, then again for every fsync, fdatasync, rename, renameat2, unlinkat and rmdir that it made,
and is killed there (strace's fault injection). Then fettle is started again: its workspace has to open, nothing finished may be
lost, the installed model and the document are the old or the new one, whole, and nothing half-written stays behind. Before that
it is counted how often one `classify` waits for the disk: twice in a process of its own, once more in a shell that runs.

    Tests/kills.py [PROGRAM]      (.build/release/fettle; needs strace)
"""

import concurrent.futures
import csv
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TINY = ROOT / "Tests/EncoderTests/Reference/tiny-bert"
SMALL = ROOT / "Tests/EncoderTests/Reference/tiny-llama/model-q4_0.gguf"
MODEL_FILES = ["config.json", "vocab.txt", "model.safetensors"]
CALLS = ["fsync", "fdatasync", "rename", "renameat", "renameat2", "unlinkat", "unlink", "rmdir"]
DEADLINE = 60


class Problem(Exception):
    pass


def expect(holds, what):
    if not holds:
        raise Problem(what)


def digest(folder):
    """What stands in a model's folder; None where a file is missing."""
    paths = [folder / name for name in MODEL_FILES]
    return hashlib.sha256(b"\0".join(p.read_bytes() for p in paths)).hexdigest() if all(p.exists() for p in paths) else None


class Place:
    """A learner's folder, with a home, a cache and a folder for temporary files of its own."""

    def __init__(self, folder, program):
        self.folder, self.program = folder, program
        self.work = folder / ".fettle"
        self.cache = folder / "home/.cache/fettle/models"
        self.temporary = folder / "tmp"
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(folder / "home"), "LC_ALL": "C.UTF-8", "TERM": "dumb", "TMPDIR": str(self.temporary)}

    def make(self):
        (self.folder / "home").mkdir(parents=True)
        self.temporary.mkdir()

    def run(self, *arguments, prefix=()):
        return subprocess.run(
            [*prefix, str(self.program), *arguments], cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=DEADLINE)

    def ask(self, *arguments):
        """The last object of an answer that has to succeed."""
        outcome = self.run("--json", "--no-record", *arguments)
        expect(outcome.returncode == 0, f"{' '.join(arguments)}: status {outcome.returncode}, {outcome.stdout}{outcome.stderr}".strip())
        return json.loads(outcome.stdout.splitlines()[-1]) if outcome.stdout else {}

    def do(self, *lines):
        for line in lines:
            outcome = self.run("-c", line)
            expect(outcome.returncode == 0, f"{line}: {outcome.stdout}{outcome.stderr}")

    def install(self, source):
        expect(self.run("--no-record", "--workspace", "elsewhere", "model", "install", "--from", str(source)).returncode == 0, "no model")

    def begin(self):
        """Some work: data, labels, a tuned model, and a document of six steps."""
        rows = [["id", "text", "category"]]
        for number in range(24):
            rows.append([number, "news of the day" if number % 2 == 0 else "z y x", "WORLD" if number % 2 == 0 else "SPORTS"])
        with open(self.folder / "letters.csv", "w", newline="") as file:
            csv.writer(file).writerows(rows)
        self.install(TINY)
        expect(self.run("--seed", "7", "status").returncode == 0, "no workspace")
        self.do(
            "load letters.csv", "interface define --from letters", "label simulate", "finetune --method linear", "predict",
            "kpi")

    # What has to hold after any kill, once fettle has been started again.

    def steps(self):
        return self.ask("session", "show")["text"].count("\nfettle> ")

    def check_no_leftovers(self):
        known = {"workspace.sqlite", "workspace.sqlite-wal", "workspace.sqlite-shm", "session.md", "models", "sessions", "lock", "history"}
        strays = {path.name for path in self.work.iterdir()} - known
        expect(not strays, f"left in the workspace: {strays}")
        models = {model["name"] for model in self.ask("models")["models"]}
        folders = {path.name for path in (self.work / "models").iterdir()} if (self.work / "models").exists() else set()
        expect(folders == models, f"models {models}, folders {folders}")
        sessions = {session["name"] for session in self.ask("session", "list")["sessions"] if not session["open"]}
        asides = {path.name for path in (self.work / "sessions").iterdir()} if (self.work / "sessions").exists() else set()
        expect(asides == sessions, f"sessions {sessions}, folders {asides}")
        strays = {path.name for path in self.cache.iterdir()} - {".lock", "embedded", "tiny-bert", "model-q4_0"} if self.cache.exists() else set()
        expect(not strays, f"left in the cache: {strays}")
        mine = {path.name for path in self.folder.iterdir()}
        strays = mine - {"home", "tmp", ".fettle", "elsewhere", "letters.csv", "other", "lesson.md", "out.jsonl", "trace"}
        expect(not strays, f"left among the learner's files: {strays}")

    def check_work(self, steps=7):
        """The work of `begin`, all of it, perhaps with one step more."""
        found = self.steps()
        expect(found in (steps, steps + 1), f"{found} steps, not {steps}")
        expect(self.ask("datasets")["datasets"][0]["assets"] == 24, "the data set is not whole")


class Scenario:
    """`prepare` makes the place, `command` is killed, `check` looks at it after fettle was started again."""

    def __init__(self, name, command, prepare, check):
        self.name, self.command, self.prepare, self.check = name, command, prepare, check


def other_model(folder):
    """tiny-bert with another number in it, under the same name."""
    target = folder / "other/tiny-bert"
    target.mkdir(parents=True)
    for name in MODEL_FILES:
        shutil.copy(TINY / name, target / name)
    with open(target / "model.safetensors", "r+b") as file:
        file.seek(-4, os.SEEK_END)
        file.write(b"\x00\x00\x00\x3f")
    return target


def check_fresh_install(place):
    place.ask("status")
    place.check_no_leftovers()
    installed = place.ask("models")["embedded"]
    expect(installed in (None, "tiny-bert"), f"{installed} is installed")
    if installed:
        expect(digest(place.cache / "tiny-bert") == digest(TINY), "the installed model is not whole")
    expect(place.run("--no-record", "model", "install", "--from", str(TINY)).returncode == 0, "it cannot be installed again")
    place.ask("tokens", "news")


def check_install_over(place):
    place.ask("status")
    place.check_no_leftovers()
    expect(place.ask("models")["embedded"] == "tiny-bert", "no model is installed any more")
    expect(digest(place.cache / "tiny-bert") in (digest(TINY), digest(place.folder / "other/tiny-bert")), "it is neither the old nor the new")
    place.ask("tokens", "news")
    place.check_work()


def check_language_model(place):
    place.ask("status")
    place.check_no_leftovers()
    installed = {model["name"] for model in place.ask("models")["installed"]}
    expect(installed in ({"tiny-bert"}, {"tiny-bert", SMALL.stem}), f"{installed} are installed")
    if SMALL.stem in installed:
        expect((place.cache / SMALL.stem / SMALL.name).read_bytes() == SMALL.read_bytes(), "the language model is not whole")
    place.install(SMALL)
    expect(place.ask("models")["embedded"] == "tiny-bert", "a language model is base")
    place.check_work()


def check_session_new(place):
    place.ask("status")
    place.check_no_leftovers()
    expect(place.ask("status")["seed"] == 7, "the seed is forgotten")
    asides = [session for session in place.ask("session", "list")["sessions"] if not session["open"]]
    if asides:
        expect(place.ask("datasets")["datasets"] == [], "the new session is not empty")
        expect(len(asides) == 1, f"{len(asides)} sessions")
        place.ask("session", "open", asides[0]["name"])
    place.check_work()


def prepare_two_sessions(place):
    place.begin()
    place.do("session new --name monday", "load letters.csv --name tuesday")


def check_session_open(place):
    place.ask("status")
    place.check_no_leftovers()
    datasets = [dataset["name"] for dataset in place.ask("datasets")["datasets"]]
    asides = [session["name"] for session in place.ask("session", "list")["sessions"] if not session["open"]]
    expect((datasets, asides) in ((["tuesday"], ["monday"]), (["letters"], ["1"])), f"{datasets} is open, {asides} are not")
    if datasets == ["tuesday"]:
        place.ask("session", "open", "monday")
    place.check_work()


def check_reset(place):
    place.ask("status")
    place.check_no_leftovers()
    expect(place.ask("status")["seed"] == 7, "the seed is forgotten")
    asides = [session for session in place.ask("session", "list")["sessions"] if not session["open"]]
    if place.ask("datasets")["datasets"]:
        place.check_work()
    elif asides and (place.work / "sessions" / asides[0]["name"] / "workspace.sqlite").exists():
        place.ask("session", "open", asides[0]["name"])
        place.check_work()


def check_model(place, name, before):
    """A model is there with all that it needs, or not at all."""
    place.ask("status")
    place.check_no_leftovers()
    models = {model["name"] for model in place.ask("models")["models"]}
    expect(models - {name} == before - {name}, f"the models are {models}")
    for model in models:
        place.ask("classify", "--model", model, "news")
    place.check_work()


def prepare_lesson(place):
    place.begin()
    place.do("session save lesson.md")
    text = (place.folder / "lesson.md").read_text().replace("24 assets", "25 assets")
    (place.folder / "lesson.md").write_text(text)
    (place.folder / "other").mkdir()
    (place.folder / "other/old.md").write_text(text)
    place.run("replay", "lesson.md", "--update")
    shutil.copy(place.folder / "lesson.md", place.folder / "other/new.md")
    (place.folder / "lesson.md").write_text(text)


def check_lesson(place):
    place.ask("status")
    place.check_no_leftovers()
    text = (place.folder / "lesson.md").read_text()
    expect(text in [(place.folder / "other" / name).read_text() for name in ("old.md", "new.md")], "the document is neither the old nor the new")
    place.check_work()


def prepare_export(place):
    place.begin()
    place.do("export finetune out.jsonl")
    (place.folder / "out.jsonl").write_text("old\n")


def check_export(place):
    place.ask("status")
    place.check_no_leftovers()
    text = (place.folder / "out.jsonl").read_text()
    expect(text == "old\n" or text.count("\n") == 24 and text.endswith("}\n"), "the file is neither the old nor the new")
    place.check_work(steps=8)


SCENARIOS = [
    Scenario(
        "model install", ["--no-record", "--workspace", "elsewhere", "model", "install", "--from", str(TINY)], lambda place: None,
        check_fresh_install),
    Scenario(
        "model install over another", ["--no-record", "model", "install", "--from", "other/tiny-bert", "--replace"],
        lambda place: (place.begin(), other_model(place.folder)), check_install_over),
    Scenario("language model", ["--no-record", "model", "install", "--from", str(SMALL)], Place.begin, check_language_model),
    Scenario("session new", ["session", "new"], Place.begin, check_session_new),
    Scenario("session open", ["session", "open", "monday"], prepare_two_sessions, check_session_open),
    Scenario("reset", ["reset", "--yes"], Place.begin, check_reset),
    Scenario("models remove", ["models", "remove", "tuned-1"], Place.begin, lambda place: check_model(place, "tuned-1", set())),
    Scenario(
        "finetune", ["finetune", "--method", "linear", "--name", "second"], Place.begin,
        lambda place: check_model(place, "second", {"tuned-1"})),
    Scenario("replay --update", ["replay", "lesson.md", "--update"], prepare_lesson, check_lesson),
    Scenario("export finetune", ["export", "finetune", "out.jsonl"], prepare_export, check_export),
]


class Bench:
    def __init__(self, root, program):
        self.root, self.program = root, program

    def copy(self, scenario, name):
        folder = self.root / scenario.name.replace(" ", "-") / name
        shutil.copytree(self.root / scenario.name.replace(" ", "-") / "template", folder, symlinks=True)
        return Place(folder, self.program)

    def moments(self, scenario):
        """(call, n): every n-th time that a thread makes the call, for as many as the thread makes that makes most of them."""
        template = Place(self.root / scenario.name.replace(" ", "-") / "template", self.program)
        template.make()
        scenario.prepare(template)
        place = self.copy(scenario, "counted")
        log = place.folder / "trace"
        place.run(*scenario.command, prefix=["strace", "-f", "-qq", "-e", f"trace={','.join(CALLS)}", "-e", "signal=none", "-o", str(log)])
        counts = {}
        for line in log.read_text().splitlines():
            found = re.match(r"(\d+) +(\w+)\(", line)
            if found and found[2] in CALLS:
                counts[found.groups()] = counts.get(found.groups(), 0) + 1
        most = {}
        for (_, call), count in counts.items():
            most[call] = max(most.get(call, 0), count)
        return [(call, number) for call, count in most.items() for number in range(1, count + 1)], sum(counts.values())

    def kill(self, scenario, call, number):
        """None, or what was wrong after a kill at the n-th call."""
        place = self.copy(scenario, f"{call}-{number}")
        try:
            outcome = place.run(
                *scenario.command,
                prefix=["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={number}"])
            # strace ends as its child did.
            expect(outcome.returncode in (-9, 137), f"it was not killed: {outcome.returncode}, {outcome.stdout}{outcome.stderr}")
            scenario.check(place)
        except (Problem, KeyError, IndexError, OSError, ValueError, subprocess.TimeoutExpired) as error:
            return f"{scenario.name}, killed at {call} number {number}: {error} ({place.folder})"
        shutil.rmtree(place.folder)
        return None


def check_waits(bench):
    """What was wrong with how often `classify` waits for the disk."""
    place = Place(bench.root / "waits", bench.program)
    place.make()
    place.begin()
    log = place.folder / "trace"

    def waits(*arguments, lines=0):
        prefix = ["strace", "-f", "-qq", "-e", "trace=fsync,fdatasync,msync,sync,syncfs", "-e", "signal=none", "-o", str(log)]
        outcome = subprocess.run(
            [*prefix, str(place.program), *arguments], cwd=place.folder, env=place.environment, input="classify news\n" * lines,
            capture_output=True, text=True, timeout=DEADLINE)
        expect(outcome.returncode == 0, f"classify: {outcome.stderr}")
        return len(re.findall(r"sync(?:fs)?\(", log.read_text()))

    try:
        alone = [waits("classify", "news"), waits("classify", "news")]
        shells = [waits(lines=lines) for lines in (1, 2, 5)]
        print(f"classify waits for the disk {alone[0]} and {alone[1]} times alone, {shells} times for 1, 2 and 5 lines of a shell", flush=True)
        expect(max(alone) <= 2, f"one classify waits {max(alone)} times")
        expect(shells[1] - shells[0] <= 1 and shells[2] - shells[1] <= 3, f"a shell waits {shells} times")
    except Problem as problem:
        return [str(problem)]
    return []


def has_strace():
    if not shutil.which("strace") and shutil.which("apt-get"):
        sudo = [] if os.getuid() == 0 else ["sudo", "-n"]
        subprocess.run([*sudo, "apt-get", "install", "-y", "-qq", "strace"], capture_output=True, stdin=subprocess.DEVNULL)
    if not shutil.which("strace"):
        return False
    # Where tracing is forbidden, as in some containers, it is of no use.
    return subprocess.run(["strace", "-f", "-o", "/dev/null", "true"], capture_output=True).returncode == 0


def main():
    program = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / ".build/release/fettle").resolve()
    if not has_strace():
        print("SKIPPED  kills.py: there is no strace here, or it may not trace. Install strace to see what kills leave.", flush=True)
        return 0
    begun = time.monotonic()
    root = Path(tempfile.mkdtemp(prefix="fettle-kills-"))
    bench = Bench(root, program)
    problems = check_waits(bench)
    with concurrent.futures.ThreadPoolExecutor(max_workers=2 * (os.cpu_count() or 1)) as pool:
        counted = list(pool.map(bench.moments, SCENARIOS))
        for scenario, (moments, calls) in zip(SCENARIOS, counted):
            results = list(pool.map(lambda moment: bench.kill(scenario, *moment), moments))
            found = [result for result in results if result]
            problems += found
            print(f"{scenario.name + ':':28} {len(moments):3} moments, {len(moments) - len(found):3} passed", flush=True)
            if len(moments) < calls:
                print(f"{'':28} ({calls - len(moments)} calls of other threads are not reached)", flush=True)
    for problem in problems:
        print(f"PROBLEM  {problem}", flush=True)
    print(f"{sum(len(moments) for moments, _ in counted)} kills, {len(problems)} problems, {time.monotonic() - begun:.0f} s")
    if not problems:
        shutil.rmtree(root)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

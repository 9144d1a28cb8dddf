#!/usr/bin/env python3
"""A workshop: twenty learners at their own terminals, three more in one shared folder, all at once.

They type a short tutorial at uneven speed. Three shells are killed with kill -9, two terminals are closed, wherever that
happens to hit. Afterwards every step that a screen had acknowledged has to be in its document, in order; every document has
to replay; and a learner whose shell died goes on where it broke off. Then come a full disk, a folder that may not be written,
and a home that is not there: each gets one clear error.

    Tests/twenty-laptops.py [PROGRAM] [--seed N]      (.build/release/fettle; a seed of the clock's)
"""

import argparse
import fcntl
import json
import os
import pty
import random
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODEL = ROOT / "Tests/EncoderTests/Reference/tiny-bert"
PROMPT = "fettle> "
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>]|[\x00\x07\x0f]")
DEADLINE = 120

problems = []


def problem(text):
    problems.append(text)
    print(f"PROBLEM  {text}", flush=True)


def tutorial(name):
    """The lines that a learner types; with a name, those of one who shares the folder with others."""
    of = f" --dataset letters-{name}" if name else ""
    data = f"letters-{name}" if name else "letters"
    model = f"quick-{name}" if name else "quick"
    fresh = f" --dataset more-{name}" if name else ""
    author = f" --author {name}" if name else ""
    return [
        "load letters.csv" + (f" --name {data}" if name else ""),
        f"interface define --from {data}",
        "classify news of the day",
        f"predict{of}" + (" --model base" if name else ""),
        f"label simulate{of}{author}",
        f"kpi{of}" + (" --model base" if name else ""),
        f"note {name or 'I'} had a look at it, and it's not good yet.",
        f"finetune --method linear --name {model}{of}",
        "load more.csv" + (f" --name more-{name}" if name else ""),
        f"predict --model {model}{fresh}",
        f"kpi{fresh} --model {model}",
        f"validate{fresh} --model {model}",
        "status",
    ]


def letters(path, count, offset):
    """Texts of tiny-bert's alphabet, in two categories that a linear head can tell apart."""
    rows = ["id,text,category"]
    for number in range(offset, offset + count):
        tail = chr(97 + number % 7) + chr(97 + number // 7 % 26)
        rows.append(f"{number},news of the {tail},WORLD" if number % 2 == 0 else f"{number},z y x {tail},SPORTS")
    path.write_text("\n".join(rows) + "\n")


class Learner(threading.Thread):
    """Somebody at a terminal. `acknowledged` is what the screen said was done: its prompt came back without an error."""

    def __init__(self, folder, program, environment, name=None, fate=None, seed=0):
        super().__init__(daemon=True)
        self.folder, self.program, self.environment = folder, program, environment
        self.name_shared, self.fate = name, fate
        self.random = random.Random(seed)
        self.lines = tutorial(name)
        self.acknowledged = []
        self.screen = ""
        self.ended_by_fate = False

    def run(self):
        try:
            self.start_shell()
            self.live()
        except Exception as error:  # A thread's own exception would go unseen.
            problem(f"{self.folder.name} {self.name_shared or ''}: {error!r}")
        finally:
            self.hang_up()

    def start_shell(self):
        self.controller, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, b"\x18\x00\x50\x00\x00\x00\x00\x00")

        self.process = subprocess.Popen(
            [str(self.program)], cwd=self.folder, env=self.environment, stdin=terminal, stdout=terminal, stderr=terminal,
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(terminal)

    def live(self):
        doomed_line = self.random.randrange(len(self.lines)) if self.fate else None
        if not self.wait_for_prompt(0):
            return problem(f"{self.folder.name}: no prompt; the screen said {self.screen[-300:]!r}")
        for number, line in enumerate(self.lines):
            start = len(self.screen)
            self.type(line)
            if number == doomed_line:
                # Anywhere from before the line is read to after its answer.
                time.sleep(self.random.choice([0, 0.002, 0.01, 0.03, 0.1, 0.3]))
                return self.meet_fate()
            if not self.wait_for_prompt(start):
                return problem(f"{self.folder.name}: `{line}` did not end; the screen said {self.screen[start:][-300:]!r}")
            answer = self.screen[start:]
            if "error:" in answer:
                return problem(f"{self.folder.name}: `{line}` failed: {answer[-300:]!r}")
            self.acknowledged.append(line)
        self.send(b"\x04")
        self.expect_end("Ctrl-D")

    def meet_fate(self):
        self.ended_by_fate = True
        if self.fate == "kill":
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        else:
            self.hang_up()
            self.expect_end("its terminal was closed")

    def expect_end(self, after):
        deadline = time.monotonic() + DEADLINE
        while self.process.poll() is None and time.monotonic() < deadline:
            self.read(0.05)
        if self.process.poll() is None:
            problem(f"{self.folder.name}: the shell still ran {DEADLINE} s after {after}")
            self.process.kill()
            self.process.wait()
        elif self.process.returncode < 0 and after == "Ctrl-D":
            problem(f"{self.folder.name}: the shell ended by signal {-self.process.returncode}")

    def hang_up(self):
        if getattr(self, "controller", -1) >= 0:
            os.close(self.controller)
            self.controller = -1

    def type(self, line):
        """As people do: letter by letter, in bursts, some by pasting; a slip now and then, taken back."""
        text = line.encode()
        style = self.random.choice(["slow", "burst", "paste"])
        if style == "paste":
            self.send(text)
        while style != "paste" and text:
            size = 1 if style == "slow" else self.random.randrange(1, 9)
            if self.random.random() < 0.03:
                self.send(b"q\x7f")
            self.send(text[:size])
            text = text[size:]
            self.read(self.random.uniform(0, 0.02))
        self.read(self.random.uniform(0, 0.3))
        self.send(b"\r")

    def send(self, data):
        while data:
            data = data[os.write(self.controller, data):]

    def read(self, seconds):
        if self.controller < 0:
            return time.sleep(seconds)
        ready, _, _ = select.select([self.controller], [], [], seconds)
        if ready:
            try:
                chunk = os.read(self.controller, 65536)
            except OSError:
                chunk = b""
            if not chunk:
                time.sleep(0.02)
            self.screen += ESCAPES.sub("", chunk.decode(errors="replace"))

    def wait_for_prompt(self, start):
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            # The echo of what was typed stands in the line of the prompt before.
            if re.search(r"(^|[\r\n])" + PROMPT + "$", self.screen[start:]):
                return True
            if self.process.poll() is not None:
                return False
            self.read(0.1)
        return False


def run(program, *arguments, folder, environment, user=None):
    return subprocess.run(
        [str(program), *arguments], cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        user=user, group=user, extra_groups=[] if user else None, timeout=DEADLINE)


def commands_in(document):
    """The commands that were done, as the document has them."""
    text = document.read_text() if document.exists() else ""
    found = []
    for fence in re.findall(r"^```+fettle\n(.*?)^```+$", text, re.M | re.S):
        if not fence.startswith("# interrupted"):
            found.append(fence.split("\n")[0].removeprefix(PROMPT))
    return found, text


def check_workspace(folder, learners, program, environment):
    """Nothing acknowledged is missing, in order, from the log or from the document."""
    # The next start writes down what a kill kept from the document.
    shown = run(program, "--json", "session", "show", folder=folder, environment=environment)
    if shown.returncode != 0:
        return problem(f"{folder.name}: session show failed: {shown.stderr}")
    commands, text = commands_in(folder / ".fettle/session.md")
    logged = json.loads(shown.stdout)["text"]
    if text != logged:
        problem(f"{folder.name}: session.md is not what the log has")
    for learner in learners:
        rest = iter(commands)
        for line in learner.acknowledged:
            if line.startswith("note "):
                if line.removeprefix("note ") not in text:
                    problem(f"{folder.name}: the note is missing")
            elif not any(command == line or command.startswith(line + " --") for command in rest):
                problem(f"{folder.name}: `{line}` was acknowledged and is not in the document (at its place)")


def go_on(learner, program):
    """Somebody whose shell died starts it again, and goes on after the last step that is there."""
    commands, text = commands_in(learner.folder / ".fettle/session.md")
    done = lambda line: line in commands or (line.startswith("note ") and line[5:] in text)
    rest = [line for line in learner.lines if not done(line)]
    arguments = [word for line in rest for word in ("-c", line)]
    if arguments:
        result = run(program, *arguments, folder=learner.folder, environment=learner.environment)
        if result.returncode != 0:
            problem(f"{learner.folder.name}: going on after a {learner.fate} failed: {result.stderr}")
    status = run(program, "--json", "status", folder=learner.folder, environment=learner.environment)
    found = json.loads(status.stdout)
    if sorted(found["datasets"]) != ["letters", "more"] or found["models"] != ["quick"]:
        problem(f"{learner.folder.name}: after going on there is {found}")


def workshop(program, scratch, environment, seed):
    chance = random.Random(seed)
    fates = ["kill"] * 3 + ["close"] * 2 + [None] * 15
    learners = []
    for number, fate in enumerate(fates, 1):
        folder = scratch / f"laptop-{number}"
        learners.append(Learner(folder, program, environment, fate=fate, seed=chance.random()))
    for name in ["ada", "ben", "cem"]:
        learners.append(Learner(scratch / "shared", program, environment, name=name, seed=chance.random()))
    for folder in {learner.folder for learner in learners}:
        folder.mkdir()
        letters(folder / "letters.csv", 40, 0)
        letters(folder / "more.csv", 20, 40)
    begin = time.monotonic()
    for learner in learners:
        learner.start()
    for learner in learners:
        learner.join()
    steps = sum(len(learner.acknowledged) for learner in learners)
    print(f"{len(learners)} shells, {steps} steps acknowledged, {time.monotonic() - begin:.0f} s", flush=True)
    for learner in learners:
        if learner.fate:
            print(f"  {learner.folder.name}: {learner.fate} after step {len(learner.acknowledged)} of {len(learner.lines)}")

    folders = sorted({learner.folder for learner in learners})
    for folder in folders:
        check_workspace(folder, [learner for learner in learners if learner.folder == folder], program, environment)
    for learner in learners:
        if learner.fate:
            go_on(learner, program)
    for folder in folders:
        leftovers = list((folder / ".fettle/models").glob(".new-*"))
        if leftovers:
            problem(f"{folder.name}: a killed training left {leftovers}")
        result = run(program, "replay", ".fettle/session.md", folder=folder, environment=environment)
        if result.returncode != 0 or not re.search(r"^[1-9]\d* passed, 0 failed$", result.stdout, re.M):
            problem(f"{folder.name} does not replay:\n{result.stdout}{result.stderr}")
    print(f"{len(folders)} documents replayed", flush=True)


def expect_one_error(what, result, *words):
    """Status 1, one error, in our own words."""
    errors = [line for line in result.stderr.splitlines() if line.startswith("error:")]
    text = re.sub(r"\s+", " ", result.stderr)
    good = result.returncode == 1 and len(errors) == 1 and all(word in text for word in words)
    if not good or re.search(r"unexpected|couldn.t|NSCocoa|Fatal|SQLite", text):
        problem(f"{what}: status {result.returncode}, {result.stderr!r}")
    else:
        print(f"{what}: {text.removeprefix('error: ')}", flush=True)


def full_disk(program, scratch, environment):
    if os.getuid() != 0:
        return print("A full disk: skipped, since mounting a small one needs root.")
    disk = scratch / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", disk], capture_output=True).returncode != 0:
        return print("A full disk: skipped, since this system lets nobody mount one.")
    try:
        for free in [0, 4096, 65536, 262144]:
            folder = disk / f"free-{free}"
            folder.mkdir()
            letters(folder / "letters.csv", 40, 0)
            letters(folder / "more.csv", 8000, 40)
            first = run(program, "load", "letters.csv", folder=folder, environment=environment)
            if first.returncode != 0:
                problem(f"a disk with room: {first.stderr}")
            fill(disk / "ballast", disk, free)
            failed = run(program, "load", "more.csv", folder=folder, environment=environment)
            expect_one_error(f"A disk with {free} bytes free", failed, "full", "Make room")
            (disk / "ballast").unlink()
            again = run(program, "load", "more.csv", folder=folder, environment=environment)
            if again.returncode != 0:
                problem(f"after room was made: {again.stderr}")
            replayed = run(program, "replay", ".fettle/session.md", folder=folder, environment=environment)
            if "2 passed, 0 failed" not in replayed.stdout:
                problem(f"after a full disk the document does not replay: {replayed.stdout}{replayed.stderr}")
            shutil.rmtree(folder)
        fill(disk / "ballast", disk, 0)
        folder = disk / "new"
        folder.mkdir()
        expect_one_error("A new workspace on a full disk", run(program, "status", folder=folder, environment=environment), "full")
    finally:
        subprocess.run(["umount", disk], check=True)


def fill(ballast, disk, free):
    """Leaves so many bytes, by whole pages of 4,096."""
    space = os.statvfs(disk)
    size = space.f_bavail * space.f_frsize - free
    with open(ballast, "wb") as file:
        try:
            file.write(bytes(size))
        except OSError:
            pass


def read_only_folder(program, scratch, environment):
    folder = scratch / "read-only"
    folder.mkdir(mode=0o755)
    letters(folder / "letters.csv", 4, 0)
    user = None
    if os.getuid() == 0:
        user = 65534
        if subprocess.run([str(program), "--version"], user=user, group=user, extra_groups=[], capture_output=True, cwd="/").returncode:
            return print("A read-only folder: skipped, since an ordinary user may not run the program where it is.")
    else:
        folder.chmod(0o555)
    result = run(program, "load", "letters.csv", folder=folder, environment=environment, user=user)
    expect_one_error("A read-only folder", result, "cannot be written", "--workspace")
    folder.chmod(0o755)


def missing_home(program, scratch, environment):
    folder = scratch / "homeless"
    folder.mkdir()
    letters(folder / "letters.csv", 4, 0)
    for home in ["/dev/null/nobody", None]:
        without = {key: value for key, value in environment.items() if key not in ["HOME", "XDG_CACHE_HOME"]}
        if home:
            without["HOME"] = home
        result = run(program, "load", "letters.csv", folder=folder, environment=without)
        if result.returncode != 0 or result.stderr:
            problem(f"HOME={home}: load needs no home: {result.stderr}")
    without = {**environment, "HOME": "/dev/null/nobody", "FETTLE_MODEL": ""}
    del without["XDG_CACHE_HOME"]
    result = run(program, "model", "install", "--from", str(MODEL), folder=folder, environment=without)
    expect_one_error("A missing home", result, "cannot be written", "XDG_CACHE_HOME")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?", default=ROOT / ".build/release/fettle", type=Path)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    program = options.program.resolve()
    if not program.exists():
        sys.exit(f"There is no {program}. Build it first: make build")
    print(f"seed {options.seed}", flush=True)
    scratch = Path(tempfile.mkdtemp(prefix="fettle-laptops-"))
    scratch.chmod(0o755)
    environment = {
        "PATH": "/usr/bin:/bin", "HOME": str(scratch), "XDG_CACHE_HOME": str(scratch / "cache"), "TERM": "xterm",
        "LC_ALL": "C.UTF-8", "FETTLE_MODEL": str(MODEL),
    }
    try:
        workshop(program, scratch, environment, options.seed)
        full_disk(program, scratch, environment)
        read_only_folder(program, scratch, environment)
        missing_home(program, scratch, environment)
    finally:
        if problems:
            print(f"What they left is in {scratch}")
        else:
            shutil.rmtree(scratch, ignore_errors=True)
    if problems:
        sys.exit(f"{len(problems)} problems with --seed {options.seed}")
    print("Nobody lost anything.")


if __name__ == "__main__":
    main()

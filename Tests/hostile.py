#!/usr/bin/env python3
"""Documents, scripts, data and models made to take minutes or gigabytes: each has to end within its bounds, in a table.

A stranger's document is replayed by people who trust that it is safe. So nothing may take more than a second and another for each
100 kB, or more than 300 MB, beyond the training and embedding that it asks for; and nothing may end by a signal. A model that is not what it says is refused
within a second and 200 MB, in one sentence that names what is wrong (hostile_models.py).

    Tests/hostile.py [PROGRAM]      (.build/release/fettle)
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import hostile_models

ROOT = Path(__file__).resolve().parent.parent
MODEL = ROOT / "Tests/EncoderTests/Reference/tiny-bert"
MEGABYTES = 300
MODEL_MEGABYTES = 200
# After so long a program is stopped, and over.
PATIENCE = 60


def document(*commands, prose=""):
    return prose + "".join(f"```fettle\nfettle> {command}\n```\n" for command in commands)


def answer(command, text):
    return f"```fettle\nfettle> {command}\n{text}\n```\n"


def nested_loops(letters, values, inner):
    for letter in letters:
        inner = f"for {letter} in {values} {{ {inner} }}"
    return inner


PROSE = {
    "table": "|a" * 3000 + "|\n" + "|-" * 3000 + "|\n" + "|\n" * 3000,
    "wide table": "|a" * 12_000 + "|\n" + "|-" * 12_000 + "|\n",
    "references": "[a]: " + "x" * 60_000 + "\n\n" + "[a]" * 1_600,
    "references, titles": "[ß]: u '" + "x" * 60_000 + "'\n\n" + "[ẞ]" * 1_000,
    "lists in lists": "1. " * 30_000 + "a\n",
    "bullets in bullets": "+ " * 40_000 + "\n",
    "quotes in quotes": ">" * 90_000 + "a\n",
    "processing": "a<?" * 30_000,
    "declarations": "a<!A " * 20_000,
    "CDATA": "a<![CDATA[" * 10_000,
    "stars": "*" * 40_000 + "a" + "*" * 40_000,
    "mixed stars": "**x [a*b**c*](d)" * 5_000,
    "parentheses": "www.a.b/" + ")" * 90_000,
    "addresses": "a@" * 40_000,
    "backticks": "".join("e" + "`" * length for length in range(1, 400)),
    "brackets": "[" * 90_000,
    "images": "![" * 40_000,
    "deep list": "".join(" " * (2 * depth) + "- a\n" for depth in range(300)),
    "many notes": "a\n\n" * 30_000,
}

MATRIX = "~ rows: truth, columns: prediction\n"
ANSWERS = {
    "bars": answer("predict", "  a  1\n" * 8_000 + "  a"),
    "blanks": answer("predict", "  a" + " " * 80_000),
    "blanks and numbers": answer("predict", "  a" + "  1" * 30_000 + " x"),
    "great counts": answer("kpi --confusion", MATRIX + "~ 1 2\n~ 1 a 9223372036854775807 1\n~ 2 b 0 0"),
    "negative counts": answer("kpi --confusion", MATRIX + "~ 1\n~ 1 a -1"),
    "wide matrix": answer("kpi --confusion", MATRIX + "~ " + " ".join(str(n) for n in range(1, 9_000)) + "\n~ 1 a 1"),
    "curve": answer("finetune", "~ loss by epoch: " + "0.5 " * 20_000),
    "long answer": answer("datasets", "x" * 90_000),
    "estimates": answer("datasets", "~0.5±0.1 " * 9_000),
    "many lines": answer("datasets", "x y z\n" * 15_000),
    "many steps": answer("predict", "x") * 2_000,
    "blank lines": answer("predict", "\n" * 80_000),
}

# What is run, and how it may end.
REPLAYED = {
    "doubling": (document("set x " + "a" * 16, "for i in " + " ".join(map(str, range(24))) + " { set x $x$x }"), [1]),
    "loops in loops": (document(nested_loops("abcdefgh", "1 2 3 4 5 6 7 8 9", "set z 1")), [1]),
    "long line": (document("set x " + "b " * 25_000, "set y " + "$x " * 60), [1]),
    "sample": (document("load two.csv --sample 4611686018427387904"), [1]),
    "per category": (document("load two.csv --per-category 9223372036854775807"), [1]),
    "front matter": ("---\nroot: " + "[" * 50_000 + "\n---\n" + document("status"), [1]),
    "front matter, aliases": ("---\na: &a [x]\n" + "".join(f"k{n}: [*a, *a]\n" for n in range(1000)) + "---\n" + document("status"), [1]),
}

SCRIPTS = {
    "words": ("classify " + "b " * 15_000, [0]),
    "one word": ("note " + "b" * 50_000, [0]),
    "quotes": ("note " + "'a " * 15_000, [0]),
    "doubled quotes": ('note "' + '""' * 20_000 + '"', [0]),
    "hyphens": ("note a " + "- " * 15_000, [0]),
    "names": ("note " + "$a " * 10_000, [0]),
    "a name of many parts": ("note $kpi" + ".readers.ana" * 8_000, [0]),
    "equals": ("note a --" + "a" * 20_000 + "=" * 20_000, [0, 2]),
    "sum": ("expect " + "1 + " * 8_000 + "1 == 8001", [0]),
    "comparisons": ("expect " + "1>=" * 15_000 + "1", [2]),
    "values": ("for x in " + "v " * 15_000 + "{ nothing }", [1, 2]),
    "too many values": ("for x in " + "v " * 60_000 + "{ status }", [1]),
    "stray words": ("predict " + "x " * 15_000, [2]),
    "lines in a word": ('note "' + "a\n" * 20_000 + '"', [0]),
    "comments": ("# a\n" * 25_000 + "status", [0]),
    "open braces": ("for x in 1 {\n" * 5_000, [2]),
}

# What comes through a pipe, line by line.
PIPED = {
    # What is asked here is the reading of an open block: its first line fails, so that no step of the others is run and kept.
    "lines of a block": ("for x in 1 {\nnothing\n" + "for y in 1 { }\n" * 3_000 + "}\n", [2]),
    "open block": ("for x in 1 {\n" + "expect 1 == 1\n" * 7_000, [2]),
    "open quote": ('note "\n' + "a\n" * 40_000, [2]),
    "many braces": ("for x in 1 {\n" * 5_000, [2]),
}


def measure(program, arguments, folder, environment, stdin=""):
    """Seconds of the processor's, megabytes at most, and the status; a status of None was stopped."""
    (folder / "input").write_text(stdin)
    with open(folder / "input") as given, open(folder / "output", "w") as said:
        process = subprocess.Popen([str(program), *arguments], cwd=folder, env=environment, stdin=given, stdout=said, stderr=said)
        deadline = time.monotonic() + PATIENCE
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > deadline:
                process.kill()
                _, status, usage = os.wait4(process.pid, 0)
                return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000, None
            time.sleep(0.01)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000, os.waitstatus_to_exitcode(status)


def cases(folder):
    """Name, arguments, input, bytes, statuses that are right."""
    for name, prose in PROSE.items():
        text = document("datasets", prose=prose + "\n\n")
        yield name, text, "replay", ["replay", "d.md"], "", [0, 1]
        yield name, text, "--step", ["replay", "--step", "d.md"], "\n", [0, 1]
        yield name, text, "page", ["session", "export", "d.html", "--replace", "--from", "d.md"], "", [0]
    for name, text in ANSWERS.items():
        yield name, text, "replay", ["replay", "d.md"], "", [1]
        yield name, text, "page", ["session", "export", "d.html", "--replace", "--from", "d.md"], "", [0]
        yield name, text, "notebook", ["session", "export", "d.ipynb", "--replace", "--from", "d.md"], "", [0]
    for name, (text, statuses) in REPLAYED.items():
        yield name, text, "replay", ["replay", "d.md"], "", statuses
    for name, (text, statuses) in SCRIPTS.items():
        yield name, text, "run", ["run", "d.md.fettle"], "", statuses
    for name, (text, statuses) in PIPED.items():
        yield name, text, "pipe", [], text, statuses


def main():
    program = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / ".build/release/fettle").resolve()
    if not program.exists():
        sys.exit(f"There is no {program}. Build it first: make build")
    folder = Path(tempfile.mkdtemp(prefix="fettle-hostile-"))
    environment = {
        "PATH": "/usr/bin:/bin", "HOME": str(folder), "XDG_CACHE_HOME": str(folder / "cache"), "TERM": "dumb", "LC_ALL": "C.UTF-8",
        "FETTLE_MODEL": str(MODEL), "TMPDIR": str(folder),
    }
    problems = 0
    print(f"{'input':31}{'by':10}{'kB':>6}{'seconds':>9}{'of':>6}{'MB':>6}  status")
    try:
        (folder / "two.csv").write_text("text,category\na,A\nb,B\n")
        subprocess.run([str(program), "interface", "define", "A, B"], cwd=folder, env=environment, capture_output=True, check=True)

        def row(name, how, size, seconds, allowed, megabytes, status, statuses, most=MEGABYTES):
            nonlocal problems
            over = seconds > allowed or megabytes > most or status not in statuses
            problems += over
            said = "" if not over else "  OVER: " + " ".join((folder / "output").read_text(errors="replace").split())[:200]
            print(f"{name:31}{how:10}{size / 1000:6.0f}{seconds:9.2f}{allowed:6.1f}{megabytes:6.0f}  {status}{said}", flush=True)

        for name, text, how, arguments, stdin, statuses in cases(folder):
            for file in ["d.md", "d.md.fettle"]:
                (folder / file).write_text(text)
            seconds, megabytes, status = measure(program, arguments, folder, environment, stdin)
            row(name, how, len(text.encode()), seconds, 1 + len(text.encode()) / 100_000, megabytes, status, statuses)

        rows = "".join(f"text {n} of them,Category {n}\n" for n in range(1_000))
        (folder / "many.csv").write_text("text,category\n" + rows)
        for line in ["load many.csv", "interface define --from many", "predict --model base"]:
            subprocess.run([str(program), "-c", line], cwd=folder, env=environment, capture_output=True, check=True)
        for line in ["kpi --confusion", "kpi --by category"]:
            seconds, megabytes, status = measure(program, ["-c", line], folder, environment)
            row("1,000 categories", line.split()[1], len(rows), seconds, 1 + len(rows) / 100_000, megabytes, status, [0])

        for name, kind, path, said in hostile_models.models(folder / "hostile"):
            arguments = ["--no-record", "model", "install", "--from", str(path), "--name", "x"]
            seconds, megabytes, status = measure(program, arguments, folder, environment)
            size = sum(file.stat().st_size for file in ([path] if path.is_file() else path.iterdir()))
            answer = " ".join((folder / "output").read_text(errors="replace").split())
            refuses = answer.startswith("error: ") and said in answer and "unexpected" not in answer
            row(name, kind, size, seconds, 1, megabytes, status if refuses else None, [1], most=MODEL_MEGABYTES)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if problems:
        sys.exit(f"{problems} inputs are over their bounds.")
    print("Each within its bounds.")


if __name__ == "__main__":
    main()

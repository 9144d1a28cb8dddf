"""What the scripts beside this share: a Python with the client that they need, and a server to ask.

The client lies in a virtual environment under .build-clients, which is made once and kept.
"""

import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def with_packages(name, *packages):
    """Goes on in a Python that has these packages; where they cannot be had, says so loudly, and ends."""
    folder = ROOT / ".build-clients" / name
    wanted = "\n".join(packages)
    python = folder / "bin" / "python"
    mark = folder / "packages.txt"
    if Path(sys.prefix) == folder:
        return
    if not (mark.exists() and mark.read_text() == wanted):
        shutil.rmtree(folder, ignore_errors=True)
        print(f"Fetching {', '.join(packages)}, once.", flush=True)
        steps = [[sys.executable, "-m", "venv", folder], [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages]]
        for step in steps:
            made = subprocess.run(step, capture_output=True, text=True)
            if made.returncode:
                print(f"\n*** NOT TESTED: {Path(sys.argv[0]).name}. {', '.join(packages)} cannot be had here: ***\n{made.stderr[-600:]}", flush=True)
                sys.exit(0)
        mark.write_text(wanted)
    os.execv(python, [python, *sys.argv])


class Server:
    """`fettle serve` in a folder of its own, with the user's installed models; both go when the script ends, however it ends."""

    def __init__(self, fettle, *lines, environment=None, files=None, folder=None, limits=None):
        self.fettle = os.path.abspath(fettle)
        self.folder = folder or tempfile.mkdtemp(prefix="fettle-serve-")
        self.environment = os.environ | {"no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1"} | (environment or {})
        self.limits = limits
        self.process = None
        atexit.register(self.remove)
        for name, text in (files or {}).items():
            Path(self.folder, name).write_text(text)
        if lines:
            self.run(*[word for line in lines for word in ("-c", line)])
        self.start()

    def run(self, *arguments):
        done = subprocess.run([self.fettle, *arguments], cwd=self.folder, env=self.environment, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"fettle {' '.join(arguments)}: status {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def start(self):
        self.process = subprocess.Popen(
            [self.fettle, "serve", "--port", "0"], cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, preexec_fn=self.limits)
        first = self.process.stderr.readline()
        if not first.startswith("Serving on http://127.0.0.1:"):
            raise SystemExit(f"fettle serve: {first}{self.process.stderr.read()}")
        self.url = first.split()[-1]
        self.port = int(self.url.rsplit(":", 1)[1])
        self.log = []
        threading.Thread(target=lambda: self.log.extend(self.process.stderr), daemon=True).start()

    def memory(self):
        """Resident bytes."""
        with open(f"/proc/{self.process.pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def end(self):
        """Its exit status, asked to end as a system asks."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            return None
        finally:
            self.remove()

    def remove(self):
        if self.process:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


# Asked to end, a script removes what it has made.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


class Checks:
    def __init__(self):
        self.passed, self.failed = 0, 0

    def __call__(self, what, holds, found=None):
        if holds:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED  {what}" + ("" if found is None else f": {found!r}"[:600]), flush=True)

    def raises(self, what, kind, body):
        try:
            found = body()
        except Exception as error:
            self(what, type(error) is kind, error)
            return error
        self(what, False, found)

    def finish(self, server):
        status = server.end()
        self("ends with 0 on SIGTERM", status == 0, status)
        print(f"{Path(sys.argv[0]).name}: {self.passed} passed, {self.failed} failed", flush=True)
        sys.exit(1 if self.failed else 0)

"""Installs the locked packages with uv, which checks their hashes, and says what it is doing and how long is left.

`make` runs this file by its path, since nothing of the package is installed yet.
"""

import importlib.util
import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UV = (sys.executable, "-m", "uv", "pip", "install")
CPU = "--torch-backend=cpu"

MIB = {"KiB": 1 / 1024, "MiB": 1, "GiB": 1024}
QUIET_SECONDS = 5
"""Between two lines about the download."""

_MISMATCH = re.compile(r"Hash mismatch for `(.+)`")
_CHATTER = re.compile(r"Using Python|Audited|Prepared|Uninstalled| [+~-] | *(Building|Built) codealong")


def main(lock, *extras):
    """Install the course at the versions of a lock, with the packages of some extras; return an exit status."""
    lock = ROOT / lock
    wanted = ("--constraint", lock, "--build-constraint", lock, "--editable", f"{ROOT}[{','.join(extras)}]")
    if importlib.util.find_spec("torch"):
        return install(*wanted)
    if _cpu_builds_are_there(lock) and not install(CPU, *wanted):
        return 0
    print("PyTorch's small CPU builds cannot be had here: installing the package index's build (7 GB on Linux).")
    return install(*wanted)


def install(*words):
    """Run uv, saying what it does; return its exit status.

    Raises
    ------
    SystemExit
        When a file is not the one that was locked; uv has installed nothing then.
    """
    say, other = Progress(), None
    with subprocess.Popen([*UV, *words], cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr:
            other = _MISMATCH.search(line) or other
            if text := say(line.rstrip()):
                print(text, flush=True)
    if other:
        sys.exit(
            f"{other[1]} is not the file that was locked, so nothing was installed: try it on another network, "
            "and if that changes nothing, tell whoever maintains the course."
        )
    return process.returncode


class Progress:
    """Turns the lines of uv into a few for a person; what it does not know, errors above all, stays as it is."""

    def __init__(self, clock=time.monotonic):
        self.clock = clock
        self.started = self.said = clock()
        self.sizes, self.done = {}, 0.0

    def __call__(self, line):
        """Return what to print for a line of uv, or None."""
        if match := re.match(r"Downloading (\S+) \(([\d.]+)(\w+)\)", line):
            self.sizes[match[1]] = float(match[2]) * MIB.get(match[3], 0)
            return None
        if match := re.match(r" Downloaded (\S+)", line):
            self.done += self.sizes.get(match[1], 0)
            return self._downloaded()
        if match := re.match(r"Resolved (\d+) packages", line):
            return f"  {match[1]} packages are needed; what is not in uv's cache is downloaded"
        if match := re.match(r"Installed (\d+) packages", line):
            return f"  {match[1]} packages installed, {self.clock() - self.started:.0f} s"
        return None if _CHATTER.match(line) else line

    def _downloaded(self):
        now, total = self.clock(), sum(self.sizes.values())
        if now - self.said < QUIET_SECONDS:
            return None
        self.said = now
        left = (now - self.started) * (total - self.done) / self.done
        minutes = "less than a minute" if left < 60 else f"about {left / 60:.0f} min"
        return f"  {self.done:,.0f} of {total:,.0f} MiB downloaded, {minutes} left"


def _cpu_builds_are_there(lock):
    """Tell whether PyTorch's own index answers, which some networks do not let through."""
    torch = next(line for line in lock.read_text(encoding="utf-8").splitlines() if line.startswith("torch=="))
    impatient = {"UV_HTTP_RETRIES": "0", "UV_HTTP_TIMEOUT": "10"}
    command = [*UV, "--quiet", "--dry-run", "--no-deps", CPU, torch]
    return not subprocess.run(command, env=os.environ | impatient, stderr=subprocess.DEVNULL).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""Starts a process for each contestant, asks it for measurements, and holds it still in between."""

import contextlib
import functools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from codealong import CourseError, hardware
from codealong.measure import timing

PUBLISHED, TUNED, FASTEST = "published", " tuned", "fastest"
"""A contestant is named `PUBLISHED`, `FASTEST`, or as an arm, or as an arm followed by `TUNED`; or it is a peer."""

PEERS = {
    "keras": ("keras_peer.py",),
    "keras, XLA": ("keras_peer.py", "jit_compile"),
    "jax": ("jax_peer.py",),
    "onnxruntime": ("onnx_peer.py", "onnxruntime"),
    "openvino": ("onnx_peer.py", "openvino"),
}
"""Other libraries: the program of each, and what it is told. The last two only predict."""

PEERS_FOLDER = Path(__file__).parent / "peers"


class BenchError(CourseError):
    """A contestant of the benchmark could not be measured; the message says why."""


class Worker:
    """A contestant in a process of its own, which stands still unless it is asked something.

    Parameters
    ----------
    contestant : str
        Its name, or ``"limits"`` for what measures the machine itself.
    peers : path, optional
        The Python of the peers' environment.
    options : dict, optional
        Of `measure.contestants.Contestant`.
    **environment : str
        Variables that it gets besides, or loses where the value is None. `hardware.KEEP_MEMORY` is set
        for a tuned contestant and the fastest one, and taken from any other, unless they say otherwise.

    Attributes
    ----------
    start_seconds : float
        From starting the process until it was ready, imports included.
    provenance : dict
        As `hardware.provenance` returns it there; empty for a peer.
    """

    def __init__(self, contestant, peers=None, options=None, **environment):
        self.contestant = contestant
        command = [sys.executable, "-m", "codealong.measure.contestants", contestant, json.dumps(options or {})]
        if contestant in PEERS:
            if not Path(peers).exists():
                raise BenchError(f"{peers} does not exist: `make bench-peers` sets up the peers' environment.")
            program, *options = PEERS[contestant]
            command = [peers, PEERS_FOLDER / program, *options]
            environment |= {"PYTHONPATH": str(Path(__file__).parents[2])}
        keeps = contestant.endswith(TUNED) or contestant in ("limits", FASTEST, *PEERS)
        environment = (hardware.KEEP_MEMORY if keeps else dict.fromkeys(hardware.KEEP_MEMORY)) | environment
        # torch.compile otherwise loads pickles and machine code that anybody may have put below /tmp.
        self._compiled = tempfile.TemporaryDirectory()
        environment["TORCHINDUCTOR_CACHE_DIR"] = self._compiled.name
        started = time.perf_counter()
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115 it lives as long as the worker
        self._process = subprocess.Popen(
            list(map(str, command)),
            env={key: value for key, value in (os.environ | environment).items() if value is not None},
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            # A group of its own: interrupting a notebook leaves it alone, and it ends when its parent is gone.
            preexec_fn=getattr(os, "setpgrp", None),
        )
        self.provenance = self._answer()
        self.start_seconds = time.perf_counter() - started

    def ask(self, do, **how):
        """Return the answer of `measure.contestants` to one question; the process stands still again after it.

        Raises
        ------
        BenchError
            When the process is closed or died; the message ends with its last words.
        """
        if self._said.closed:
            raise BenchError(f"The process for {self.contestant} is closed: run the cell that starts it again.")
        self._signal("SIGCONT")
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps({"do": do, **how}) + "\n")
            self._process.stdin.flush()
        return self._answer()

    def close(self):
        """End the process."""
        self._process.kill()
        self._process.communicate()
        self._said.close()
        self._compiled.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _signal(self, name):
        if hasattr(signal, name):  # Windows has neither
            self._process.send_signal(getattr(signal, name))

    def _answer(self):
        try:
            line = self._process.stdout.readline()
        except BaseException:  # an interrupt: what it answers later would be taken for the answer to the next question
            self.close()
            raise
        if not line:
            self._said.seek(0)
            words = self._said.read().strip().splitlines()
            self.close()
            last = words[-1] if words else "no message"
            raise BenchError(f"The benchmark's process for {self.contestant} died: {last}")
        # Its threads would otherwise go on spinning on the cores of whoever is measured next.
        self._signal("SIGSTOP")
        return json.loads(line)


def in_turns(questions, rounds, seconds, say=lambda text: None):
    """Ask several workers for their training rates in turns; each round begins one further.

    Parameters
    ----------
    questions : dict of str to (Worker, int, int)
        By the name of what is compared: a worker, a batch size, a number of threads.
    rounds : int
    seconds : float
        To measure for, at least, each time.
    say : callable, optional
        Is told where it is.

    Returns
    -------
    dict of str to list of float
        Images per second, by name, round by round.
    """

    def rate(worker, batch, threads):
        return worker.ask("rate", batch=batch, threads=threads, seconds=seconds)

    asked = [functools.partial(rate, *question) for question in questions.values()]
    return dict(zip(questions, timing.in_turns(asked, rounds, say).T.tolist(), strict=True))

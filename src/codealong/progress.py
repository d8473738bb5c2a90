"""Live progress of training: one line that moves, and one table row that stays for each epoch.

nbval compares the first content of a display with the last one stored, so the moving line ends as
it began, and only the rows of the table remain.
"""

import sys
import time

WIDTH = 24
REFRESH_SECONDS = 0.25

COLUMNS = {
    "epoch": ("epoch", "{:d}"),
    "train_loss": ("train loss", "{:.4f}"),
    "train_accuracy": ("train accuracy", "{:.4f}"),
    "valid_loss": ("valid loss", "{:.4f}"),
    "valid_accuracy": ("valid accuracy", "{:.4f}"),
    "seconds": ("seconds", "{:.1f}"),
    "images_per_second": ("images/s", "{:,.0f}"),
}
"""Heading and format of each column, by field of `training.Epoch`."""


class Progress:
    """Shows how far training is, in JupyterLab, in a terminal, and tidily in a file.

    Parameters
    ----------
    title : str
        What is being trained.
    epochs : int
    images : int
        Images per epoch.
    """

    def __init__(self, title, epochs, images):
        self.title = f"{title}: {epochs} epochs of {images:,} images"
        self.epochs, self.images = epochs, images
        self.done, self.seen, self.seconds = 0, 0, 0.0
        self._line = _line_for_this_output()

    def __enter__(self):
        self._line.start(self.title)
        self._line.keep("  ".join(heading for heading, _ in COLUMNS.values()))
        self._started = self._shown = time.perf_counter()
        return self

    def __exit__(self, problem, *_):
        self._line.end(self.title)
        if problem:
            self._line.keep(f"stopped in epoch {self.done + 1} of {self.epochs}; nothing was recorded")

    def advance(self, images, loss_sum, correct):
        """Count a batch; `loss_sum` and `correct` are sums over the epoch so far."""
        self.seen += images
        now = time.perf_counter()
        if now - self._shown < REFRESH_SECONDS:
            return
        self._shown = now
        rate = (self.done * self.images + self.seen) / (self.seconds + now - self._started)
        left = round(((self.epochs - self.done) * self.images - self.seen) / rate)
        filled = round(WIDTH * self.seen / self.images)
        self._line.show(
            f"epoch {self.done + 1}/{self.epochs} {'━' * filled}{'─' * (WIDTH - filled)} "
            f"loss {loss_sum / self.seen:.3f}  accuracy {correct / self.seen:.3f}  "
            f"{rate:,.0f} images/s  {left // 60}:{left % 60:02d} left"
        )

    def row(self, epoch):
        """End an epoch and keep its row of the table; `epoch` maps `COLUMNS` to numbers."""
        cells = [(form.format(epoch[name]), len(head)) for name, (head, form) in COLUMNS.items()]
        self._line.keep("  ".join(cell.rjust(width) for cell, width in cells))
        self.done += 1
        self.seen, self.seconds = 0, self.seconds + epoch["seconds"]
        self._started = time.perf_counter()


class _NotebookLine:
    """A display of its own, changed in place; rows are ordinary output below it."""

    def start(self, text):
        from IPython.display import display

        self._display = display({"text/plain": text}, raw=True, display_id=True)

    def show(self, text):
        self._display.update({"text/plain": text}, raw=True)

    keep = staticmethod(print)
    end = show


class _TerminalLine:
    """The last line of a terminal, written over."""

    def start(self, text):
        print(text)

    def show(self, text):
        print(f"\r\x1b[K{text}", end="", flush=True)

    def keep(self, text):
        print(f"\r\x1b[K{text}", flush=True)

    def end(self, _):
        print("\r\x1b[K", end="", flush=True)


class _FileLine(_TerminalLine):
    """A file or a pipe gets the title and the rows only."""

    def show(self, text):
        pass

    def keep(self, text):
        print(text, flush=True)

    end = show


def _line_for_this_output():
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if hasattr(shell, "kernel"):
        return _NotebookLine()
    return _TerminalLine() if sys.stdout.isatty() else _FileLine()

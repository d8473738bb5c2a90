"""A study as it was recorded, whole: many runs, from which a conclusion may be drawn."""

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from codealong import ROOT, data, records, runs
from codealong.analysis import campaigns, larger, stats
from codealong.arms import ARMS
from codealong.measure.study import FEWEST, FIRST, StudyError, ensure_same


@dataclass(frozen=True)
class Study:
    """Many runs, from which a conclusion may be drawn.

    Attributes
    ----------
    labels : numpy.ndarray
        int64, shape (10000,), the true classes of the test images.
    runs : dict of str to list of runs.Run
        By arm, by ascending seed; the same seeds in every arm.
    campaigns : campaigns.Campaigns
        Of the same machine.
    larger : campaigns.Campaigns
        With larger networks, images and data sets, as `larger.load` returns them.
    earlier : Study or None
        The runs with seeds below `measure.study.FIRST`, where the folder has such.
    """

    labels: np.ndarray
    runs: dict
    campaigns: campaigns.Campaigns
    larger: campaigns.Campaigns
    earlier: "Study | None" = None

    @property
    def seeds(self):
        return [run.seed for run in self.runs["stock-fp32"]]

    @property
    def provenance(self):
        """Where and with what a run with IPEX was made; the machine is that of all."""
        return self.runs["ipex-bf16"][-1].provenance

    def right(self, arm):
        """Whether each run of an arm is right on each test image: bool, shape (seeds, 10000)."""
        return np.array([run.classes for run in self.runs[arm]]) == self.labels

    def accuracy(self, arm):
        """Test accuracy of each run of an arm: shape (seeds,)."""
        return self.right(arm).mean(axis=1)

    def quantities(self, arm):
        """Precision, recall and F1 of each class, of each run of an arm: shape (seeds, 3, 10)."""
        if arm not in self._quantities:
            self._quantities[arm] = stats.quantities(self.labels, [run.classes for run in self.runs[arm]])
        return self._quantities[arm]

    @functools.cached_property
    def _quantities(self):
        return {}

    def seconds_per_epoch(self, arm):
        """Seconds that an epoch of an arm takes at the mean rate of all campaigns, whose own rates are means too."""
        images = self.runs[arm][0].history[0]
        return images["seconds"] * images["images_per_second"] / np.exp(np.log(self.campaigns.rates[arm]).mean())


def load(folder=records.REFERENCE):
    """Read a whole study; the recorded one by default.

    Raises
    ------
    StudyError
        When runs are missing, or do not belong together.
    records.RecordError
        When a record is refused.
    """
    folder = Path(folder)
    if not (folder / runs.FOLDER).is_dir():
        raise StudyError(
            f"{folder} holds no study: name the folder of one, such as {records.OWN.relative_to(ROOT)}, "
            "where `python -m codealong study` makes it."
        )
    times = campaigns.load(folder), larger.load(folder)
    present = {arm: runs.of_machine(arm, folder) for arm in ARMS}
    by_arm = _of_seeds(present, lambda seed: seed >= FIRST)
    earlier = _of_seeds(present, lambda seed: seed < FIRST)
    seeds = {arm: [run.seed for run in its] for arm, its in by_arm.items()}
    fewest = min(map(len, seeds.values()), default=0)
    if fewest < FEWEST or len(set(map(tuple, seeds.values()))) > 1:
        counted = ", ".join(f"{len(its)} of {arm}" for arm, its in by_arm.items())
        raise StudyError(
            f"{folder} holds no whole study ({counted}; each arm needs the same {FEWEST} seeds or more): "
            f"`python -m codealong study --into {folder}` goes on with it."
        )
    first = by_arm["stock-fp32"][0]
    ensure_same(folder, [run for its in by_arm.values() for run in its], first.recipe, first.provenance)
    labels = data.load().test.labels.numpy()
    return Study(labels, by_arm, *times, Study(labels, earlier, *times) if earlier else None)


def _of_seeds(by_arm, wanted):
    chosen = {arm: [run for run in its if wanted(run.seed)] for arm, its in by_arm.items()}
    return {arm: its for arm, its in chosen.items() if its}

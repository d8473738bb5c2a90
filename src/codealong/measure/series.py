"""Campaigns: rounds of measurements within minutes, recorded as they end; many of them, hours apart, make a series."""

import datetime
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from codealong import hardware, records, training
from codealong.arms import ARMS
from codealong.measure.worker import BenchError

STALE_HOURS = 1
"""A campaign is a matter of minutes: one that began longer ago is not gone on with, and another one is due."""

VERSION = 1


@dataclass(frozen=True)
class Series:
    """Campaigns of one kind.

    Attributes
    ----------
    command : str
        That measures one, `python -m codealong` before it.
    folder : str
        In that of a machine; a record for each campaign, named after the time when it began.
    kind : str
        Of the records.
    rounds : int
        In a whole campaign.
    one_round : callable
        Gets the names of the arms, the batch size, the number of the round from 0, and a function that is told where it
        is; returns `provenance` of a process and a dict, with whatever was measured and a `date`.
    """

    command: str
    folder: str
    kind: str
    rounds: int
    one_round: callable

    def measure(self, machine, rounds=None, say=print):
        """Measure a campaign, each round written as it ends; go on with one that was stopped within `STALE_HOURS`.

        Parameters
        ----------
        machine : path
            Folder of a machine.
        rounds : int, optional
            Other than `self.rounds`.
        say : callable, optional
            Is told where it is.

        Returns
        -------
        Path
            Of its record.

        Raises
        ------
        BenchError
            When the folder has campaigns of another machine.
        """
        rounds = rounds or self.rounds
        self._ensure_same(machine, hardware.provenance())
        path, record = self._begun(machine, rounds)
        record = record or {"arms": here(), "batch": training.RECIPE.batch_size, "provenance": None, "rounds": []}
        records.ensure_writable(path.parent)
        took = []
        for number in range(len(record["rounds"]), rounds):
            left = f"; about {np.ceil(np.mean(took) * (rounds - number) / 60):.0f} min left" if took else ""
            say(f"{self.kind}, round {number + 1} of {rounds}{left}")
            started = time.perf_counter()
            provenance, measured = self.one_round(record["arms"], record["batch"], number, say)
            record["provenance"] = record["provenance"] or provenance
            record["rounds"].append(measured)
            records.write(path, self.kind, VERSION, record)
            took.append(time.perf_counter() - started)
        return path

    def due(self, machine):
        """Tell whether the last campaign of a machine was stopped, or began longer ago than `STALE_HOURS`."""
        campaigns = [self._read(path) for path in self._paths(machine)]
        return not campaigns or len(campaigns[-1]["rounds"]) < self.rounds or _age(campaigns[-1]) > STALE_HOURS

    def read_all(self, machine=records.REFERENCE, rounds=None):
        """Return the whole campaigns of a machine, by date; one that was stopped too early is left out.

        Returns
        -------
        list of dict
            `arms`, `batch`, `provenance` (of the first process), and `rounds`, as `one_round` returned them.

        Raises
        ------
        records.RecordError
        """
        return [
            each for each in map(self._read, self._paths(machine)) if len(each["rounds"]) >= (rounds or self.rounds)
        ]

    def _paths(self, machine):
        return sorted((Path(machine) / self.folder).glob("*.json"))

    def _read(self, path):
        again = f"measure another one with `python -m codealong {self.command}`"
        return records.read(path, self.kind, VERSION, again)[0]

    def _ensure_same(self, machine, provenance):
        for path in self._paths(machine):
            its = self._read(path)["provenance"]
            for field in set(hardware.MACHINE) - {"allocator"}:  # workers choose their own
                if its.get(field, provenance[field]) != provenance[field]:
                    raise BenchError(
                        f"{path} was measured with {field} {its[field]}, and this machine has {provenance[field]}: "
                        "choose another folder with --into; `make machine` names one after the machine."
                    )

    def _begun(self, machine, rounds):
        """Return the path and the record of a campaign to go on with, or of a new one."""
        for path in self._paths(machine)[-1:]:
            record = self._read(path)
            if len(record["rounds"]) < rounds and _age(record) < STALE_HOURS:
                return path, record
        now = datetime.datetime.now(datetime.timezone.utc)
        return Path(machine) / self.folder / f"{now:%Y-%m-%dT%H-%M-%S}.json", None


def here():
    """Return the names of the arms that can run on this machine."""
    return [name for name, arm in ARMS.items() if arm.status().usable]


def _age(campaign):
    """Return the hours since a campaign began."""
    began = datetime.datetime.fromisoformat(campaign["rounds"][0]["date"])
    return (datetime.datetime.now(datetime.timezone.utc) - began).total_seconds() / 3600

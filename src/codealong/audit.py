"""Compares what is known against the locked packages with what SECURITY.md says of it."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from codealong import ROOT, CourseError, files

PINS = ROOT / "constraints.txt"
SECURITY = ROOT / "SECURITY.md"
ADVISORIES = Path(__file__).with_name("advisories.json")
"""What the PyPA's advisory database says of locked packages, and its date; for where the package index is silent."""

UV = (sys.executable, "-m", "uv")
PIP_AUDIT = "pip-audit@2.10.1"
_NAME = re.compile(r"\b(?:PYSEC|CVE|GHSA)-[\w-]+")


class AuditError(CourseError):
    """SECURITY.md does not say what is known; the message names the difference."""


class Advisory(NamedTuple):
    """A known vulnerability of a pinned package; `names` are those that it has in several databases."""

    package: str
    version: str
    names: tuple


def report():
    """Return what is known against the locked packages, as a page.

    Raises
    ------
    AuditError
        When SECURITY.md lacks an advisory, or explains one that does not apply.
    """
    found, source = _asked(), "the package index"
    if found is None:
        shipped = json.loads(ADVISORIES.read_text(encoding="utf-8"))
        found, source = applying(shipped["advisories"], _pins()), f"the shipped advisories of {shipped['date']}"
    check(found, SECURITY.read_text(encoding="utf-8"))
    lines = [f"{one.package} {one.version}: {', '.join(one.names)}" for one in found]
    return "\n".join([*lines, f"\n{len(found)} known to {source}; SECURITY.md says what each one means here."])


def check(found, security):
    """Raise AuditError where the advisories that apply and the headings of SECURITY.md differ."""
    entries = [set(_NAME.findall(line)) for line in security.splitlines() if line.startswith("### ")]
    known = {name for one in found for name in one.names}
    problems = [
        f"does not explain {one.names[0]} of {one.package} {one.version}"
        for one in found
        if not any(entry & {*one.names} for entry in entries)
    ]
    problems += [f"explains {', '.join(sorted(entry))}, which does not apply" for entry in entries if not entry & known]
    if problems:
        raise AuditError(f"SECURITY.md {', and '.join(problems)}: change its entries, or the lock.")


def applying(advisories, pins):
    """Return the advisories that apply to pinned versions.

    Parameters
    ----------
    advisories : list of dict
        As `gathered` returns them.
    pins : list of (str, str)
        Names and versions.

    Returns
    -------
    list of Advisory
    """
    return [
        Advisory(name, version, tuple(one["names"]))
        for name, version in pins
        for one in advisories
        if one["package"] == name
        and any(SpecifierSet(part).contains(version, prereleases=True) for part in one["affected"])
    ]


def gather(database):
    """Write the shipped advisories again, from a clone of the PyPA's advisory database."""
    import yaml

    read = [
        yaml.safe_load(path.read_bytes())
        for name in sorted({name for name, _ in _pins()})
        for path in sorted(Path(database).glob(f"vulns/{name}/*.yaml"))
    ]
    if not read:
        raise AuditError(f"{database} has no folder vulns: clone the PyPA's advisory-database, and name that folder.")
    lines = ",\n".join(json.dumps(gathered(one)) for one in read if "withdrawn" not in one)
    date = max(str(one["modified"]) for one in read)[:10]
    files.write(ADVISORIES, f'{{"date": "{date}", "advisories": [\n{lines}\n]}}\n'.encode())


def gathered(entry):
    """Return the package, the names and the affected versions of an entry of the database, these as specifiers."""
    (affected,) = entry["affected"]
    parts = [
        part for ranges in affected["ranges"] if ranges["type"] == "ECOSYSTEM" for part in _parts(ranges["events"])
    ]
    return {
        "package": canonicalize_name(affected["package"]["name"]),
        "names": [entry["id"], *entry.get("aliases", ())],
        "affected": parts or [f"=={version}" for version in affected["versions"]],
    }


def _parts(events):
    """Return a specifier for each stretch of versions between two events."""
    parts = []
    for event in events:
        ((what, version),) = event.items()
        version = re.split("[-+]", version)[0]  # there are "2.6.0-NA" and "2.6.0+cu124"
        if what == "introduced":
            parts.append(f">={version}")
        else:
            parts[-1] += f",{'<' if what == 'fixed' else '<='}{version}"
    return parts


def _pins():
    lines = PINS.read_text(encoding="utf-8").splitlines()
    required = [Requirement(line) for line in lines if not line.startswith("#")]
    return [(canonicalize_name(pin.name), str(pin.specifier).removeprefix("==")) for pin in required]


def _asked():
    """Return what pip-audit learns from the package index, or None where that does not say."""
    command = [*UV, "tool", "run", "--quiet", PIP_AUDIT, "--disable-pip", "--no-deps", "--progress-spinner", "off"]
    command += ["--requirement", PINS, "--format", "json"]
    said = subprocess.run(command, capture_output=True, text=True).stdout
    try:
        packages = json.loads(said)["dependencies"]
    except ValueError:
        return None
    if not any("vulns" in package for package in packages):
        return None
    return [
        Advisory(package["name"], package["version"], (one["id"], *one["aliases"]))
        for package in packages
        for one in package.get("vulns", ())
    ]

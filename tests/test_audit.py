"""SECURITY.md explains each advisory that applies to a locked package, and no other."""

import json
import sys

import pytest

from codealong import ROOT, audit

DATE, ADVISORIES = json.loads(audit.ADVISORIES.read_text()).values()
TEXT = audit.SECURITY.read_text()


@pytest.fixture
def silent(monkeypatch):
    """The package index does not answer."""
    monkeypatch.setattr(audit, "UV", (sys.executable, "-c", "print('no network')"))


def entry(*rest, fixed="2.9.0", what="fixed"):
    events = [{"introduced": "1.0"}, {what: fixed}, *rest]
    ranges = [{"type": "GIT", "events": [{"introduced": "0"}]}, {"type": "ECOSYSTEM", "events": events}]
    affected = {"package": {"name": "Torch_X"}, "ranges": ranges, "versions": ["1.5"]}
    return {"id": "PYSEC-1-1", "aliases": ["CVE-1-1"], "affected": [affected]}


def applies(entry, version):
    return bool(audit.applying([audit.gathered(entry)], [("torch-x", version)]))


def test_security_md_explains_what_is_known(silent):
    said = audit.report()
    assert "torch 2.8.0: PYSEC-2026-139, CVE-2026-4538" in said
    assert said.endswith(f"known to the shipped advisories of {DATE}; SECURITY.md says what each one means here.")


def test_every_entry_says_whether_the_course_reaches_it():
    entries = TEXT.partition("## Known vulnerabilities")[2].partition("\n## ")[0].split("\n### ")[1:]
    assert len(entries) >= 5
    assert all("**Not reached" in text or "**Reached" in text for text in entries)


def test_an_advisory_that_is_not_explained_is_named():
    one = audit.Advisory("jinja2", "3.1.2", ("PYSEC-9-9", "CVE-9-9"))
    with pytest.raises(audit.AuditError, match=r"^SECURITY\.md does not explain PYSEC-9-9 of jinja2 3\.1\.2: change"):
        audit.check([*audit.applying(ADVISORIES, audit._pins()), one], TEXT)


def test_an_explanation_of_what_does_not_apply_is_named(silent):
    known = audit.applying(ADVISORIES, [("torch", "2.8.0")])
    with pytest.raises(
        audit.AuditError, match=r"explains CVE-2025-55551, PYSEC-2025-203, which does not apply: change"
    ):
        audit.check([one for one in known if "CVE-2025-55551" not in one.names], TEXT)


def test_any_of_its_names_explains_an_advisory():
    audit.check([audit.Advisory("torch", "2.8.0", ("GHSA-a", "CVE-1-1"))], "### CVE-1-1 (PYSEC-1-1): words\nGHSA-other")


@pytest.mark.parametrize(
    ("version", "fixed", "last_affected"),
    [
        ("0.9", False, False),
        ("1.0", True, True),
        ("2.8.0", True, True),
        ("2.9.0", False, True),
        ("2.9.1", False, False),
    ],
)
def test_an_advisory_applies_from_its_first_version_to_its_last(version, fixed, last_affected):
    assert applies(entry(), version) == fixed
    assert applies(entry(what="last_affected", fixed="2.9.0-NA"), version) == last_affected


def test_an_advisory_can_apply_again_later_without_end():
    again = entry({"introduced": "3.0"})
    assert [applies(again, version) for version in ("2.8", "2.9", "3.0", "9.0")] == [True, False, True, True]


def test_an_advisory_without_ranges_applies_to_its_versions():
    listed = entry()
    listed["affected"][0]["ranges"] = []
    assert applies(listed, "1.5") and not applies(listed, "1.6")


def test_the_index_is_believed_where_it_answers(monkeypatch):
    vulnerable = {"name": "jinja2", "version": "3.1.2", "vulns": [{"id": "PYSEC-9-9", "aliases": ["CVE-9-9"]}]}
    said = json.dumps({"dependencies": [vulnerable, {"name": "torch", "skip_reason": "not found"}]})
    monkeypatch.setattr(audit, "UV", (sys.executable, "-c", f"print({said!r})"))
    with pytest.raises(audit.AuditError, match=r"does not explain PYSEC-9-9 of jinja2 3\.1\.2, and explains"):
        audit.report()


def test_an_index_that_skips_every_package_has_not_answered(monkeypatch):
    said = json.dumps({"dependencies": [{"name": "torch", "skip_reason": "not found"}]})
    monkeypatch.setattr(audit, "UV", (sys.executable, "-c", f"print({said!r})"))
    assert "the shipped advisories" in audit.report()


def test_the_advisories_are_gathered_from_a_clone(tmp_path, monkeypatch):
    import yaml

    (tmp_path / "vulns" / "torch").mkdir(parents=True)
    for number, more in enumerate(({}, {"withdrawn": "2026-01-03"})):
        text = yaml.safe_dump(
            {**entry(), "id": f"PYSEC-1-{number}", "modified": f"2026-01-0{number + 1}T00:00:00Z", **more}
        )
        (tmp_path / "vulns" / "torch" / f"{number}.yaml").write_text(text)
    monkeypatch.setattr(audit, "ADVISORIES", tmp_path / "advisories.json")
    audit.gather(tmp_path)
    affected = [{"package": "torch-x", "names": ["PYSEC-1-0", "CVE-1-1"], "affected": [">=1.0,<2.9.0"]}]
    assert json.loads(audit.ADVISORIES.read_text()) == {"date": "2026-01-02", "advisories": affected}


def test_a_folder_that_is_no_database_is_refused(tmp_path):
    before = audit.ADVISORIES.read_bytes()
    with pytest.raises(audit.AuditError, match="has no folder vulns: clone"):
        audit.gather(tmp_path)
    assert audit.ADVISORIES.read_bytes() == before and (ROOT / "SECURITY.md").exists()

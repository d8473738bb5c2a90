import pytest

from codealong import checks


def test_claims_that_hold_are_ticked(capsys):
    checks.claims({"two and two are four": True, "water is wet": True})
    assert capsys.readouterr().out == "✅ two and two are four\n✅ water is wet\n"


def test_a_claim_that_does_not_hold_is_shown_with_the_others_and_then_raised(capsys):
    with pytest.raises(checks.ClaimError, match="does not hold here: pigs fly"):
        checks.claims({"pigs fly": False, "water is wet": True})
    assert capsys.readouterr().out == "❌ pigs fly\n✅ water is wet\n"

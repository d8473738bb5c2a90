"""The claims a notebook ends with, each checked against what was just computed."""


class ClaimError(AssertionError):
    """What a notebook says is not what it computed."""


def claims(statements):
    """Print each claim with ✅ or ❌.

    Parameters
    ----------
    statements : dict of str to bool
        What is claimed, and whether it holds.

    Raises
    ------
    ClaimError
        After all are printed, when some do not hold; it names them.
    """
    for statement, holds in statements.items():
        print("✅" if holds else "❌", statement)
    broken = [statement for statement, holds in statements.items() if not holds]
    if broken:
        raise ClaimError(f"does not hold here: {'; '.join(broken)}")

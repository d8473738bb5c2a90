"""What a page may run and load, said in the page itself: no script but the course's own, and nothing from a network."""

import base64
import hashlib

CHARSET = '<meta charset="utf-8"'


def element(*scripts, folder=False, frames=False):
    """Return a Content-Security-Policy as an element of a page's head.

    Parameters
    ----------
    *scripts : str
        The text of each inline script that may run; a browser refuses any other, such as one in the output of a cell.
    folder : bool
        Whether scripts, styles and pictures may also come from the folder of the page.
    frames : bool
        Whether the page may show itself in a frame.

    Returns
    -------
    str
    """
    own = ["'self'"] if folder else []
    rules = {
        "default-src": [],
        "script-src": [*own, *map(_digest, scripts)],
        "style-src": [*own, "'unsafe-inline'"],
        "img-src": [*own, "data:"],
        "font-src": own,
        "connect-src": own,
        "frame-src": ["'self'"] if frames else [],
        "form-action": own,
        "base-uri": [],
    }
    content = "; ".join(" ".join([name, *(sources or ["'none'"])]) for name, sources in rules.items())
    return f'<meta http-equiv="Content-Security-Policy" content="{content}">'


def guarded(html, *scripts, frames=False):
    """Return a page that is one file, with its policy before everything that it could refuse."""
    return html.replace(CHARSET, f"{element(*scripts, frames=frames)}{CHARSET}", 1)


def _digest(script):
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"

"""Writes a file whole or not at all."""

import os
import tempfile
from pathlib import Path


def write(path, content):
    """Write a file whole or not at all, also when another process writes the same one.

    Parameters
    ----------
    path : Path
        Its folder is made where it is missing.
    content : bytes

    Raises
    ------
    OSError
        When the folder cannot be written; nothing is left behind.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, new = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(new, 0o644)
        os.replace(new, path)
    except BaseException:
        os.unlink(new)
        raise

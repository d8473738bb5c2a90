"""Estimates how high a cell is on a slide, without a browser.

The measures are those of `templates/slides/slides.css`, with wide letters (DejaVu): a slide with narrower ones has room
to spare. Nothing becomes smaller for being high; but code and text with a line of more than 107 characters, and tables
that are wide or long, have letters of 16 px instead of 18 px.
"""

import base64
import itertools
import math
import re
import struct

WIDTH, ROOM = 1200, 640
"""Px for content on a slide of 1280 x 720."""

_TEXT = (96, 30, 14)  # letters in a line, px of a line, px after the last one
_ITEM = (92, 30, 6)
_HEADINGS = {"#": (44, 56, 24), "##": (58, 44, 18), "###": (72, 36, 14)}
_CODE = (107, 24.3, 34)
_SMALL_CODE = (120, 21.6, 34)
_TABLE = (11.5, 29, 22)  # px of a letter, of a row, and of each further line in it
_SMALL_TABLE = (10.2, 26, 19)
_MOST_ROWS = 14
_PICTURE = 330  # at most, of a picture that prose refers to
_MARKUP = re.compile(r"<[^>]+>|\]\([^)]*\)|[*`\[]")


def code(cell):
    """Estimate a code cell without its figures.

    Parameters
    ----------
    cell : nbformat.NotebookNode

    Returns
    -------
    float
        Px.
    """
    small = is_small(cell)
    total = lines(cell.source, small) if source_shown(cell) else 0
    for text, html, png in map(content, cell.outputs):
        if html:
            total += table(html)
        elif text.strip() and not png:
            total += lines(text.rstrip("\n"), small)
    return total


def figures(cell):
    """Return the width and height of each figure of a code cell, in its own pixels."""
    pngs = [content(output)[2] for output in cell.get("outputs", [])]
    return [struct.unpack(">II", base64.b64decode(png[:64])[16:24]) for png in pngs if png]


def lines(text, small):
    """Estimate code or text, in px."""
    columns, line, around = _SMALL_CODE if small else _CODE
    return around + line * sum(max(1, math.ceil(len(row) / columns)) for row in text.split("\n"))


def table(html):
    """Estimate a table, in px."""
    letter, row, further = _SMALL_TABLE if _is_small_table(html) else _TABLE
    rows = _rows(html)
    wrapped = rows if _width(rows, letter) > WIDTH else []
    return 20 + row * len(rows) + further * sum(any(" " in cell for cell in row) for row in wrapped)


def prose(source):
    """Estimate Markdown, with every answer of a question folded out, in px."""
    return sum(map(_block, blocks(source)))


def blocks(source):
    """Split Markdown at empty lines, but not inside code and `<details>`."""
    found, inside = [""], False
    for line in source.split("\n"):
        if line.startswith("<details") or not (line.strip() or inside):
            found.append("")
        if line.startswith("```"):
            inside = not inside
        inside = (inside or "<details" in line) and "</details>" not in line
        found[-1] += ("\n" if found[-1] else "") + line
        if "</details>" in line:
            found.append("")
    return [block.strip("\n") for block in found if block.strip()]


def content(output):
    """Return the text, the HTML and the PNG (in base64) of an output; what it does not show is empty."""
    if output.output_type == "stream":
        return output.text, "", ""
    if output.output_type == "error":
        return "\n".join(output.traceback), "", ""
    html, png = output.data.get("text/html", ""), output.data.get("image/png", "")
    return ("" if html or png else output.data.get("text/plain", "")), html, ("" if html else png)


def source_shown(cell):
    """Say whether the code of a cell stands on a slide."""
    hidden = cell.metadata.get("jupyter", {}).get("source_hidden")
    return bool(cell.source.strip()) and not hidden and not cell.metadata.get("transient", {}).get("remove_source")


def is_small(cell):
    """Say whether a code cell has the smaller letters."""
    shown = [content(output) for output in cell.outputs]
    texts = [cell.source if source_shown(cell) else "", *(text for text, _, _ in shown)]
    longest = max(len(line) for text in texts for line in text.split("\n"))
    return longest > _CODE[0] or any(_is_small_table(html) for _, html, _ in shown if html)


def _is_small_table(html):
    rows = _rows(html)
    return len(rows) > _MOST_ROWS or _width(rows, _TABLE[0]) > WIDTH


def _width(rows, letter):
    return sum(letter * max(map(len, column)) + 19 for column in itertools.zip_longest(*rows, fillvalue=""))


def _rows(html):
    rows = re.findall(r"<tr.*?</tr>", html, re.S)
    return [[_MARKUP.sub("", cell).strip() for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.S)] for row in rows]


def _block(block):
    if block.startswith("```"):
        return lines(block, small=False)
    if block.startswith("<details"):
        reason = re.sub(r"<summary>.*?</summary>", "", block, flags=re.S)
        return 52 + _wrapped(reason, _ITEM)
    joined = re.sub(r"\n(?!\s*(?:[-*|#>]|\d+\.)\s?)", " ", block).split("\n")
    return sum(map(_line, joined)) + (8 if len(joined) > 1 else 0)


def _line(line):
    kind = line.split(" ")[0]
    if kind in _HEADINGS:
        return _wrapped(line, _HEADINGS[kind])
    if line.startswith("|"):
        return 38
    if "![" in line or "<img" in line:
        return _PICTURE
    return _wrapped(line, _ITEM if re.match(r"\s*([-*>]|\d+\.) ", line) else _TEXT)


def _wrapped(text, measures):
    letters, line, after = measures
    return line * math.ceil(len(_MARKUP.sub("", text).strip()) / letters) + after

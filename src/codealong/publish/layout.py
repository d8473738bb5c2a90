"""Decides what stands on which slide, from slide types and estimated `heights`, without a browser.

- A cell of type ``slide`` begins a slide, and so does a heading; ``skip`` is left out; ``notes`` belong to the slide
  where the cell before them begins, and to those after it until the next notes. Every other cell goes where the cell
  before it stands, if there is room. (``subslide`` says where a slide has to end that cannot divide a cell, as those of
  JupyterLab. Here a cell can be divided, and it is nothing but a ``fragment``.)
- Prose is cut before a heading, **Predict.** and **Your turn.**, so that an explanation can stand below its output and
  a question above its answer: prose that leads to code begins a slide with it, or with its source, when one slide
  holds both and the present one does not.
- What no slide holds is cut further: outputs from their code, prose between paragraphs and items, lines where one is
  empty, tables between rows. No letters become smaller.
- Figures have at least four fifths of their size where a slide can give them that, and grow into the room that is left.
"""

import copy
import math
import re
from dataclasses import dataclass, field

import nbformat

from codealong.publish import heights
from codealong.publish.heights import ROOM, WIDTH

_LARGEST = 1.3
_GAP = 12  # px below a figure


@dataclass
class Part:
    """Something that no two slides divide between them: a cell, or a piece of one."""

    cell: nbformat.NotebookNode
    begins: str
    height: float  # without its figures
    figures: list
    notes: list = field(default_factory=list)

    @property
    def least(self):
        """Px that it needs."""
        most = 0.85 * ROOM / max(1, len(self.figures))
        small = [min(0.8 * min(1, WIDTH / width) * height, most) + _GAP for width, height in self.figures]
        return self.height + sum(small)


@dataclass
class Page:
    """A slide: its parts from top to bottom, and the cells of notes to it."""

    begins: str
    parts: list = field(default_factory=list)
    notes: list = field(default_factory=list)

    @property
    def left(self):
        """Px that are free."""
        return ROOM - sum(part.least for part in self.parts)

    @property
    def scale(self):
        """How much its figures grow or shrink to fill it."""
        sizes = [size for part in self.parts for size in part.figures]
        room = ROOM - sum(part.height for part in self.parts) - _GAP * len(sizes)
        widest = max((width for width, _ in sizes), default=WIDTH)
        return min(_LARGEST, WIDTH / widest, room / max(1, sum(height for _, height in sizes)))


def pages(notebook):
    """Return what stands on each slide of a notebook.

    Parameters
    ----------
    notebook : nbformat.NotebookNode

    Returns
    -------
    list of Page
    """
    made = []
    parts = _parts(notebook.cells)
    for part, following in zip(parts, [*parts[1:], None], strict=True):
        if not made or part.begins in ("slide", "subslide"):
            made.append(Page(part.begins if made else "slide"))
        _place(part, following, made)
    for before, page in zip([None, *made], made, strict=False):
        page.parts[0].begins = page.begins
        page.notes = page.notes or (before.notes if before else [])
    return made


def height(cell):
    """Estimate how high a cell is on a slide, with its figures as small as they may be.

    Parameters
    ----------
    cell : nbformat.NotebookNode

    Returns
    -------
    float
        Px.
    """
    return _part(cell, "-").least


def leads(cell):
    """Say whether a cell is prose that the next one answers."""
    return cell.cell_type == "markdown" and not cell.source.startswith("**Explain.**")


def _parts(cells):
    parts, notes, first = [], [], None
    for cell in cells:
        kind = cell.metadata.get("slideshow", {}).get("slide_type", "-")
        if kind == "notes":
            (first.notes if first else notes).append(cell)
        elif kind != "skip" and cell.cell_type != "raw":
            pieces = _pieces(cell, "fragment" if kind == "subslide" else kind)
            first = pieces[0] if pieces else first
            parts += pieces
    if parts:
        parts[0].notes[:0] = notes
    return parts


def _pieces(cell, kind):
    if cell.cell_type == "code":
        return [_part(cell, kind)] if cell.outputs or heights.source_shown(cell) else []
    pieces = []
    for block in heights.blocks(cell.source):
        asks = block.startswith(("**Predict.**", "**Your turn.**"))
        if re.match("#{1,3} ", block) or not pieces or (asks and not all(one.startswith("#") for one in pieces[-1])):
            pieces.append([])
        pieces[-1].append(block)
    parts = [_part(_with(cell, source="\n\n".join(piece)), "fragment") for piece in pieces]
    for number, part in enumerate(parts):
        if heading := re.match("#{1,3} ", part.cell.source):
            part.begins = "subslide" if len(heading[0]) == 4 else "slide"
        elif not number:
            part.begins = kind
    return parts


def _part(cell, begins):
    if cell.cell_type == "code":
        return Part(cell, begins, heights.code(cell), heights.figures(cell))
    return Part(cell, begins, heights.prose(cell.source), [])


def _place(part, following, made):
    """Put a part on the last slide, or on new ones."""
    page = made[-1]
    if page.parts and _together(part, following) > page.left and part.least <= ROOM:
        if leads(page.parts[-1].cell) and _source_height(part) <= page.left and part.cell.get("outputs"):
            page.parts.append(_part(_with(part.cell, outputs=[]), part.begins))
            part = _part(_without_source(part.cell), "-")
        made.append(Page("subslide"))
    for number, smaller in enumerate([part] if part.least <= ROOM else _divided(part)):
        if smaller.least > made[-1].left and made[-1].parts:
            made.append(Page("subslide"))
        made[-1].parts.append(smaller)
        if not number:
            made[-1].notes += part.notes


def _together(part, following):
    """Return the px of a part and of what has to stand below it on its slide."""
    if following is not None and following.begins not in ("slide", "subslide") and leads(part.cell):
        for answer in (following.least, _source_height(following)):
            if part.least + answer <= ROOM:
                return part.least + answer
    return part.least


def _source_height(part):
    if part.cell.cell_type != "code" or not heights.source_shown(part.cell):
        return math.inf
    return heights.lines(part.cell.source, heights.is_small(part.cell))


def _divided(part):
    """Cut a part that no slide holds."""
    if part.cell.cell_type == "code":
        cells = _divided_code(part.cell)
    else:
        items = [item for block in heights.blocks(part.cell.source) for item in _items(block)]
        cells = [_with(part.cell, source=text) for text in _headed(items)]
    return [_part(cell, "-" if number else part.begins) for number, cell in enumerate(cells)]


def _items(block):
    if not re.match(r"([-*]|\d+\.) ", block):
        return [block]
    return re.split(r"\n(?=(?:[-*]|\d+\.) )", block)


def _headed(blocks):
    """Join each heading with the block below it."""
    joined = []
    for number, block in enumerate(blocks):
        if number and blocks[number - 1].startswith("#"):
            joined[-1] += f"\n\n{block}"
        else:
            joined.append(block)
    return joined


def _divided_code(cell):
    small = heights.is_small(cell)
    if heights.source_shown(cell):
        for text in _chunks(cell.source, small):
            yield _with(cell, source=text, outputs=[])
    for output in cell.outputs:
        for smaller in _divided_output(output, small):
            yield _without_source(_with(cell, outputs=[smaller]))


def _divided_output(output, small):
    text, html, _ = heights.content(output)
    if html and heights.table(html) > ROOM:
        return [_with(output, data={"text/html": piece}) for piece in _divided_table(html)]
    if text and heights.lines(text.rstrip("\n"), small) > ROOM:
        return [nbformat.v4.new_output("stream", text=chunk) for chunk in _chunks(text.rstrip("\n"), small)]
    return [output]


def _divided_table(html):
    head, body, tail = re.fullmatch("(.*<tbody>)(.*)(</tbody>.*)", html, re.S).groups()
    rows = re.findall("<tr.*?</tr>", body, re.S)
    size = math.ceil(len(rows) / math.ceil(heights.table(html) / (0.8 * ROOM)))
    return [head + "".join(rows[start : start + size]) + tail for start in range(0, len(rows), size)]


def _chunks(text, small):
    """Cut text into pieces that a slide holds, of even length, at empty lines where there are some."""
    if heights.lines(text, small) <= ROOM:
        return [text]
    lines = text.split("\n")
    most = max(n for n in range(1, len(lines)) if heights.lines("\n".join(lines[:n]), small) <= ROOM)
    even = len(lines) / math.ceil(len(lines) / most)
    empty = [n for n in range(most // 3, most + 1) if not lines[n].strip()]
    end = min(empty, key=lambda n: abs(n - even)) if empty else most
    return ["\n".join(lines[:end]).rstrip("\n"), *_chunks("\n".join(lines[end:]).strip("\n"), small)]


def _with(node, **changes):
    new = copy.deepcopy(node)
    new.update(changes)
    return new


def _without_source(cell):
    new = _with(cell)
    new.metadata.transient = {"remove_source": True}
    return new

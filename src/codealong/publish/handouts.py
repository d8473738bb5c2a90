"""What is printed: a page for each lesson, the answers for the instructor, and the slides; as PDF, by Chromium."""

import re
import textwrap
from pathlib import Path

import nbformat

from codealong import ROOT, files
from codealong.publish import course, editions, guide, pages, photographs, policy, slides

FOLDER = ROOT / "build" / "handout"
STYLE = pages.TEMPLATES / "handout.css"

_QUESTION = re.compile(r"\*\*(?:Predict\.\*\*|\d\. ).*?(?=\n\n(?:<details>|\*\*Your turn)|\Z)", re.S)
_OPTION = re.compile(r"<details><summary>(.*?)</summary>\s*(.*?)\s*</details>", re.S)


def write(folder=FOLDER):
    """Write the handouts, the answers and the slides; as PDF too where a browser can print.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    list of Path

    Raises
    ------
    CourseError
        When there is no browser; the HTML pages are written by then.
    """
    folder = Path(folder)
    printed = {f"{path.stem}.html": page(handout(path)) for path in course.notebooks()}
    printed["answers.html"] = page("\n\n".join(map(answers, course.notebooks())))
    for name, html in printed.items():
        files.write(folder / name, html.encode())
    decks = [path for path in slides.write(folder / "slides") if not path.stem.endswith("-45")]
    with photographs.browser() as opened:
        return [_pdf(opened, folder / name) for name in printed] + [_pdf(opened, deck, "?print-pdf") for deck in decks]


def page(markdown):
    """Return Markdown as an HTML page to print, which requests nothing; its first line is the title."""
    from nbconvert.filters import markdown2html

    title = markdown.partition("\n")[0].lstrip("# ")
    head = (
        f'<!DOCTYPE html><html lang="en">{policy.element()}<meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title} · Fashion-MNIST</title><style>{STYLE.read_text(encoding='utf-8')}</style>"
    )
    return f"{head}<main>{markdown2html(markdown)}</main></html>"


def handout(path):
    """Return the page of a lesson as Markdown: question, what was learnt and shown, lines to type, what is next.

    Parameters
    ----------
    path : Path
        Of the notebook.
    """
    cells = nbformat.read(path, as_version=4).cells
    opening, _, learnt = cells[0].source.partition("*You will learn*")
    typed = [code for cell in cells if cell.cell_type == "code" for code in solutions(cell.source)]
    shown = "\n".join(f"- {claim}" for claim in re.findall("^✅ (.*)$", cells[-2].outputs[0].text, re.M))
    text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    following = cells[-1].source[cells[-1].source.index("**What comes next.**") :]
    parts = [
        opening.strip(),
        "## You have learnt",
        _unlinked(learnt.partition("*Needs*")[0].strip()),
        "## You have shown",
        shown,
        "## The lines worth typing",
        *map("```python\n{}\n```".format, typed),
        *map(_unlinked, re.findall(r"^## A checklist.*?(?=\n## )", text, re.M | re.S)),
        "**At home.** Type what you have not typed yet, and take the quiz on the course's pages.",
        _unlinked(following),
    ]
    return "\n\n".join(parts)


def answers(path):
    """Return the answers of a lesson as Markdown: what was to be predicted, what was to be typed, and its quiz."""
    cells = nbformat.read(path, as_version=4).cells
    parts = [cells[0].source.partition("\n")[0]]
    for number, cell in enumerate(cells):
        if cell.cell_type == "code":
            parts += map("```python\n{}\n```".format, solutions(cell.source))
        elif "**Predict.**" in cell.source:
            parts.append(_answered(cell.source, _explained(cells[number + 1 :])))
    _, *questions = re.split(r"^(?=\*\*\d\. )", guide.quiz(path.stem), flags=re.M)
    return "\n\n".join([*parts, "## The quiz", *map(_answered, questions)])


def solutions(source):
    """Return each function of a code cell that holds a solution: its first line, and the solution.

    Parameters
    ----------
    source : str

    Returns
    -------
    list of str
        A class is returned whole.
    """
    if editions.BEGIN in source and (found := re.search(r"^class .*?(?=\n\n\n|\Z)", source, re.M | re.S)):
        return [editions.without_marks(found[0])]
    typed, heading, solution = [], "", None
    for line in source.splitlines():
        mark = line.strip()
        if mark == editions.BEGIN:
            solution = [heading]
        elif mark == editions.END:
            typed.append(textwrap.dedent("\n".join(solution)))
            solution = None
        elif solution is not None:
            solution.append(line)
        elif mark.startswith("def "):
            heading = line
    return typed


def _answered(source, otherwise=""):
    """Return a question with its right option, or with what explains it where it has none."""
    question = _unlinked(_QUESTION.search(source)[0].strip())
    options = _OPTION.findall(source)
    right = [f"**{option}.** {reason.removeprefix('Yes.')}" for option, reason in options if reason.startswith("Yes")]
    points = re.split(r"\n+(?=- )", (right or [_unlinked(otherwise)])[0])  # of a list stay points
    return f"{question}\n\n" + "\n".join(f"> {' '.join(point.split())}" for point in points)


def _explained(cells):
    """Return the paragraph that explains a question, of the cells behind it; another question may come first."""
    for cell in cells:
        places = [cell.source.find(mark) for mark in ("**Explain.**", "**Predict.**")]
        if places[0] >= 0 and (places[1] < 0 or places[0] < places[1]):
            return cell.source[places[0] :].partition("\n\n")[0]
        if places[1] >= 0:
            break
    return "(Open: what counts is that it is written down first.)"


def _unlinked(markdown):
    return re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", markdown)


def _pdf(browser, path, query=""):
    shown = browser.new_page()
    shown.goto(path.as_uri() + query)
    if query:
        shown.wait_for_selector(".pdf-page")
    shown.evaluate(
        "document.querySelectorAll('a[href]').forEach(link => link.removeAttribute('href'))"
    )  # files of here
    shown.pdf(path=path.with_suffix(".pdf"), prefer_css_page_size=True)
    shown.close()
    return path.with_suffix(".pdf")

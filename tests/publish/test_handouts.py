"""A handout fits one page, and nothing that is answered in the course is without its answer on the sheet."""

import re

import nbformat
import pytest

from codealong import CourseError
from codealong.publish import course, editions, guide, handouts, pages


@pytest.fixture(params=course.notebooks(), ids=lambda path: path.stem)
def path(request):
    return request.param


def test_a_handout_has_the_question_the_solutions_and_what_comes_next(path):
    printed = handouts.handout(path)
    cells = nbformat.read(path, as_version=4).cells
    assert printed.startswith(cells[0].source.partition("\n")[0])
    assert re.search(r"^\*\*.+?\?\*\*$", printed, re.M | re.S) and "**What comes next.**" in printed
    lines = [line.strip() for cell in cells if cell.cell_type == "code" for line in cell.source.splitlines()]
    whole = path.stem == "02_architecture"  # its first exercise is a class, with two solutions in it
    assert printed.count("```python") == lines.count(editions.BEGIN) - whole
    assert ("class FashionCNN(nn.Module):" in printed and "super().__init__()" in printed) == whole
    assert all(code.startswith(("def ", "class ")) for code in re.findall("```python\n(.*)", printed))
    shown = re.findall("^✅ (.*)$", cells[-2].outputs[0].text, re.M)
    assert len(shown) >= 5 and all(f"\n- {claim}\n" in printed for claim in shown)
    assert "](../" not in printed and editions.BEGIN not in printed
    assert ("8. **Roofline**" in printed) == (path.stem == "09_where_the_time_goes")


def test_every_question_has_its_answer(path):
    sheet = handouts.answers(path)
    asked = sum(cell.source.count("**Predict.**") for cell in nbformat.read(path, as_version=4).cells)
    answered = re.findall(r"^> (?!- )(.*)$", sheet, re.M)
    assert len(answered) == asked + 5 and min(map(len, answered)) > 10


def test_the_sheet_gives_the_right_option_of_each_question_of_the_quiz(path):
    quiz, printed = guide.quiz(path.stem), handouts.answers(path).partition("## The quiz")[2]
    right = re.findall(r"<summary>(.*)</summary>\s+Yes\. ", quiz)
    assert re.findall(r"^\*\*(\d\. .*)\*\*$", printed, re.M) == re.findall(r"^\*\*(\d\. .*)\*\*$", quiz, re.M)
    assert re.findall(r"^> \*\*(.*?)\.\*\* ", printed, re.M) == right and len(right) == 5


def test_a_lesson_without_its_quiz_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(guide, "PAGES", tmp_path)
    with pytest.raises(CourseError, match=r"no quiz for 01_data: write quiz/01_data\.md"):
        guide.quiz("01_data")


def test_a_solution_is_printed_under_the_line_that_it_belongs_to():
    lines = [
        "def b(self):",
        '    """Say it, class by class."""',
        "    # solution",
        "    return 1",
        "    # end of solution",
        "",
        "",
        "b(1)",
    ]
    assert handouts.solutions("\n".join(lines)) == ["def b(self):\n    return 1"]
    assert handouts.solutions("print(1)") == []


def test_a_class_is_printed_whole():
    lines = [
        "import x",
        "",
        "",
        "class A:",
        "    y = 1",
        "",
        "    def b(self):",
        "        # solution",
        "        return 1",
    ]
    source = "\n".join([*lines, "        # end of solution", "", "", "A()"])
    assert handouts.solutions(source) == ["class A:\n    y = 1\n\n    def b(self):\n        return 1"]


def test_a_question_that_only_the_learner_can_answer_has_no_answer_of_another_one():
    sheet = handouts.answers(next(path for path in course.notebooks() if path.stem == "07_five_conclusions"))
    assert "would *you* call substantial? Write it down before you go on.\n\n> (Open: " in sheet
    assert sheet.count("(Open: ") == 1


def test_a_page_requests_nothing():
    page = handouts.page("# Title\n\n![picture](x.png)")
    assert handouts.STYLE.read_text() in page and "://" not in page and pages.TEMPLATES.exists()


def test_a_printed_page_links_to_no_file_of_the_machine_that_printed_it(browser, tmp_path):
    (tmp_path / "page.html").write_text('<p><a href="other.html">other</a></p>')
    assert b"/URI" not in handouts._pdf(browser, tmp_path / "page.html").read_bytes()


def test_a_list_in_an_answer_stays_a_list():
    page = handouts.page(handouts._answered("**Predict.** Which?", "They nearly tie.\n- *Batch*: a\n- *Threads*: b"))
    assert page.count("<li>") == 2 and "<blockquote>" in page


def test_each_handout_is_one_page(browser, path, tmp_path):
    file = tmp_path / "handout.html"
    file.write_text(handouts.page(handouts.handout(path)), encoding="utf-8")
    printed = handouts._pdf(browser, file).read_bytes()
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1

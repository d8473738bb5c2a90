"""The student edition is the course without its solutions; the instructor edition is all of it, with notes."""

import os
import re
from concurrent.futures import ThreadPoolExecutor

import nbformat
import pytest

from codealong.__main__ import main
from codealong.publish import course, editions, guide

PATHS = course.notebooks()

MARKED = f"""def double(number):
    \"\"\"Return twice a number.\"\"\"
    {editions.BEGIN}
    twice = number + number
    return twice
    {editions.END}


double = check(double)"""


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A folder of their own for both editions."""
    monkeypatch.setattr(editions, "FOLDER", tmp_path)
    return tmp_path


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def one_further_down(source):
    """Return the source of a cell with its links to other folders as an edition has them."""
    return source.replace("](../", "](../../")


def test_links_of_an_edition_lead_somewhere(path):
    for edition in (editions.student(path), editions.instructor(path)):
        for target in re.findall(r"\]\((\.\.[\w./-]+)\)", str_of(edition)):
            assert (editions.STUDENT / target).resolve().exists(), target


def blocks(source):
    """Return the solutions of a cell, each with its indentation and its marks."""
    return re.findall(rf"^ *{editions.BEGIN}\n.*?^ *{editions.END}$", source, flags=re.M | re.S)


def test_a_solution_becomes_a_stub_and_nothing_else_changes():
    assert editions.without_solution(MARKED) == (
        'def double(number):\n    """Return twice a number."""\n    raise NotImplementedError("your turn")\n\n\n'
        "double = check(double)"
    )
    assert editions.without_solution("a = 1\n\n# a solution is a mixture") == "a = 1\n\n# a solution is a mixture"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("# solution\na = 1", "'# solution' is never closed"),
        ("a = 1\n# end of solution", "'# end of solution' closes nothing"),
        ("# solution\n# end of solution", "there is no line between"),
        ("# solution\na = 1\n# solution\nb = 2\n# end of solution", "a second '# solution' before '# end of solution'"),
    ],
)
def test_unbalanced_marks_are_an_error_that_names_the_cell(source, said, tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("b = 1"), nbformat.v4.new_code_cell(source)])
    nbformat.write(notebook, tmp_path / "01_broken.ipynb")
    with pytest.raises(editions.EditionError, match=r"01_broken\.ipynb, code cell 2") as problem:
        editions.student(tmp_path / "01_broken.ipynb")
    assert said in str(problem.value)


def test_nothing_under_a_question_shows_its_answer(path):
    original, student = nbformat.read(path, as_version=4), editions.student(path)
    asking = [number for number, cell in enumerate(student.cells) if "**Predict.**" in cell.source]
    answered = [number for number in asking if any(cell.get("outputs") for cell in original.cells[number:][1:3])]
    assert len(answered) >= 3
    assert [cell.outputs for cell in code(student) if cell.outputs] == []
    assert {cell.execution_count for cell in code(student)} == {None}


def test_there_are_two_to_four_exercises_and_each_is_checked(path):
    original, student = nbformat.read(path, as_version=4), editions.student(path)
    stubs = [cell.source for cell in code(student) if editions.STUB in cell.source]
    assert 2 <= len(stubs) <= 4
    assert all(re.search(r"= checks\.\w+\(", stub) and '"""' in stub for stub in stubs)
    text = "\n".join(cell.source for cell in original.cells if cell.cell_type == "markdown")
    assert 2 <= text.count("**Your turn.**") <= len(stubs)
    for cell in code(original):
        if blocks(cell.source):
            assert "✅" in str(cell.outputs)


def test_with_the_solutions_put_back_it_is_the_course(path):
    original, student = nbformat.read(path, as_version=4), editions.student(path)
    assert student.metadata == original.metadata
    assert len(student.cells) == len(original.cells)
    for ours, theirs in zip(original.cells, student.cells, strict=True):
        for block in blocks(ours.source):
            indent = block[: len(block) - len(block.lstrip())]
            theirs.source = theirs.source.replace(indent + editions.STUB, block, 1)
        assert (theirs.id, theirs.cell_type, theirs.metadata) == (ours.id, ours.cell_type, ours.metadata)
        assert theirs.source == one_further_down(ours.source)


def test_no_solution_stands_anywhere_in_a_student_file():
    solutions = [
        [line.strip() for line in block.splitlines()[1:-1]]
        for path in PATHS
        for cell in code(nbformat.read(path, as_version=4))
        for block in blocks(cell.source)
    ]
    assert len(solutions) >= 12
    for path in PATHS:
        text = "\n".join(line.strip() for line in str_of(editions.student(path)).splitlines())
        marks = {f"\n{mark}\n" for mark in (editions.BEGIN, editions.END)}
        assert not [mark for mark in marks if mark in text]
        for lines in solutions:
            assert "\n".join(lines) not in text, (path.name, lines)


def str_of(notebook):
    return "\n".join(cell.source for cell in notebook.cells)


def test_the_same_bytes_come_out_when_made_twice(house):
    made = []
    for _ in range(2):
        editions.write()
        made.append({path: path.read_bytes() for path in sorted(house.rglob("*")) if path.is_file()})
    assert made[0] == made[1]
    assert len(made[0]) == 2 * len(PATHS) + 1


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """The student edition, two notebooks at a time, by name; what cannot run here is left out.

    Of notebooks that measure, the set-up and the exercises are executed: nothing that is measured depends on who typed
    a solution, and nbval measures it once, in the complete notebook.
    """
    folder = tmp_path_factory.mktemp("executed")
    editions.write(folder)
    paths = [path for path in PATHS if not course.why_skipped(nbformat.read(path, as_version=4))]
    for path in paths:
        notebook = nbformat.read(folder / "student" / path.name, as_version=4)
        if notebook.metadata.get("codealong", {}).get("needs") == "linux":
            setup, *others = code(notebook)
            notebook.cells = [setup, *(cell for cell in others if editions.STUB in cell.source)]
            nbformat.write(notebook, folder / "student" / path.name)
    environment = {"CODEALONG_SPEED": "recorded", "CODEALONG_RUNS": str(folder / "runs"), "OMP_NUM_THREADS": "1"}
    with ThreadPoolExecutor(2) as pool:
        done = pool.map(lambda path: course.execute(folder / "student" / path.name, **environment), paths)
        return dict(zip((path.name for path in paths), done, strict=True))


@pytest.mark.kernel
def test_the_student_edition_runs_and_only_its_stubs_raise(path, executed):
    if reason := course.why_skipped(nbformat.read(path, as_version=4)):
        pytest.skip(reason)
    stubs = [cell for cell in code(executed[path.name]) if editions.STUB in cell.source]
    assert len(stubs) >= 2
    for cell in code(executed[path.name]):
        printed = "".join(output.get("text", "") for output in cell.outputs)
        assert ("is yours to type" in printed) == (cell in stubs), cell.source
        expected = "raises-exception" in cell.metadata.get("tags", [])
        assert expected or not [output for output in cell.outputs if output.output_type == "error"]
        assert "❌" not in printed, printed


def test_what_was_typed_is_kept_and_the_new_edition_is_put_beside_it(house, monkeypatch, capsys):
    editions.write()
    first, second = (house / "student" / path.name for path in PATHS[:2])
    typed = nbformat.read(first, as_version=4)
    typed.cells[1].source += "\nmine = 1"
    nbformat.write(typed, first)
    before = first.read_bytes()

    editions.write()
    assert first.read_bytes() == before
    assert not list(house.rglob("*.new.ipynb"))  # nothing new to offer

    made = editions.student

    def student(path):
        notebook = made(path)
        notebook.cells[0].source += "\n\nA new sentence."
        return notebook

    monkeypatch.setattr(editions, "student", student)
    assert main(["editions"]) == 0
    assert first.read_bytes() == before
    beside = first.with_suffix(".new.ipynb")
    assert "A new sentence." in beside.read_text()
    assert f"student/{first.name} has been worked in and is kept; the new edition is beside it, as {beside.name}" in (
        capsys.readouterr().out
    )
    assert "A new sentence." in second.read_text()
    assert not second.with_suffix(".new.ipynb").exists()


def test_a_file_that_cannot_be_read_is_kept(house):
    editions.write()
    first = house / "student" / PATHS[0].name
    first.write_text("half a noteb")
    editions.write()
    assert first.read_text() == "half a noteb"
    assert first.with_suffix(".new.ipynb").exists()


def test_the_instructor_edition_has_all_of_the_course(path):
    original, made = nbformat.read(path, as_version=4), editions.instructor(path)
    assert len({cell.id for cell in made.cells}) == len(made.cells)  # before nbformat mends what it validates
    nbformat.validate(made)
    notes = [cell for cell in made.cells if cell.metadata.slideshow.slide_type == "notes"]
    rest = [cell for cell in made.cells if cell not in notes]

    stubs = [cell for cell in rest if editions.STUB in cell.source]
    solved = [cell for cell in rest if cell not in stubs]

    def words(cells):
        return editions.without_marks("\n".join(cell.source for cell in cells)).split()

    assert words(solved) == one_further_down(" ".join(words(original.cells))).split()
    assert [cell.outputs for cell in code(made) if cell not in stubs] == [cell.outputs for cell in code(original)]
    assert len(stubs) == sum(editions.BEGIN in cell.source for cell in code(original))
    assert not any(cell.outputs for cell in stubs)


def test_every_slide_has_the_notes_of_its_section_before_its_first_fragment(path):
    cells, said = editions.instructor(path).cells, []
    parts = [part for section in guide.sections(path.stem) for part in section.notes]
    kinds = [cell.metadata.get("slideshow", {}).get("slide_type") for cell in cells]
    for cell, kind, following, notes in zip(cells, kinds, kinds[1:], cells[1:], strict=False):
        assert (kind in ("slide", "subslide")) == (following == "notes"), cell.source
        if following == "notes":
            minutes, _, shown = notes.source.partition("\n\n")
            assert "minutes** of 90" in minutes
            guided = shown if shown in parts else shown.partition("\n\n")[2]  # an answer may have been put before it
            opened = not notes.metadata.get("jupyter", {}).get("source_hidden", False)
            assert opened == (guided not in said), cell.source
            said.append(guided)
    assert list(dict.fromkeys(said)) == list(dict.fromkeys(parts))  # each is shown, in order


def test_who_gives_the_lesson_sees_the_answer_to_each_question_with_options(path):
    slides = []
    for cell in editions.instructor(path).cells:
        if cell.metadata.get("slideshow", {}).get("slide_type") in ("slide", "subslide"):
            slides.append({"asks": False, "notes": ""})
        if slides:
            slides[-1]["asks"] |= bool(re.search(r"</summary>\s+Yes\.", cell.source))
            if cell.metadata.get("slideshow", {}).get("slide_type") == "notes":
                slides[-1]["notes"] += cell.source
    asking = [slide for slide in slides if slide["asks"]]
    assert asking and all("**Answer.** " in slide["notes"] for slide in asking)


def test_code_that_nobody_has_to_type_is_folded_where_one_teaches(path):
    for cell in code(editions.instructor(path)):
        folded = cell.metadata.get("jupyter", {}).get("source_hidden", False)
        assert folded == (editions.OUTPUT_ONLY in cell.metadata.get("tags", []))


def test_what_a_learner_starts_from_is_put_before_each_solution(path):
    notebook = nbformat.read(path, as_version=4)
    solved = editions.put_stubs(notebook)
    assert [cell.source for cell in solved] == [cell.source for cell in code(notebook) if editions.BEGIN in cell.source]
    for cell in solved:
        stub = notebook.cells[notebook.cells.index(cell) - 1]
        assert stub.source == editions.without_solution(cell.source) and not stub.outputs
        assert editions.without_marks(cell.source).splitlines() == [
            line for line in cell.source.splitlines() if line.strip() not in (editions.BEGIN, editions.END)
        ]


def test_every_cell_has_its_place_on_a_slide(path):
    kinds = [cell.metadata.get("slideshow", {}).get("slide_type") for cell in nbformat.read(path, as_version=4).cells]
    assert kinds[0] == "slide"
    assert set(kinds) <= {"slide", "subslide", "fragment", "skip", "-"} and "fragment" in kinds


def test_a_page_of_the_guide_fills_its_lessons(path):
    sections = guide.sections(path.stem)
    long, short = (sum(getattr(section, length) for section in sections) for length in ("minutes", "short"))
    assert (long, short) == (80, 40)  # the rest is for arriving and asking
    for section in sections:
        said = "\n".join(section.notes)
        assert "**Ask.**" in said or "**Goes wrong.**" in said or "shown" in section.heading


def test_headings_that_differ_from_the_guide_s_are_an_error(path, monkeypatch):
    sections = guide.sections(path.stem)
    monkeypatch.setattr(guide, "sections", lambda stem: sections[:-1])
    with pytest.raises(guide.GuideError, match="differ: \\['What you have shown'\\]"):
        editions.instructor(path)


def test_a_section_without_minutes_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(guide, "PAGES", tmp_path)
    with pytest.raises(guide.GuideError, match="no page for 01_data"):
        guide.sections("01_data")
    (tmp_path / "01_data.md").write_text("# Page\n\n## Opening\n\nAsk.\n")
    with pytest.raises(guide.GuideError, match=r"01_data\.md, section 'Opening'"):
        guide.sections("01_data")


def test_the_command_says_what_it_made(house, capsys):
    assert main(["editions"]) == 0
    assert "the edition to type along is in" in capsys.readouterr().out
    assert len(os.listdir(house / "student")) == len(PATHS)
    assert "rise.css" in os.listdir(house / "instructor")

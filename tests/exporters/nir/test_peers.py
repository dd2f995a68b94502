"""Every framework with every network in both directions, and docs/nir.md, which has to say what ran."""

import pytest
from support.nir_matrix import NAMES, PAGE, TITLES, run, section, shown
from support.nir_peers.cases import CASES
from support.nir_peers.sheets import WAYS, Sheet

COMMAND = "cd tests && ../.venv/bin/python -m support.nir_matrix > ../docs/nir.md"


@pytest.fixture(scope="module", params=NAMES)
def sheet(request: pytest.FixtureRequest) -> Sheet:
    """What ran of a framework."""
    found = run(request.param)
    if found is None:
        pytest.skip(f"{request.param} is not installed on this machine: what docs/nir.md says of it is not compared")
    return found


def test_every_cell_is_right_or_explained(sheet: Sheet) -> None:
    cells = {(case, way): cell for case, ways in sheet.cells.items() for way, cell in ways.items()}
    wrong = {where: said for where, (word, said) in cells.items() if word == "wrong"}
    assert not wrong


def test_every_fault_is_still_there(sheet: Sheet) -> None:
    """A framework that mends one changes what we have to do, and the page."""
    assert [fault.name for fault in sheet.faults if not fault.there] == []


def test_the_page_says_what_ran(sheet: Sheet) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert section(sheet) in page, f"docs/nir.md is another one: {COMMAND}"
    for way in WAYS:
        said = _column(page.split(f"### {TITLES[way]}\n")[1], f"{sheet.name} {sheet.version}")
        assert said == {case.name: shown(sheet, case.name, way) for case in CASES}, f"docs/nir.md: {COMMAND}"


def _column(text: str, title: str) -> dict[str, str]:
    """The cells of one column of the first table."""
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines() if line[:1] == "|"]
    rows = rows[: len(CASES) + 2]
    place = rows[0].index(title)
    return {row[0]: row[place] for row in rows[2:]}

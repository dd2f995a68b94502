"""What docs/nir.md says of a framework against what ran of it, for the tests that compare them."""

from __future__ import annotations

from support.nir_matrix import COMMAND, PAGE, TITLES, glance, section, shown
from support.nir_peers.cases import CASES
from support.nir_peers.sheets import WAYS, Sheet


def check_cells(sheet: Sheet) -> None:
    """Every cell is right, or a reason or a fault explains it."""
    cells = {(case, way): cell for case, ways in sheet.cells.items() for way, cell in ways.items()}
    wrong = {where: said for where, (word, said) in cells.items() if word == "wrong"}
    assert not wrong


def check_faults(sheet: Sheet) -> None:
    """Every fault is still there: a framework that mends one changes what we have to do, and the page."""
    assert [fault.name for fault in sheet.faults if not fault.there] == []


def check_page(sheet: Sheet) -> None:
    """The page says what ran."""
    page = PAGE.read_text(encoding="utf-8")
    assert section(sheet) in page, f"docs/nir.md is another one: {COMMAND}"
    assert glance([sheet]).splitlines()[-1] in page, f"docs/nir.md counts otherwise: {COMMAND}"
    for way in WAYS:
        said = _column(page.split(f"### {TITLES[way]}\n")[1], sheet.name)
        assert said == {case.name: shown(sheet, case.name, way) for case in CASES}, f"docs/nir.md: {COMMAND}"


def _column(text: str, title: str) -> dict[str, str]:
    """The cells of one column of the first table."""
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines() if line[:1] == "|"]
    rows = rows[: len(CASES) + 2]
    place = rows[0].index(title)
    return {row[0]: row[place] for row in rows[2:]}

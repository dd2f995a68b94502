from __future__ import annotations

from pathlib import Path

from support.dialect_table import COMMAND, page

DOCUMENT = Path(__file__).parents[4] / "docs" / "dialects.md"


def test_the_page_on_dialects_is_what_the_tables_and_the_cases_say():
    assert DOCUMENT.read_text(encoding="utf-8") == page(), f"write it anew with: {COMMAND}"

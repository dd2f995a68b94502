"""Pages of the docs whose sections are printed by code."""

from pathlib import Path

import pytest
import spikeport
from spikeport.benchmarks import pages
from spikeport.toolchain.errors import UsageError


def test_the_page_of_energy_holds_what_the_code_says_now() -> None:
    page = (Path(spikeport.__file__).parent / "docs" / "energy.md").read_text()
    assert all(f"<!-- generated: {name} -->" in page for name in pages.SECTIONS)
    assert pages.written(page) == page, "python -m spikeport.benchmarks.pages docs/energy.md"


def test_what_is_written_stays_between_the_markers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "SECTIONS", {"rules": ".rule_views:section"})
    page = pages.written("before\n<!-- generated: rules -->\nold\n<!-- /generated -->\nafter\n")
    assert page.startswith("before\n<!-- generated: rules -->\n| rule |")
    assert page.endswith("\n<!-- /generated -->\nafter\n")
    assert "old" not in page


@pytest.mark.parametrize("page", ["# a page\n", "<!-- generated: moon -->\n<!-- /generated -->"])
def test_a_page_without_sections_or_with_unknown_ones_is_refused(page: str) -> None:
    with pytest.raises(UsageError, match="rules, neurons, profiles, peers"):
        pages.written(page)

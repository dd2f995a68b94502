"""The report in a terminal of 100 columns, without colours."""

import io
from dataclasses import replace

from rich.console import Console
from spikeport.benchmarks.findings import Findings
from spikeport.benchmarks.report import view
from support.made_findings import HOSTILE, RULES, hostile, made


def shown(findings: Findings, width: int = 100) -> str:
    console = Console(width=width, file=io.StringIO(), highlight=False, emoji=False, color_system=None)
    console.print(view(findings))
    return console.file.getvalue()


def test_rules_stand_side_by_side_with_the_network_beside() -> None:
    text = shown(made())
    for rule in RULES:
        assert any(line.startswith(rule) and "µJ" not in line and "×" in line for line in text.splitlines()), rule
    for word in (
        "40.72 ± ",
        "59.9×",
        "apart",
        "every network",
        "Below, with",
        "loses",
        "aten::cumsum",
        "ANN twin",
        "noise",
        "thop",
        "Horowitz",
    ):
        assert word in text, word
    assert max(map(len, text.splitlines())) <= 100
    assert max(map(len, shown(made(), 80).splitlines())) <= 80


def test_names_that_are_markup_are_shown_as_they_are() -> None:
    text = shown(hostile(), 160)
    assert HOSTILE in text
    assert "[bold]" in text
    assert "\x07" not in text
    assert "\u202e" not in text


def test_findings_without_samples_bills_or_anything_beside_are_shown() -> None:
    alone = made(against=False, samples=False)
    assert "mean of 200 samples" in shown(alone)
    nothing = replace(
        alone, networks=(replace(alone.subject, billed=()),), break_even=(), what_if=(), figures=(), notes=()
    )
    assert "nothing that a rule bills" in shown(nothing)

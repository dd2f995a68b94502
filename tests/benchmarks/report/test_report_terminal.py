"""The report in terminals of 100 columns and of 80, without colours."""

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console
from spikeport.benchmarks.findings import Findings, Statistics
from spikeport.benchmarks.report import plain, view
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
        "and not billed",
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


def beside(count: int) -> Findings:
    """The network beside so many others of the same bills."""
    found = made()
    subject, other = found.networks
    others = [replace(other, title=f"another network, number {index}") for index in range(count)]
    return replace(found, networks=(subject, *others))


@pytest.mark.parametrize("others", [0, 1, 2, 3, 4, 7])
@pytest.mark.parametrize("width", [60, 80, 96, 120])
def test_no_number_is_broken_whatever_the_room_and_however_many_networks(others: int, width: int) -> None:
    found = beside(others)
    lines = shown(found, width).splitlines()
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    every = shown(found, 300)
    for number in re.findall(r"\d[\d,.]*(?:×| µJ)", every.partition("Spread")[0]):
        assert number in text, number
    assert not re.search(r"±(?! [\da-z])", text)
    rows = re.findall(r"^(?:conv|neuron)\d +(?:Conv|LIF) ", text, re.M)
    assert len(rows) == 8 or width < 80
    assert all(word in text for word in ("Effective", "graded"))


def test_a_rule_says_in_one_line_what_it_leaves_out() -> None:
    found = made()
    work = ("sums over windows (pools)", "neuron updates", "hops: no placement is known", "comparisons of neurons")
    bills = tuple(replace(each, energy=replace(each.energy, unbilled=work)) for each in found.subject.billed)
    few = replace(found, networks=(replace(found.subject, billed=bills), *found.networks[1:]))
    every = "  paper: sums over windows, neuron updates, hops, comparisons of neurons"
    assert every in shown(few, 80).splitlines()
    assert "  paper: sums over windows, neuron updates, hops, 1 more" in shown(few, 60).splitlines()
    assert shown(few, 60).count("sums over windows") == len(RULES)


def test_letters_stand_for_titles_that_are_too_long_and_are_explained() -> None:
    text = shown(beside(3), 80)
    assert "(d) another network, number 2: " in text
    assert re.search(r"^Rule .*\(a\)", text, re.M) or re.search(r"^ +\(a\) ", text, re.M)


def test_bills_of_which_one_is_0_are_not_said_to_be_so_many_times_apart() -> None:
    found = made(against=False)
    first, second, *_ = found.subject.billed
    free = replace(first, energy=replace(first.energy, lines=()))
    text = shown(replace(found, networks=(replace(found.subject, billed=(free, second)),)))
    assert "over 2 bills." in text
    assert "apart" not in text
    assert "between the lowest and the highest" not in text


def test_of_one_sample_no_spread_is_shown() -> None:
    found = made()
    first = found.subject.billed[0]
    one = Statistics(1, 5.0, 0.0, 5.0, 5.0, 5.0, 5.0)
    alone = replace(found.subject, billed=(replace(first, classes={"circle": one}), *found.subject.billed[1:]))
    few = replace(found, networks=(alone, *found.networks[1:]))
    (line,) = (line for line in shown(few).splitlines() if line.startswith("circle"))
    assert line.split()[1:] == ["1", "5.000", "–", "–", "–", "5.000", "5.000"]
    written = plain(few)["networks"][0]["energies"][0]["classes"]["circle"]
    assert (written["sd"], written["low"], written["high"], written["mean"]) == (None, None, None, 5.0)


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

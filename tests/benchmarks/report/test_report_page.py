"""The page as text: well-formed, self-contained, nothing in it runs but ours, and its colours can be told apart."""

import functools
import itertools
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import spikeport
from spikeport.benchmarks.findings import Findings
from spikeport.benchmarks.report.markup import element, escaped, joined
from spikeport.benchmarks.report.page import page
from spikeport.benchmarks.report.spike_charts import MOST_MARKS, flat, thinned
from support.made_findings import HOSTILE, hostile, made

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Reader(HTMLParser):
    """Reads a page strictly: every element is closed in its order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), (tag, attrs)
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert "svg" in self.open, tag
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((self.open[-1] if self.open else "", data))

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


@functools.cache
def text_of(make: Callable[[], Findings]) -> str:
    return page(make())


def read(make: Callable[[], Findings]) -> Reader:
    reader = Reader()
    reader.feed(text_of(make))
    reader.close()
    assert not reader.open
    return reader


def bare() -> Findings:
    """One network, no bill, nothing beside it."""
    base = made(against=False, samples=False)
    unbilled = (replace(base.subject, billed=()),)
    return replace(base, networks=unbilled, spikes=(), break_even=(), what_if=(), figures=(), notes=(), constants={})


@pytest.fixture(scope="module")
def read_page() -> Reader:
    return read(made)


@pytest.fixture(scope="module")
def read_hostile() -> Reader:
    return read(hostile)


def test_names_and_references_are_whole(read_page: Reader) -> None:
    names = [attributes["id"] for _, attributes in read_page.found if "id" in attributes]
    assert len(names) == len(set(names))
    for _, attributes in read_page.found:
        wanted = [attributes.get(key) for key in ("aria-labelledby", "for")]
        wanted += [value[1:] for key in ("href", "xlink:href") if (value := attributes.get(key) or "").startswith("#")]
        wanted += re.findall(r"url\(#([^)]*)\)", " ".join(value or "" for value in attributes.values()))
        assert {each for each in wanted if each} <= set(names), attributes


def test_nothing_is_fetched(read_page: Reader) -> None:
    for tag, attributes in read_page.found:
        for key in ("src", "href", "xlink:href", "action", "srcset", "data"):
            assert (attributes.get(key) or "#").startswith(("#", "data:")), (tag, attributes)
    text = text_of(made)
    assert not re.search(r"@import|url\((?!#)", text)
    (policy,) = (e["content"] for e in read_page.all("meta") if e.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy
    assert len(text.encode()) < 1_500_000


def test_it_can_be_read_without_eyes(read_page: Reader) -> None:
    levels = [int(tag[1]) for tag, _ in read_page.found if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    for attributes in read_page.all("svg"):
        assert attributes["role"] == "img"
        assert len(attributes["aria-label"] or "") > 20
    assert len(read_page.all("svg")) >= 2 * 10
    for attributes in read_page.all("table"):
        assert attributes.get("aria-labelledby") or attributes.get("aria-label")
    assert all(attributes.get("scope") in ("row", "col") for attributes in read_page.all("th"))
    assert ("html", {"lang": "en"}) in read_page.found


def test_everything_that_was_found_is_on_it(read_page: Reader) -> None:
    texts = " ".join(text for _, text in read_page.texts)
    findings = made()
    expected = [findings.command, findings.data_identity, *findings.notes, *findings.rules, "40.72 ± ", "ANN twin"]
    expected += [network.about for network in findings.networks]
    expected += [text for each in findings.rules.values() for text in each]
    for found in findings.constants.values():
        expected += [
            text for each in found for text in (each.name, each.process, str(each.year), each.source, each.note)
        ]
    expected += [name for network in findings.networks for name in network.counts.layers]
    expected += ["aten::cumsum", "0.07 %", "fvcore-train", "noise", "Wins below", "64 drawn", "SHA-256"]
    assert not [each for each in expected if each not in texts]


def test_no_name_runs_or_ends_what_it_stands_in(read_hostile: Reader) -> None:
    assert [tag for tag, _ in read_hostile.found if tag == "script"] == ["script", "script"]
    assert len(read_hostile.all("title")) == len(read(made).all("title"))
    assert not [key for _, attributes in read_hostile.found for key in attributes if key.startswith("on")]
    texts = [text for _, text in read_hostile.texts]
    assert any(HOSTILE in text for text in texts)
    assert "\x07" not in "".join(texts)
    assert "\u202e" not in "".join(texts)


def alone() -> Findings:
    """One network, billed, nothing of its spikes."""
    return replace(made(against=False), spikes=())


@pytest.mark.parametrize("make", [bare, alone, made])
def test_what_is_not_there_has_no_section(make: Callable[[], Findings]) -> None:
    findings, found = make(), read(make)
    names = {attributes.get("id") for attributes in found.all("section")}
    assert {"rules", "making", "provenance"} <= names
    assert ("break-even" in names) == bool(findings.break_even)
    assert ("spikes" in names) == bool(findings.spikes)
    links = {
        attributes["href"] for attributes in found.all("a") if not (attributes["href"] or "").startswith("#source")
    }
    assert links == {f"#{name}" for name in names}


def test_markup_escapes_what_is_not_markup() -> None:
    assert element("a", "<b>", href='"&', id=None, hidden=True) == '<a href="&quot;&amp;" hidden>&lt;b&gt;</a>'
    assert element("p", element("b", "x") + "<") == "<p><b>x</b>&lt;</p>"
    assert joined(["<", escaped("<")], ",") == "&lt;,&lt;"


def test_a_raster_says_what_it_leaves_out() -> None:
    (layer, *_) = made().spikes
    drawn = thinned(layer)
    assert drawn.title == "131,072 neurons, 64 drawn"
    kept = np.isin(layer.neurons, drawn.neurons)
    assert kept.sum() == len(drawn.times)
    always = replace(
        layer, shape=(4,), steps=900, times=np.repeat(np.arange(900), 4), neurons=np.tile(np.arange(4), 900)
    )
    cut = thinned(always)
    assert cut.title == f"4 neurons, first {MOST_MARKS // 4} of 900 steps"
    assert len(cut.times) == MOST_MARKS


def test_maps_are_means() -> None:
    rates = np.arange(2 * 100 * 3, dtype=float).reshape(2, 100, 3)
    assert flat(rates).shape == (50, 3)
    assert flat(rates).mean() == pytest.approx(rates.mean())
    assert flat(np.ones(10)).shape == (1, 10)
    assert flat(np.ones(100)).shape == (10, 10)
    assert flat(np.float64(0.5)).shape == (1, 1)


KINDS = ("synapses", "neurons", "bias", "reset", "elementwise", "memory", "addressing", "hops")
#: How people see who lack one of the three kinds of cones (Machado, Oliveira, Fernandes 2009, severity 1).
SIGHTS = {
    "all": np.eye(3),
    "no long": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no middle": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "no short": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def palette() -> dict[str, tuple[str, str]]:
    style = (Path(spikeport.__file__).parent / "benchmarks" / "report" / "page.css").read_text()
    return {name: (a, b) for name, a, b in re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", style)}


def linear(colour: str) -> np.ndarray:
    value = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2."""
    low, high = sorted(float(linear(each) @ (0.2126, 0.7152, 0.0722)) for each in (one, other))
    return (high + 0.05) / (low + 0.05)


def lab(rgb: np.ndarray) -> np.ndarray:
    """Oklab, where distances are differences that one sees."""
    cones = np.cbrt(
        [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
         [0.0883024619, 0.2817188376, 0.6299787005]] @ np.clip(rgb, 0, 1)
    )  # fmt: skip
    return [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660]] @ cones  # fmt: skip


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_and_marks_stand_out(theme: int) -> None:
    colours = {name: pair[theme] for name, pair in palette().items()}
    for ground in ("page", "panel"):
        for text in ("ink", "muted", "accent", "contrast"):
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    for kind in KINDS:
        assert contrast(colours[kind], colours["page"]) >= 3, kind


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_kinds_can_be_told_apart(theme: int, sight: str) -> None:
    seen = {kind: lab(SIGHTS[sight] @ linear(palette()[kind][theme])) for kind in KINDS}
    for one, other in itertools.combinations(KINDS, 2):
        assert np.linalg.norm(seen[one] - seen[other]) > 0.10, (one, other)

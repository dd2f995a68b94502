"""The page in a real browser: no error, no request, and everything on it works, on a desk, on a phone and on paper."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from spikeport.benchmarks.report.page import page
from support.browser import Tab, browser, browser_program
from support.made_findings import HOSTILE, hostile, made, what_if

PROGRAM = browser_program()
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no Chromium is installed")


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    found = {name: folder / f"{name}.html" for name in ("made", "hostile", "alone")}
    for name, findings in (("made", made()), ("hostile", hostile()), ("alone", made(against=False, samples=False))):
        found[name].write_text(page(findings), encoding="utf-8")
    return found


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with browser(PROGRAM, tmp_path_factory.mktemp("profile")) as found:
        yield found


def quiet(tab: Tab) -> None:
    """Nothing was said, nothing was thrown, nothing was asked for but the page."""
    for method in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"):
        assert not tab.named(method)
    asked = [each["request"]["url"] for each in tab.named("Network.requestWillBeSent")]
    assert [url for url in asked if not url.startswith("data:")] == asked[:1]


@pytest.mark.parametrize("name", ["made", "hostile", "alone"])
@pytest.mark.parametrize(("width", "phone"), [(1200, False), (360, True)], ids=["desk", "phone"])
def test_it_opens_without_an_error_a_request_or_a_bar_to_scroll_sideways(
    tab: Tab, places: dict[str, Path], name: str, width: int, phone: bool
) -> None:
    tab.prefer("light")
    tab.open(places[name], width, 800, phone)
    quiet(tab)
    assert tab.run("document.documentElement.scrollWidth") == width
    shown = "narrow" if phone else "wide"
    for kind in ("wide", "narrow"):
        visible = f"[...document.querySelectorAll('.chart.{kind}')].filter(e => e.getClientRects().length).length"
        assert (tab.run(visible) > 0) == (kind == shown)
    outside = """[...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll') &&
        e.getClientRects().length && (r => r.left < -1 || r.right > innerWidth + 1)(e.getBoundingClientRect()))
        .map(e => e.outerHTML.slice(0, 120))"""
    assert tab.run(outside) == []


def test_letters_in_charts_are_large_enough_and_do_not_leave_them(tab: Tab, places: dict[str, Path]) -> None:
    for width, phone in ((1200, False), (360, True)):
        tab.open(places["made"], width, 800, phone)
        sizes = tab.run("""[...document.querySelectorAll('.chart')].filter(e => e.getClientRects().length).flatMap(e =>
            [...e.querySelectorAll('text')].map(t => t.getBoundingClientRect().height))""")
        assert min(sizes) > 8.5
        beyond = tab.run("""[...document.querySelectorAll('.chart svg')].filter(e => e.getClientRects().length).flatMap(
            e => [...e.querySelectorAll('text')].filter(t => ((inner, outer) => inner.right > outer.right + 8 ||
                inner.left < outer.left - 8)(t.getBoundingClientRect(), e.getBoundingClientRect()))
            .map(t => t.textContent))""")
        assert beyond == []


def ground(tab: Tab) -> str:
    return tab.run("getComputedStyle(document.body).backgroundColor")


def test_light_and_dark_follow_the_reader_and_the_switch(tab: Tab, places: dict[str, Path]) -> None:
    white, black = "rgb(255, 255, 255)", "rgb(20, 24, 28)"
    tab.prefer("light")
    tab.open(places["made"])
    assert (ground(tab), tab.run("theme.textContent"), tab.run("theme.hidden")) == (white, "Dark", False)
    bar = "getComputedStyle(document.querySelector('#composition .wide path[style*=synapses]')).fill"
    assert tab.run(bar) == "rgb(11, 98, 168)"
    tab.run("theme.click()")
    assert (ground(tab), tab.run("theme.textContent")) == (black, "Light")
    assert tab.run(bar) == "rgb(108, 180, 238)"
    tab.run("theme.click()")
    assert ground(tab) == white
    tab.prefer("dark")
    tab.open(places["made"])
    assert ground(tab) == black
    tab.prefer("dark", "print")
    assert ground(tab) == white
    assert tab.run("getComputedStyle(theme).display") == "none"
    shown = "[...document.querySelectorAll('.tab')].map(e => getComputedStyle(e).display)"
    assert tab.run(shown) == ["block"] * 6
    tab.prefer("light")
    assert tab.run(shown).count("block") == 1
    quiet(tab)


def test_one_chooses_a_rule_without_a_script(tab: Tab, places: dict[str, Path]) -> None:
    tab.send("Emulation.setScriptExecutionDisabled", value=True)
    try:
        tab.open(places["made"])
        assert tab.run("getComputedStyle(document.getElementById('theme')).display") == "none"
        assert tab.run("getComputedStyle(document.getElementById('what-if')).display") == "none"
        shown = "[...document.querySelectorAll('.tab')].findIndex(e => getComputedStyle(e).display == 'block')"
        assert tab.run(shown) == 0
        tab.run("document.querySelector('label[for=rule-3]').click()")
        assert tab.run(shown) == 3
        quiet(tab)
    finally:
        tab.send("Emulation.setScriptExecutionDisabled", value=False)


def totals(tab: Tab, row: int) -> list[float]:
    cells = f"[...document.querySelectorAll('#what-if tbody tr')[{row}].querySelectorAll('[data-bill]')]"
    return tab.run(f"{cells}.map(e => Number(e.dataset.pj))")


def test_another_constant_gives_the_totals_that_the_rule_gives(tab: Tab, places: dict[str, Path]) -> None:
    networks = list(made().networks)
    rules = [each.energy.rule for each in networks[0].billed]
    tab.open(places["made"])
    assert tab.run("constant.value") == "45nm-fp32/ac"
    for row in range(len(rules)):
        assert totals(tab, row) == pytest.approx([network.billed[row].energy.pj for network in networks])
    for pj in (0.1, 0.03, 0.0, 7.5):
        tab.run(f"value.value = '{pj}'; value.dispatchEvent(new Event('input'))")
        for row, rule in enumerate(rules):
            expected = what_if(networks, pj, "ac", rule).totals
            assert totals(tab, row) == pytest.approx(list(expected.values())), (pj, rule)
    tab.run("value.value = '0.1'; value.dispatchEvent(new Event('input'))")
    cells = tab.run("[...document.querySelectorAll('#what-if tbody tr')[0].cells].map(e => e.textContent)")
    assert cells == ["strict", "4.525 µJ", "0.111×", "2.438 mJ", "539×"]
    assert tab.run("document.querySelectorAll('#what-if tbody tr')[5].querySelectorAll('.changed').length") == 0
    tab.run("document.getElementById('as-billed').click()")
    assert totals(tab, 0)[0] == pytest.approx(networks[0].billed[0].energy.pj)
    quiet(tab)


def test_the_slider_and_a_link_ask_the_same(tab: Tab, places: dict[str, Path]) -> None:
    networks = list(made().networks)
    tab.open(places["made"])
    tab.run("slide.value = '-1'; slide.dispatchEvent(new Event('input'))")
    assert tab.run("value.value") == "0.09"
    assert totals(tab, 0)[0] == pytest.approx(what_if(networks, 0.09).totals["event_convnet"])
    tab.open(f"{places['made'].as_uri()}#what=loihi1/synaptic_event&pj=2.36")
    assert (tab.run("constant.value"), tab.run("slide.value")) == ("loihi1/synaptic_event", "-1")
    expected = what_if(networks, 2.36, "synaptic_event", "chip:loihi1").totals
    assert totals(tab, 5) == pytest.approx(list(expected.values()))
    tab.open(f"{places['made'].as_uri()}#what=__proto__&pj=<script>")
    assert totals(tab, 0)[0] == pytest.approx(networks[0].billed[0].energy.pj)
    tab.run("value.value = ''; value.dispatchEvent(new Event('input'))")
    assert totals(tab, 0)[0] == pytest.approx(networks[0].billed[0].energy.pj)
    quiet(tab)


def test_hostile_names_are_text(tab: Tab, places: dict[str, Path]) -> None:
    tab.open(places["hostile"])
    assert HOSTILE in tab.run("document.title")
    assert HOSTILE in tab.run("document.querySelector('h1').textContent")
    assert tab.run("document.scripts.length") == 2
    assert any(
        HOSTILE in text for text in tab.run("[...document.querySelectorAll('svg title')].map(e => e.textContent)")
    )
    tab.run("theme.click(); value.value = '0.1'; value.dispatchEvent(new Event('input'))")
    assert totals(tab, 0)[0] == pytest.approx(what_if(list(made().networks), 0.1).totals["event_convnet"])
    quiet(tab)


def test_it_goes_onto_paper(tab: Tab, places: dict[str, Path], tmp_path: Path) -> None:
    tab.prefer("dark")
    tab.open(places["made"])
    tab.paper(tmp_path / "paper.pdf")
    assert (tmp_path / "paper.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "paper.pdf").read_bytes().count(b"/Type /Page\n") + 3 >= 3
    tab.prefer("light")

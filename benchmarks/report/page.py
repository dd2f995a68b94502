"""The report as one page: one file, no network, light and dark, on a phone and on paper.

Charts are matplotlib's, inlined as SVG; style and script are part of the page, and a policy in its head lets nothing
else in: no request, no other script.
"""

from __future__ import annotations

import base64
import hashlib
import platform
from importlib import metadata
from importlib.resources import files

from ..energy import spread
from ..findings import Findings
from . import sections
from .bills import over_samples, spread_text, summary
from .markup import Html, element
from .parts import Numbers, paragraph
from .sensitivity import embedded, sensitivity
from .text import energy, listed

LINKS = {
    "rules": "Rules", "composition": "Kinds and layers", "operations": "Operations", "spikes": "Spikes",
    "break-even": "Break-even", "sensitivity": "Sensitivity", "samples": "Samples", "conventions": "Conventions",
    "left-out": "Not counted", "provenance": "Sources", "making": "Command",
}  # fmt: skip


def page(findings: Findings) -> str:
    """The whole page."""
    numbers = Numbers()
    parts = (
        sections.rules(findings, numbers), sections.composition(findings, numbers),
        sections.effective(findings, numbers), sections.spikes(findings, numbers),
        sections.break_even(findings, numbers), sensitivity(findings, numbers),
        sections.samples(findings, numbers), sections.conventions(findings, numbers),
        sections.left_out(findings, numbers), sections.provenance(findings, numbers),
        sections.making(findings, versions(findings)),
    )  # fmt: skip
    shown = [name for name, part in zip(LINKS, parts, strict=True) if part]
    body = element("body", _header(findings, shown), element("main", *parts), embedded(findings), _script())
    return f"<!DOCTYPE html>\n{element('html', _head(findings), body, lang='en')}\n"


def versions(findings: Findings) -> tuple[tuple[str, str], ...]:
    """What the numbers were made with."""
    others = ", ".join(f"{name} {metadata.version(name)}" for name in ("numpy", "torch", "matplotlib"))
    return (("Made with", f"spikeport {findings.version}, Python {platform.python_version()}, {others}"),)


def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _head(findings: Findings) -> Html:
    script = hashlib.sha256(_asset("page.js").encode()).digest()
    policy = (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
        f"script-src 'sha256-{base64.b64encode(script).decode()}'"
    )
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("link", rel="icon", href="data:,"),
        element("title", f"Energy of {findings.subject.title}"),
        element("style", Html(_asset("page.css") + sections.tabs_style(findings))),
    )


def _lede(findings: Findings) -> str:
    """The report in a sentence."""
    subject = findings.subject
    if len(subject.billed) < 2:
        return f"A sample costs {subject.title} {spread_text(subject)}."
    first = subject.billed[0].energy
    found = spread(each.energy for each in subject.billed)
    return (
        f"A sample costs {subject.title} {energy(first.pj)} under the rule {first.rule}; over {len(subject.billed)} "
        f"bills it is anything from {energy(found.least.pj)} to {energy(found.most.pj)}."
    )


def _script() -> Html:
    return Html(f"<script>{_asset('page.js')}</script>")


def _header(findings: Findings, shown: list[str]) -> Html:
    subject, *others = findings.networks
    links = element("ol", *(element("li", element("a", LINKS[name], href=f"#{name}")) for name in shown))
    switch = element("button", "Dark", type="button", id="theme", hidden=True, title="Switch between light and dark")
    top = element("div", paragraph("Spikeport · Operations and energy", class_="kicker"), switch, class_="top")
    ran = [f"{findings.data}. Counted by spikeport {findings.version}, {over_samples(findings)}."]
    ran += [f" Beside it: {listed(other.title for other in others)}."] if others else []
    return element(
        "header", top, element("h1", f"Energy of {subject.title}"), paragraph(_lede(findings), class_="lede"),
        paragraph(*ran, class_="meta"), _cards(findings), element("nav", links, aria_label="Sections"),
    )  # fmt: skip


def _cards(findings: Findings) -> Html:
    """What a reader wants to know first, in rows of three or four."""
    found = summary(findings)
    cards = (element("div", element("dt", title), element("dd", value)) for title, value in found)
    return element("dl", *cards, class_="cards", style=f"--cards: {3 if len(found) in (3, 5, 6) else 4}")

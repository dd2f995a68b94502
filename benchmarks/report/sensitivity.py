"""The section on other values of a constant: printed rows, and a control that works them out in the page.

E = Σ over constants of (count of operations per sample) · constant
"""

from __future__ import annotations

import json
from typing import Any

from ..energy import Energy
from ..findings import Billed, Findings
from . import contents
from .bills import Tariff, bill, label, ratio, tariffs
from .markup import Html, element
from .parts import Numbers, paragraph, section
from .text import constant, energy


def sensitivity(findings: Findings, numbers: Numbers) -> Html:
    """What if one accumulate cost 0.1 pJ?"""
    said = (
        "A total is a sum of counts times constants, and the constants are its weaker part: they are of one process, "
        "one voltage, one width of numbers. A new value changes what is billed by that very constant; constants that "
        "were derived from it keep theirs."
    )
    return section(
        "sensitivity", "What if a constant were another?", paragraph(said), _control(findings),
        numbers.table(contents.what_if(findings)),
    )  # fmt: skip


def bills(findings: Findings) -> dict[str, Any]:
    """The counts per sample by constant of every rule and network, for the control.

    Only constants with one value can be changed: those that a size of memory makes have as many as there are sizes.
    """
    found = _found(findings)
    values: dict[str, set[float]] = {}
    for each in found:
        for line in each.lines:
            values.setdefault(_key(each.profile, line.constant.name), set()).add(line.constant.pj)
    single = {key: pj for key, (pj, *more) in values.items() if not more and pj > 0}
    return {"constants": single, "bills": [_terms(each) for each in found]}


def _found(findings: Findings) -> list[Energy]:
    return [each.energy for network in findings.networks for each in network.billed]


def embedded(findings: Findings) -> Html:
    """The same as a part of the page, in which nothing can end the element that it stands in."""
    text = json.dumps(bills(findings), allow_nan=False).replace("&", "\\u0026").replace("<", "\\u003c")
    return Html(f'<script type="application/json" id="bills">{text}</script>')


def _key(profile: str, name: str) -> str:
    return f"{profile}/{name}"


def _terms(found: Energy) -> list[list[Any]]:
    """[constant, operations per sample, picojoules of one], a row for each constant."""
    terms: dict[tuple[str, float], float] = {}
    for line in found.lines:
        key = (_key(found.profile, line.constant.name), line.constant.pj)
        terms[key] = terms.get(key, 0.0) + line.count / found.samples
    return [[name, count, pj] for (name, pj), count in terms.items()]


def _control(findings: Findings) -> Html:
    """Hidden until the script of the page is there."""
    constants = bills(findings)["constants"]
    if not constants:
        return Html("")
    first = next((name for name in constants if name.endswith("/ac")), next(iter(constants)))
    options = [
        element("option", f"{name}, {constant(pj)} pJ", value=name, selected=name == first)
        for name, pj in constants.items()
    ]
    fields = element(
        "div",
        element("label", "Constant", element("select", *options, id="constant")),
        element("label", "Its value in pJ", element("input", type="number", id="value", min="0", step="any")),
        element(
            "label", "From a hundredth to ten times of it",
            element("input", type="range", id="slide", min="-2", max="1", step="0.01"), class_="slide",
        ),
        element("button", "As billed", type="button", id="as-billed"),
        class_="fields",
    )  # fmt: skip
    return element("div", fields, _totals(findings), class_="control", id="what-if", hidden=True)


def _totals(findings: Findings) -> Html:
    """As it was billed; the script writes what it would be."""
    heads = ["Rule", findings.subject.title, "× billed"]
    for other in findings.networks[1:]:
        heads += [other.title, "ratio"]
    head = (element("th", text, scope="col", class_="number" if index else None) for index, text in enumerate(heads))
    rows = (_row(findings, tariff) for tariff in tariffs(findings))
    table = element("table", element("thead", element("tr", *head)), element("tbody", *rows), aria_label="Totals")
    return element("div", table, class_="scroll", tabindex="0", role="region", aria_label="Totals")


def _row(findings: Findings, tariff: Tariff) -> Html:
    subject, *others = findings.networks
    own = bill(subject, tariff)
    cells = [_cell(findings, own), element("td", "1×" if own else "", class_="number", data_change=own is not None)]
    for other in others:
        found = bill(other, tariff)
        both = found is not None and own is not None
        cells += [_cell(findings, found), element("td", ratio(found, own), class_="number", data_ratio=both)]
    return element("tr", element("th", label(findings, tariff), scope="row"), *cells)


def _cell(findings: Findings, found: Billed | None) -> Html:
    if found is None:
        return element("td", "not billed", class_="number")
    place = next(index for index, each in enumerate(_found(findings)) if each is found.energy)
    return element("td", energy(found.energy.pj), class_="number", data_bill=f"{place}")

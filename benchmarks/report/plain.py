"""The report for programs: one JSON object, whose form docs/report-schema.json describes.

Energies are in picojoules and for one sample; counts and the counts of lines are whole sums over all samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ...toolchain.tables import known
from .. import counts_json
from ..energy import Energy, Line, spread
from ..findings import Billed, Findings, Network, Statistics
from ..memory_accesses import memory_accesses
from ..operations import OpCount
from ..profile import Constant

if TYPE_CHECKING:
    from ..break_even import BreakEven
    from ..conventions import Figure

FORMAT = "spikeport energy report"
VERSION = 1
"""Grows when a reader of the older form would misread the newer one."""


def plain(findings: Findings) -> dict[str, Any]:
    """All findings but the single spikes, as what JSON can say."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "spikeport": findings.version,
        "command": _text(findings.command),
        "source": _text(findings.source),
        "data": {"description": _text(findings.data), "sha256": findings.data_identity},
        "networks": [_network(each) for each in findings.networks],
        "rules": {name: dict(zip(_RULE, texts, strict=True)) for name, texts in findings.rules.items()},
        "constants": {name: [_constant(each) for each in found] for name, found in findings.constants.items()},
        "break_even": [_break_even(each) for each in findings.break_even],
        "what_if": [{**asdict(each), "totals": _named(each.totals)} for each in findings.what_if],
        "conventions": [_figure(each) for each in findings.figures],
        "notes": list(map(_text, findings.notes)),
    }


_RULE = ("text", "formula", "source")


def _text(text: str) -> str:
    """Text that every file can hold: bytes of a command line that are no UTF-8 are written as escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _named(found: Mapping[str, Any]) -> dict[str, Any]:
    return {_text(name): value for name, value in found.items()}


def _network(network: Network) -> dict[str, Any]:
    return {
        "title": _text(network.title),
        "role": network.role,
        "about": _text(network.about),
        "counts": _counts(network.counts),
        "memory": [{"layer": _text(name), **asdict(each)} for name, each in memory_accesses(network.counts).items()],
        "energies": [_billed(each) for each in network.billed],
        "spread": _spread(network),
    }


def _spread(network: Network) -> dict[str, Any] | None:
    """The least and the most over its bills; null where there is none."""
    if not network.billed:
        return None
    found = spread(each.energy for each in network.billed)
    ends = {"least": found.least, "most": found.most}
    said = {f"{end}_{name}": getattr(each, name) for end, each in ends.items() for name in ("pj", "rule", "profile")}
    return {**said, "ratio": known(found.ratio)}


def _counts(counts: OpCount) -> dict[str, Any]:
    """As `benchmarks/counts_json.py` writes and reads them, with texts that every file can hold."""
    found: dict[str, Any] = _clean(counts_json.plain(counts))
    return found


def _clean(value: Any) -> Any:
    match value:
        case str():
            return _text(value)
        case dict():
            return {_text(key): _clean(each) for key, each in value.items()}
        case list():
            return [_clean(each) for each in value]
        case _:
            return value


def _billed(billed: Billed) -> dict[str, Any]:
    energy = billed.energy
    return {
        "rule": energy.rule,
        "profile": energy.profile,
        "pj": energy.pj,
        "by_layer": _named(energy.by_layer()),
        "by_kind": dict(energy.by_kind()),
        "lines": [_line(each, energy) for each in energy.lines],
        "unbilled": list(map(_text, energy.unbilled)),
        "over_samples": None if billed.over is None else _statistics(billed.over),
        "classes": {_text(name): _statistics(each) for name, each in billed.classes.items()},
    }


def _line(line: Line, energy: Energy) -> dict[str, Any]:
    return {
        "layer": _text(line.layer),
        "kind": line.kind,
        "what": line.what,
        "count": line.count,
        "constant": line.constant.name,
        "pj_each": line.constant.pj,
        "pj": line.pj / energy.samples,
    }


def _statistics(over: Statistics) -> dict[str, Any]:
    """The numbers; null where there is none, as the deviation of a single sample."""
    found = {name: known(value) if isinstance(value, float) else value for name, value in vars(over).items()}
    return found if over.samples > 1 else {**found, "sd": None, "low": None, "high": None}


def _constant(constant: Constant) -> dict[str, Any]:
    return {"name": constant.name, "value": constant.pj, "unit": "pJ", **_provenance(constant)}


def _provenance(constant: Constant) -> dict[str, Any]:
    texts = {name: _text(getattr(constant, name)) for name in ("process", "source", "note")}
    return {"process": texts["process"], "year": constant.year, "source": texts["source"], "note": texts["note"]}


def _break_even(each: BreakEven) -> dict[str, Any]:
    """Its fields; `below` is null where every rate wins."""
    numbers = {name: known(value) if isinstance(value, float) else value for name, value in vars(each).items()}
    return {**numbers, "layer": _text(each.layer)}


def _figure(each: Figure) -> dict[str, Any]:
    return {
        "convention": each.convention,
        "mode": each.mode,
        "values": dict(each.values),
        "counts_what": each.counts_what,
        "persons": each.persons,
        "steps_inside": each.steps_inside,
        "samples": each.samples,
        "misses": list(map(_text, each.misses)),
        "printed": each.printed,
        "source": each.source,
    }

"""One network and input through our exact count and through the counters of NeuroBench and SpikingJelly.

    peer's number = our number + Σ of the reasons that its case gives

Every number of every case is held to that. `spikeport bench peers` shows the numbers; the section `peers` of
docs/energy.md (see pages.py) has the reasons, line by line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from ..toolchain.errors import UsageError
from . import real_counters
from .conventions import figures
from .conventions.spikingjelly import added_by_operation
from .counting.of_module import count_module
from .operations import OpCount
from .peers_cases import CASES, NETWORKS, NEUROBENCH, SPIKINGJELLY, VIDEO, Case, Reason


@dataclass(frozen=True)
class Compared:
    """One case, counted by all.

    Args:
        case: the network and its input.
        counts: ours.
        theirs: by peer and quantity.
        beside: what SpikingJelly adds to its ACs that is no SynOp, by operation.
    """

    case: Case
    counts: OpCount
    theirs: Mapping[tuple[str, str], int]
    beside: Mapping[str, int]

    @property
    def ours(self) -> Mapping[str, int]:
        """Effective pairs by quantity."""
        found = self.counts.total
        return {"ACs": found.acs.effective, "integer ACs": found.integer_acs.effective, "MACs": found.macs.effective}

    @property
    def reasons(self) -> Sequence[Reason]:
        """Those that make a difference here."""
        return [reason for reason in self.case.why(self.counts) if reason.more]

    def unexplained(self) -> Mapping[tuple[str, str], int]:
        """What is left of each difference when all reasons are taken off; nothing, or something is wrong."""
        left = {key: value - self.ours[key[1]] for key, value in self.theirs.items()}
        for reason in self.reasons:
            left[reason.peer, reason.quantity] -= reason.more
        return {key: value for key, value in left.items() if value}


def compare(case: Case) -> Compared:
    """Counts one case three times, on copies."""
    module, inputs = case.made()
    counts = count_module(deepcopy(module), inputs, carries=case.carries)
    jelly = real_counters.spikingjelly(deepcopy(module), inputs)
    bench = _neurobench(deepcopy(module), inputs)
    theirs = {
        (NEUROBENCH, "ACs"): bench["Effective_ACs"],
        (NEUROBENCH, "MACs"): bench["Effective_MACs"],
        (SPIKINGJELLY, "ACs"): jelly["synop"],
        (SPIKINGJELLY, "MACs"): jelly["mac"],
    }
    beside = dict(added_by_operation(deepcopy(module), inputs))
    beside["its own bookkeeping"] = jelly["ac"] - jelly["synop"] - sum(beside.values())
    return Compared(case, counts, theirs, {name: value for name, value in beside.items() if value})


def _neurobench(module: nn.Module, inputs: Any) -> dict[str, int]:
    """Totals over the samples; its benchmark takes one tensor, so several come as one along the batch."""
    several = isinstance(inputs, tuple)
    samples = inputs[0] if several else inputs
    found = real_counters.neurobench(_Fixed(module, inputs) if several else module, samples)["SynapticOperations"]
    return {name: round(value * len(samples)) for name, value in found.items()}


class _Fixed(nn.Module):
    """A module of several inputs as one of the first.

    Args:
        module: it.
        inputs: what it is called with.
    """

    def __init__(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        super().__init__()
        self.module, self.others = module, inputs[1:]

    def forward(self, first: Tensor) -> Any:
        """Calls it with all."""
        return self.module(first, *self.others)


def compared(cases: Sequence[Case]) -> Iterator[Compared]:
    """Cases, counted."""
    if absent := real_counters.missing():
        raise UsageError("peers", f"no {' and no '.join(absent)}", "both counters", "make setup")
    return map(compare, cases)


def bench(*, quick: bool = False) -> dict[str, Any]:
    """The race's form: a row for each case and peer; the quick one leaves whole networks out."""
    rows = [
        _row(each, peer)
        for each in compared(CASES[:-NETWORKS] if quick else CASES)
        for peer in (NEUROBENCH, SPIKINGJELLY)
    ]
    return {"name": "peers", "rows": rows, "notes": ["the reasons, line by line: docs/energy.md"]}


def _row(each: Compared, peer: str) -> dict[str, Any]:
    numbers = {f"{side}_{name.lower()}": each.theirs[peer, name] for side, name in (("peer", "ACs"), ("peer", "MACs"))}
    whys = "; ".join(dict.fromkeys(reason.why for reason in each.reasons if reason.peer == peer))
    ours = {"our_acs": each.ours["ACs"] + each.ours["integer ACs"], "our_macs": each.ours["MACs"]}
    return {"case": each.case.name, "peer": peer, **ours, **numbers, "why": whys or None}


def section() -> str:
    """What the page holds between its markers."""
    found = list(compared(CASES))
    return "\n".join((*_table(found), "", *_line_by_line(found), "", *_beside(found), "", *_conventions()))


def _table(found: Iterable[Compared]) -> Iterator[str]:
    yield (
        "Ours are effective pairs. Each of the peers' numbers is ours plus the reasons below, to the last operation, "
        "and ours are counted again in plain loops (`pytest tests/benchmarks/test_peers.py`)."
    )
    yield ""
    yield "| | ours: AC | integer AC | MAC | NeuroBench: AC | MAC | SpikingJelly: SynOp | MAC |"
    yield "|---|---|---|---|---|---|---|---|"
    for each in found:
        numbers = [*each.ours.values(), *each.theirs.values()]
        yield f"| {each.case.name} | {' | '.join(f'{number:,}' for number in numbers)} |"


def _line_by_line(found: Iterable[Compared]) -> Iterator[str]:
    yield "Where they differ, and by how much:"
    yield ""
    for each in found:
        lines = [*map(_line, each.reasons), *each.case.notes(each.counts)]
        if lines:
            yield f"- **{each.case.name}**"
            yield from (f"  - {line}" for line in lines)


def _line(reason: Reason) -> str:
    name = "SynOps" if (reason.peer, reason.quantity) == (SPIKINGJELLY, "ACs") else reason.quantity
    return f"{reason.peer}, {name} {reason.more:+,}: {reason.why}"


def _beside(found: Iterable[Compared]) -> Iterator[str]:
    yield "SpikingJelly's ACs are its SynOps and these, by the operation of torch that it saw:"
    yield ""
    for each in found:
        if each.beside:
            yield f"- **{each.case.name}**: " + ", ".join(f"{name} {value:,}" for name, value in each.beside.items())
    everything = Counter[str]()
    for each in found:
        everything.update(each.beside)
    yield ""
    yield (
        f"*Its own bookkeeping* ({everything['its own bookkeeping']:,} here) is a sum that SpikingJelly's counter of "
        "memory takes over its map of a spiking convolution while its counter of ACs listens."
    )


def _conventions() -> Iterator[str]:
    """One network under every published convention, by our own counters."""
    module, x = VIDEO.made()
    yield "One network, of convolutions, batch norm, pooling, einsum and attention, under the conventions of papers:"
    yield ""
    yield "| convention | mode | for one sample | what it does not see |"
    yield "|---|---|---|---|"
    for each in figures(module, x, persons=1):
        values = ", ".join(f"{name} {round(value / len(x)):,}" for name, value in each.values.items() if value)
        yield f"| {each.convention} | {each.mode} | {values} | {'; '.join(each.misses)} |"
    yield ""
    yield (
        "FLOPs are MACs to all but torch, which counts two for each. fvcore reads the operations of an einsum off a "
        "report that rounds them to four digits; the number here is what it prints."
    )

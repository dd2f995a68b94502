"""What a rule is: which operations are billed, as what, and what is left out.

E = Σ over layers, Σ over kinds of work of count · constant        in picojoules
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ..energy import Line
from ..operations import LayerCount, OpCount
from ..profile import Constant, Profile


@dataclass(frozen=True)
class Bill:
    """What a rule makes of counts.

    Args:
        lines: what is billed.
        unbilled: work that was done and is not, in words.
    """

    lines: tuple[Line, ...]
    unbilled: tuple[str, ...] = ()


def _anything(counts: OpCount) -> str:  # noqa: ARG001
    """Refuses nothing."""
    return ""


@dataclass(frozen=True)
class Rule:
    """One convention of billing.

    Args:
        name: what the command line calls it.
        text: one sentence: what is billed as what.
        formula: the same as one line.
        source: who bills like that.
        needs: the constants that a profile must have; sram: a price for memory of any size.
        profile: the profile it is meant for.
        bill: the rule itself.
        refuses: why it has nothing to say about these counts; empty where it has.
    """

    name: str
    text: str
    formula: str
    source: str
    needs: tuple[str, ...]
    profile: str
    bill: Callable[[OpCount, Profile], Bill]
    refuses: Callable[[OpCount], str] = _anything


def line(layer: str, kind: str, what: str, count: float, constant: Constant) -> Iterator[Line]:
    """A line, unless it is about nothing."""
    if count:
        yield Line(layer, kind, what, count, constant)


def of(counts: OpCount, *roles: str) -> Iterator[tuple[str, LayerCount]]:
    """The layers with these roles, in order."""
    return ((name, each) for name, each in counts.layers.items() if each.facts.role in roles)


WORK: Mapping[str, Callable[[LayerCount], object]] = MappingProxyType(
    {
        "products of two signals": lambda each: each.facts.role == "products" and each.ops.pairs.dense,
        "sums over windows (pools)": lambda each: each.facts.role == "pool" and each.ops.pairs.dense,
        "neuron updates": lambda each: any(each.ops.updates.values()),
        "comparisons of neurons": lambda each: each.facts.role == "neurons" and each.ops.comparisons,
        "comparisons of pools and ReLUs": lambda each: each.facts.role != "neurons" and each.ops.comparisons,
        "resets": lambda each: each.ops.resets,
        "additions of a bias": lambda each: each.ops.bias_adds,
        "element-wise additions and multiplications": lambda each: each.ops.adds or each.ops.multiplies,
        "memory": lambda each: each.facts.weights or any(each.ops.updates.values()),
    }
)
"""Kinds of work that a rule may leave out, and how to see that a layer did some."""


def left_out(counts: OpCount, billed: Collection[str] = ()) -> tuple[str, ...]:
    """What was done and is not among the `billed` kinds of `WORK`; functions and what was not counted never are."""
    layers = tuple(counts.layers.values())
    work = [kind for kind, did in WORK.items() if kind not in billed and any(did(each) for each in layers)]
    functions = sorted({name for each in layers for name, values in each.ops.functions.items() if values})
    unknown = [f"{each.name} in {each.layer}: not counted" for each in counts.uncounted]
    return (*work, *(f"function {name}" for name in functions), *unknown)


def join(*parts: Iterable[Line]) -> tuple[Line, ...]:
    """Lines one after the other."""
    return tuple(each for part in parts for each in part)

"""Operations, counted: whole numbers by layer, of what there was to do (dense) and of what was not 0 (effective).

A *pair* is one input value and one output value that a weight, or another signal, connects, in one step of one sample.
What its input carries, by the graph and never by a look at its values, says what a pair costs:

    spikes            one accumulate (AC)
    small integers n  n accumulates, or one multiply-accumulate: both are counted
    real numbers      one multiply-accumulate (MAC)

Padding connects nothing: a spike at the border of a convolution reaches fewer outputs, and only those are counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import reduce
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from ..toolchain.errors import UsageError

Role = Literal["synapses", "products", "pool", "neurons", "elementwise"]
"""What a layer is: weights on a signal, products of two signals, sums over windows, neurons, or one value at a time."""
Road = Literal["graph", "chip", "module"]
"""Where counts came from: a graph and its run, a chip graph and its run, or a torch module while it ran."""
Promise: TypeAlias = str | Mapping[str, str]
"""What inputs promise to be: spikes, int[low,high] or graded; or that for each of several inputs, by name."""


@dataclass(frozen=True)
class Pairs:
    """Pairs of an input value and an output value.

    Args:
        dense: those there are.
        padded: those that a counter of shapes sees: output values times entries of the kernel, padding among them.
        effective: those whose input value was not 0; where two signals meet, neither of them.
        weighted: those of them whose weight is not 0 either.
        spikes: Σ |n| over the effective ones where the input carries whole numbers n, else 0.
    """

    dense: int = 0
    padded: int = 0
    effective: int = 0
    weighted: int = 0
    spikes: int = 0

    def __add__(self, other: Pairs) -> Pairs:
        mine, theirs = vars(self), vars(other)
        return Pairs(**{name: mine[name] + theirs[name] for name in mine})


@dataclass(frozen=True)
class Ops:
    """What a layer did; everything adds.

    Args:
        acs: pairs whose input carries spikes.
        integer_acs: pairs whose input carries small integers.
        macs: pairs whose input carries real numbers. A product of two signals is AC where one of them carries spikes.
        received: input values (of the signal that events arrive on; of all of them where signals meet).
        events: those of them that were not 0; of layers that work value by value all of them, since they do.
        sent: output values of neurons; 0 of other layers, which hand on sums that nobody sends.
        sent_events: those of them that were not 0: spikes, or graded messages.
        updates: neuron updates by kind of neuron: neurons · steps · samples.
        active: those of them whose input was not 0.
        comparisons: of a neuron with its threshold, of a value with another in a pool or a ReLU.
        resets: spikes of neurons that are reset.
        bias_adds: output values that a bias was added to.
        adds: additions of two signals, or of a constant, one value at a time.
        multiplies: multiplications by a constant other than 1 and −1, one value at a time.
        functions: values that a function of one value was taken of, by its name.
    """

    acs: Pairs = Pairs()
    integer_acs: Pairs = Pairs()
    macs: Pairs = Pairs()
    received: int = 0
    events: int = 0
    sent: int = 0
    sent_events: int = 0
    updates: Mapping[str, int] = field(default_factory=dict)
    active: int = 0
    comparisons: int = 0
    resets: int = 0
    bias_adds: int = 0
    adds: int = 0
    multiplies: int = 0
    functions: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("updates", "functions"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def __add__(self, other: Ops) -> Ops:
        return Ops(**{each.name: _plus(getattr(self, each.name), getattr(other, each.name)) for each in fields(self)})

    @property
    def pairs(self) -> Pairs:
        """Pairs of every kind."""
        return self.acs + self.integer_acs + self.macs

    @property
    def rate(self) -> float:
        """The share of input values that were not 0."""
        return self.events / self.received if self.received else 0.0


def _plus(mine: Any, theirs: Any) -> Any:
    """Numbers and pairs add; mappings add name by name."""
    if not isinstance(mine, Mapping):
        return mine + theirs
    return {name: mine.get(name, 0) + theirs.get(name, 0) for name in (*mine, *(n for n in theirs if n not in mine))}


@dataclass(frozen=True)
class Facts:
    """What a layer is, whatever runs through it.

    Args:
        kind: its kind of node (Conv, Affine, LIF …) or of operation (matmul, fft …).
        role: what kind of work it is.
        carries: what each of its inputs carries: spikes, int[low,high] or graded.
        kernel: the entries of its window along each axis; () for a matrix.
        stride: of the window.
        groups: of a convolution.
        channels: (in, out) of a convolution, (inputs, outputs) of a matrix; (0, 0) where the notion does not apply.
        n_in: input values in one step of one sample.
        n_out: output values in one step of one sample.
        weights: how many weights it holds.
        biases: how many biases it holds.
        first: whether what it reads comes from an input of the network without a neuron on the way.
    """

    kind: str
    role: Role
    carries: tuple[str, ...] = ()
    kernel: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()
    groups: int = 1
    channels: tuple[int, int] = (0, 0)
    n_in: int = 0
    n_out: int = 0
    weights: int = 0
    biases: int = 0
    first: bool = False


@dataclass(frozen=True)
class LayerCount:
    """One layer: what it is and what it did."""

    facts: Facts
    ops: Ops = Ops()

    def __add__(self, other: LayerCount) -> LayerCount:
        if self.facts != other.facts:
            raise UsageError("counts", f"{other.facts}", f"the same layer: {self.facts}", "add counts of one network")
        return LayerCount(self.facts, self.ops + other.ops)


@dataclass(frozen=True)
class Uncounted:
    """Work that has no row in the tables: said, never taken for 0.

    Args:
        name: the operation, as torch or the graph calls it.
        layer: where.
        calls: how often it ran.
        values: how many values it gave.
        seconds: how long it took; 0 where time was not measured.
    """

    name: str
    layer: str
    calls: int
    values: int
    seconds: float = 0.0


@dataclass(frozen=True)
class OpCount:
    """What a network did on some samples.

    Args:
        network: its name.
        road: where the counts came from.
        layers: by name, in the order of the network.
        samples: how many samples.
        steps: steps, summed over the samples.
        uncounted: what has no row.
        seconds: how long the network ran, where it was measured.
        notes: what the reader of these numbers has to know, in sentences.
    """

    network: str
    road: Road
    layers: Mapping[str, LayerCount]
    samples: int = 1
    steps: int = 1
    uncounted: tuple[Uncounted, ...] = ()
    seconds: float = 0.0
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", MappingProxyType(dict(self.layers)))

    def __add__(self, other: OpCount) -> OpCount:
        mine, theirs = (self.network, self.road, *self.layers), (other.network, other.road, *other.layers)
        if mine != theirs:
            raise UsageError("counts", f"of {other.network}", f"of {self.network}", "add counts of one network")
        return OpCount(
            self.network, self.road, {name: each + other.layers[name] for name, each in self.layers.items()},
            self.samples + other.samples, self.steps + other.steps, merged((*self.uncounted, *other.uncounted)),
            self.seconds + other.seconds, tuple(dict.fromkeys((*self.notes, *other.notes))),
        )  # fmt: skip

    @property
    def total(self) -> Ops:
        """All layers together."""
        return reduce(lambda sum_, each: sum_ + each.ops, self.layers.values(), Ops())

    @property
    def steps_of_sample(self) -> float:
        """T: steps of one sample, the mean where samples differ."""
        return self.steps / self.samples


def merged(parts: Iterable[Uncounted]) -> tuple[Uncounted, ...]:
    """The same work at the same place, added up."""
    found: dict[tuple[str, str], Uncounted] = {}
    for each in parts:
        was = found.get((each.name, each.layer), Uncounted(each.name, each.layer, 0, 0))
        calls, values = was.calls + each.calls, was.values + each.values
        found[each.name, each.layer] = Uncounted(each.name, each.layer, calls, values, was.seconds + each.seconds)
    return tuple(found.values())


def total(counts: Iterable[OpCount]) -> OpCount:
    """The sum of at least one count."""
    return reduce(lambda sum_, each: sum_ + each, counts)

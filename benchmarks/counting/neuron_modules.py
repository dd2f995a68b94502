"""Neurons of the four dialects, as modules that run: what each declares by its type, whatever torch does inside it.

What such a module does to its state is an update of its kind, not a list of multiplications. Weights inside it, on its
input or on what it sent itself, are synapses, and layers of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ...toolchain.tracing.dialects.snntorch import CHOSEN
from .aten_calls import tensors_in
from .book import Book, Entry, Shape
from .nonzeros import count
from .places import Where
from .provenance import REAL, SENT, Origin, Origins, shared

Ask = Callable[[Any], Any]


@dataclass(frozen=True)
class Neuron:
    """What a type of neuron is.

    Args:
        kind: the kind of node that it is.
        many: whether a call takes all steps.
        fires: whether it compares with a threshold, and sends spikes.
        resets: whether a spike moves its state.
        weights: what the layers of the weights inside it are called, by the names of these.
        late: whether what comes in joins its state one step later.
        once: whether each weight counts once in a call, however often the framework multiplies by it.
        graded: what its spikes are multiplied by before they are sent.
    """

    kind: Ask
    many: Ask
    fires: bool = True
    resets: Ask = lambda _: True
    weights: Mapping[str, str] = field(default_factory=dict)
    late: bool = False
    once: bool = False
    graded: Ask = lambda _: None


@dataclass
class Region:
    """One call of a neuron.

    Args:
        spec: what it is.
        where: the module.
        x: what it was called with.
        inward: what the weights on its input gave, until those on its own spikes gave something, too.
        values: how many values its state took in.
        events: how many of them were not 0.
        last: how many of those of the last step were not 0.
        done: layers of weights that were counted.
    """

    spec: Neuron
    where: Where
    x: Tensor | None
    inward: Tensor | None = None
    values: int = 0
    events: int = 0
    last: int = 0
    done: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        """What the neuron's layer is called."""
        return self.where.path or type(self.where.module).__name__.lower()

    def take(self, x: Tensor, seen: int) -> None:
        """Values that the state takes in, in one step or in all of them, and how many of them are not 0."""
        whole = self.spec.late and self.spec.many(self.where.module) and not self.spec.weights
        self.values, self.events = self.values + x.numel(), self.events + seen
        self.last = count(x[-1], self.name) if whole and len(x) else seen


@dataclass(frozen=True)
class Later:
    """What a neuron sent, held until its reader has counted it, so that nobody has to look twice.

    Args:
        outs: what it sent.
        name: of its layer.
        entries: where the number belongs, and under which name.
    """

    outs: list[Tensor]
    name: str
    entries: list[tuple[Entry, str]]


class Neurons:
    """The neurons that run, and what they did.

    Args:
        book: where counts go.
        origins: where tensors come from.
    """

    def __init__(self, book: Book, origins: Origins) -> None:
        self.book, self.origins = book, origins
        self.running: list[Region] = []
        self.waiting: dict[str, int] = {}
        self.steps: dict[str, int] = {}
        self.later: list[Later] = []

    def enter(self, spec: Neuron, where: Where, args: Any) -> Region:
        """A neuron is called."""
        region = Region(spec, where, next(tensors_in(args), None))
        self.running.append(region)
        return region

    def weighed(self, layer: str, out: Tensor, *, summed: bool) -> None:
        """Weights inside a neuron gave something, to which a signal was added already where it is `summed`."""
        region = self.running[-1]
        if layer == "input" and "recurrent" in region.spec.weights.values():
            region.inward = out
            return
        if layer == "input":
            region.take(out, count(out, region.name))
            return
        other = region.inward if region.inward is not None else region.x
        if other is None:
            return
        total = out if summed else other + out
        name = f"{region.name}.sum"
        entry = self.book.layer(name, Shape("Add", "elementwise"), (self._arriving(region), REAL), total.numel())
        entry.add(adds=total.numel(), received=2 * total.numel(), events=2 * total.numel())
        region.take(total, count(total, name))

    def _arriving(self, region: Region) -> Origin:
        """What comes to a neuron through weights of its own: real numbers."""
        return REAL if region.x is None else Origin(first=self.origins.of(region.x).first)

    def leave(self, result: Any, args: Any) -> None:
        """A neuron has answered."""
        region = self.running.pop()
        spec, module = region.spec, region.where.module
        x = next(tensors_in(args), None) if region.x is None else region.x
        if x is None:
            return
        if not region.values and not spec.weights:
            region.take(x, self._events(x, region.name))
        self._count(region, x, result)
        steps = len(x) if spec.many(module) else 1
        self.steps[region.name] = self.steps.get(region.name, 0) + steps

    def _count(self, region: Region, x: Tensor, result: Any) -> None:
        spec, module = region.spec, region.where.module
        outs = list(tensors_in(result if isinstance(result, list) else next(iter(_parts(result)), None)))
        events = self._late(region, result) if spec.late else region.events
        origin = self._arriving(region) if spec.weights else self.origins.of(x)
        entry = self.book.layer(region.name, Shape(spec.kind(module), "neurons"), (origin,), region.values)
        self._declare(region, result, outs)
        sent = sum(out.numel() for out in outs)
        entry.update(spec.kind(module), region.values).add(
            received=region.values, events=events, active=events, sent=sent,
            comparisons=region.values if spec.fires else 0,
        )  # fmt: skip
        entries = [(entry, "sent_events"), *([(entry, "resets")] if spec.fires and spec.resets(module) else [])]
        factor = spec.graded(module) if spec.fires else None
        if factor is not None:
            shape = Shape("Scale", "elementwise", {"weights": factor.numel()})
            graded = self.book.layer(f"{region.name}.graded", shape, (SENT,), sent)
            graded.add(multiplies=sent, received=sent, events=sent)
        self.later.append(Later(outs, region.name, entries))

    def settle(self, *, all_: bool = True) -> None:
        """Count what neurons sent.

        Args:
            all_: of all of them; else only of those whose number is known by now, or that nobody else holds any more.
        """
        later, self.later = self.later, []
        for each in later:
            if not all_ and any(shared(out) and not self.origins.answered(out) for out in each.outs):
                self.later.append(each)
                continue
            events = sum(self._events(out, each.name) for out in each.outs)
            for entry, field_ in each.entries:
                entry.add(**{field_: events})

    def _events(self, x: Tensor, name: str) -> int:
        return self.origins.once(x, lambda each: count(each, name))

    def _late(self, region: Region, result: Any) -> int:
        """What came in one step ago: all but the last step's, and the last call's."""
        del result
        before = self.waiting.pop(region.name, 0)
        self.waiting[region.name] = region.last
        return before + region.events - region.last

    def _declare(self, region: Region, result: Any, outs: list[Tensor]) -> None:
        """What the neuron hands out are spikes; its states are real numbers."""
        spec, module = region.spec, region.where.module
        held = (*module._buffers.values(), *getattr(module, "_memories", {}).values())
        for each in tensors_in([list(held), list(_parts(result))]):
            if not self.origins.knows(each):
                self.origins.note(each, REAL)
        sends = SENT if spec.fires and spec.graded(module) is None else REAL
        for out in outs:
            self.origins.note(out, sends)


def _parts(result: Any) -> tuple[Any, ...]:
    """The parts of an answer: spikes first, then states."""
    return tuple(result) if isinstance(result, list | tuple) else (result,)


def always(kind: str) -> Ask:
    """The same kind, whatever the parameters are."""
    return lambda _: kind


def _many(_: Any) -> bool:
    return True


def _single(_: Any) -> bool:
    return False


def _leaks(module: Any) -> str:
    """β is 1, unless it was learnt."""
    return "LIF" if bool((torch.as_tensor(module.beta) != 1).any()) else "IF"


def _reset(module: Any) -> bool:
    return bool(module.reset != "none")


def _chosen(module: Any) -> bool:
    return CHOSEN.get(getattr(module.state_function, "__name__", "")) != "none"


def _factor(module: Any) -> Any:
    factor = module.graded_spikes_factor
    return None if bool((factor == 1).all()) else factor


def _mode(module: Any) -> bool:
    return bool(getattr(module, "step_mode", "s") == "m")


def _current(module: Any) -> str:
    return "LeakyIntegrator" if module.alpha is None else "CubaIntegrator"


_OURS: dict[str, Any] = {"many": _many, "resets": _reset}
_NORSE = "norse.torch.module"
_SNN = "snntorch._neurons"
_JELLY = "spikingjelly.activation_based.neuron"
_BOTH = {"input_weights": "input", "recurrent_weights": "recurrent"}
_SNNTORCH: dict[str, Any] = {"many": _single, "resets": _chosen, "graded": _factor}
_AGAIN: dict[str, Any] = {**_SNNTORCH, "once": True, "weights": {"recurrent": "recurrent"}}
_INNER = {"input_weight": "input", "recurrent_weight": "recurrent"}

NEURONS: Mapping[str, Neuron] = {
    "spikeport.models.neurons.IF": Neuron(_leaks, **_OURS),
    "spikeport.models.neurons.LIF": Neuron(always("LIF"), **_OURS),
    "spikeport.models.neurons.CubaLIF": Neuron(always("CubaLIF"), **_OURS),
    "spikeport.models.neurons.LI": Neuron(_current, _many, fires=False),
    "spikeport.models.stateful.MovingAverage": Neuron(always("LeakyIntegrator"), _many, fires=False),
    "spikeport.models.recurrent.RecurrentCubaLIF": Neuron(always("CubaLIF"), **_OURS, weights=_INNER),
    f"{_NORSE}.lif.LIFCell": Neuron(always("CubaLIF"), _single),
    f"{_NORSE}.lif.LIF": Neuron(always("CubaLIF"), _many),
    f"{_NORSE}.lif.LIFRecurrentCell": Neuron(always("CubaLIF"), _single, weights=_BOTH),
    f"{_NORSE}.lif.LIFRecurrent": Neuron(always("CubaLIF"), _many, weights=_BOTH),
    f"{_NORSE}.lif_box.LIFBoxCell": Neuron(always("LIF"), _single),
    f"{_NORSE}.leaky_integrator_box.LIBoxCell": Neuron(always("LeakyIntegrator"), _single, fires=False),
    f"{_NORSE}.leaky_integrator.LICell": Neuron(always("CubaIntegrator"), _single, fires=False),
    f"{_NORSE}.leaky_integrator.LI": Neuron(always("CubaIntegrator"), _many, fires=False),
    f"{_NORSE}.leaky_integrator.LILinearCell": Neuron(
        always("CubaIntegrator"), _single, fires=False, weights={"input_weights": "input"}
    ),
    f"{_NORSE}.iaf.IAFCell": Neuron(always("IF"), _single),
    f"{_NORSE}.iaf.IAF": Neuron(always("IF"), _many),
    f"{_NORSE}.lsnn.LSNNCell": Neuron(always("AdaptiveLIF"), _single, late=True),
    f"{_NORSE}.lsnn.LSNN": Neuron(always("AdaptiveLIF"), _many, late=True),
    f"{_NORSE}.lsnn.LSNNRecurrentCell": Neuron(always("AdaptiveLIF"), _single, weights=_BOTH, late=True),
    f"{_NORSE}.lsnn.LSNNRecurrent": Neuron(always("AdaptiveLIF"), _many, weights=_BOTH, late=True),
    f"{_SNN}.leaky.Leaky": Neuron(always("LIF"), **_SNNTORCH),
    f"{_SNN}.synaptic.Synaptic": Neuron(always("CubaLIF"), **_SNNTORCH),
    f"{_SNN}.lapicque.Lapicque": Neuron(always("LIF"), **_SNNTORCH),
    f"{_SNN}.rleaky.RLeaky": Neuron(always("LIF"), **_AGAIN),
    f"{_SNN}.rsynaptic.RSynaptic": Neuron(always("CubaLIF"), **_AGAIN),
    f"{_JELLY}.integrate_and_fire.IFNode": Neuron(always("IF"), _mode),
    f"{_JELLY}.integrate_and_fire.SimpleIFNode": Neuron(always("IF"), _mode),
    f"{_JELLY}.integrate_and_fire.HalfThresholdIFNode": Neuron(always("IF"), _mode),
    f"{_JELLY}.integrate_and_fire.NonSpikingIFNode": Neuron(always("Integrator"), _many, fires=False),
    f"{_JELLY}.lif.LIFNode": Neuron(always("LIF"), _mode),
    f"{_JELLY}.lif.SimpleLIFNode": Neuron(always("LIF"), _mode),
    f"{_JELLY}.lif.NonSpikingLIFNode": Neuron(always("LeakyIntegrator"), _many, fires=False),
    f"{_JELLY}.plif.ParametricLIFNode": Neuron(always("LIF"), _mode),
    f"{_JELLY}.lif_variants.CUBALIFNode": Neuron(always("CubaLIF"), _mode),
    f"{_JELLY}.online_learning.OTTTLIFNode": Neuron(always("LIF"), _mode),
    f"{_JELLY}.online_learning.SLTTLIFNode": Neuron(always("LIF"), _mode),
}
"""What each type of neuron is, by its full name. No framework is imported for it."""

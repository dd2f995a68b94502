"""The convention of NeuroBench (2.3): synaptic operations that are effective, and those that are there.

    effective     pairs in bounds whose input and weight are not 0, for each call of Linear, Conv1d-3d, recurrent cells
    ACs or MACs   ACs where every value of that call's input is -1, 0 or 1; so also for an input of zeros
    dense         the same with inputs and weights of ones
    neurons       of snnTorch: updates = potentials that a call changed (in the first call: all of them); operations
                  = updates · 4 (Leaky), 6 or 8 (Synaptic), 11 (Lapicque), 18 or 24 (Alpha), by the way of the reset

No biases, no normalisation, no pools, nothing outside of those modules.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from .neurobench_cells import CELLS, Cell
from .table import Tally
from .watching import copied, each_call, first_length, unseen

STATELESS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
LAYERS = (*STATELESS, nn.RNNBase, nn.RNNCellBase)

NEURONS: Mapping[tuple[str, str], int] = {
    ("Leaky", "subtract"): 4,
    ("Leaky", "zero"): 4,
    ("Synaptic", "subtract"): 6,
    ("Synaptic", "zero"): 8,
    ("Lapicque", "subtract"): 11,
    ("Lapicque", "zero"): 11,
    ("Alpha", "subtract"): 18,
    ("Alpha", "zero"): 24,
}
"""Class and reset of snnTorch → operations of one update. It has no row for other neurons, nor for no reset."""


def _not_zero(values: Tensor) -> Tensor:
    return (values != 0).double()


def _spikes(values: Tensor) -> bool:
    return bool(((values == 0) | (values == 1) | (values == -1)).all())


def _pairs(layer: Any, given: Tensor, *, dense: bool) -> int:
    """Pairs in bounds of a layer without state: the layer itself, on ones."""
    ones = deepcopy(layer).double()
    ones.bias = None
    ones.weight.data = torch.ones_like(ones.weight) if dense else _not_zero(layer.weight)
    seen = torch.ones_like(given, dtype=torch.float64) if dense else _not_zero(given)
    return int(type(layer).forward(ones, seen).sum())


def _cell_pairs(layer: Any, given: tuple[Any, ...], *, dense: bool) -> int:
    """What a recurrent cell does in one call. In what is dense, the two states of an LSTM stay as they are."""
    weight = torch.ones_like if dense else _not_zero
    names = ("weight_ih", "weight_hh", *(("bias_ih", "bias_hh") if layer.bias else ()))
    held = {name: weight(getattr(layer, name).detach()).double() for name in names}
    rows = given[0].reshape(-1, given[0].shape[-1])
    states = given[1] if len(given) > 1 and given[1] is not None else rows.new_zeros(len(rows), layer.hidden_size)
    nested = isinstance(states, tuple | list)
    every = [each.reshape(len(rows), -1).detach() for each in (states if nested else (states,))]
    seen = [_not_zero(each) if nested else weight(each).double() for each in every]
    return CELLS[type(layer)](Cell(weight(rows).double(), seen, held))


def _operations(layer: nn.Module, given: tuple[Any, ...]) -> dict[str, int]:
    """What one call counts."""
    if isinstance(layer, nn.RNNBase):
        return {}
    count = _cell_pairs if isinstance(layer, nn.RNNCellBase) else _pairs
    seen: Any = given if isinstance(layer, nn.RNNCellBase) else given[0]
    kind = "effective_acs" if _spikes(given[0]) else "effective_macs"
    return {kind: count(layer, seen, dense=False), "dense": count(layer, seen, dense=True)}


def _met(module: nn.Module) -> Iterator[nn.Module]:
    """Layers on the way down; the network itself is none."""
    for child in module.children():
        yield from [child] if isinstance(child, LAYERS) else _met(child)


def _is_neuron(module: nn.Module) -> bool:
    spiking = any(
        base.__name__ == "SpikingNeuron" and base.__module__.startswith("snntorch") for base in type(module).__mro__
    )
    return spiking and _price(module) is not None


def _price(module: Any) -> int | None:
    return NEURONS.get((type(module).__name__, str(getattr(module, "_reset_mechanism", ""))))


SYNAPSES = ("effective_macs", "effective_acs", "dense")
UPDATES = ("effective_neuron_ops", "dense_neuron_ops", "membrane_updates")


def count(module: nn.Module, inputs: Any, train: bool) -> Tally:
    """Sums over calls; it prints them for one sample."""
    subject = copied(module, train)
    layers, found, potentials = set(_met(subject)), Counter[str](), dict[nn.Module, Tensor | None]()
    neurons = {child for child in subject.modules() if _is_neuron(child)}
    names = (*SYNAPSES, *(UPDATES if neurons else ()))

    def entered(child: Any, given: tuple[Any, ...]) -> None:
        if child in layers:
            found.update(_operations(child, given))
        if child in neurons:
            potentials[child] = child.mem if child in potentials else None

    def called(child: Any, given: tuple[Any, ...], gave: Any) -> None:
        if child in neurons:
            found.update(_update(child, potentials[child]))

    each_call(subject, inputs, called, grad=True, before=entered)
    subject = copied(module, train)
    misses = unseen(subject, inputs, lambda deed: any(_sees(each) for each in deed.inside), grad=True)
    return Tally({name: found[name] for name in names}, misses, first_length(inputs))


def _update(neuron: Any, before: Tensor | None) -> dict[str, int]:
    """One call of a neuron: the potentials that changed, and all."""
    after, price = neuron.mem, _price(neuron) or 0
    changed = after.numel() if before is None else int((before - after).count_nonzero())
    return dict(zip(UPDATES, (changed * price, after.numel() * price, changed), strict=True))


def _sees(module: nn.Module) -> bool:
    counted = isinstance(module, LAYERS) and not isinstance(module, nn.RNNBase)
    return counted or _is_neuron(module)

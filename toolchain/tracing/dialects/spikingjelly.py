"""SpikingJelly 2.0: a threshold that may be met (≥), reset in this step, to a value or, with v_reset=None, by subtraction.

    IFNode             v += x
    LIFNode            v += (x − (v − v_reset)) / τ       decay_input=False: v −= (v − v_reset)/τ, v += x
    ParametricLIFNode  the same with 1/τ = sigmoid(w)

`layer.*` in step mode 'm' fold time into the batch and unfold it again, which the tables of functions follow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from torch import Tensor, nn

from ...graph.nodes import IF, LIF
from ..leaf import Leaf, Row
from ..operation import Cannot
from ..values import Tracked, Value


def _firing(leaf: Leaf) -> dict[str, Any]:
    module = leaf.module
    rest = 0.0 if module.v_reset is None else float(module.v_reset)
    fields = {"threshold": np.asarray(float(module.v_threshold)), "at_least": True, "v_start": np.asarray(rest)}
    if module.v_reset is None:
        return {**fields, "reset": "subtract"}
    return {**fields, "reset": "value", "v_reset": np.asarray(rest)}


def _leaky(leaf: Leaf, rate: float) -> Any:
    """v = (1 − r)·v + g·x + r·v_reset, r = 1/τ, g = r with decay_input and 1 without."""
    module = leaf.module
    rest = 0.0 if module.v_reset is None else float(module.v_reset)
    gain = rate if module.decay_input else 1.0
    return LIF(beta=1.0 - rate, gain=gain, bias=rate * rest, rule="euler", **_firing(leaf))


def _answer(leaf: Leaf, node: Any) -> Tracked:
    """The spikes; the voltage stays in the module, where the network may read it."""
    result = leaf.run()
    value = leaf.neuron(node)
    voltage = leaf.module.v
    if isinstance(voltage, Tensor):
        leaf.module.v = leaf.tracked(voltage, _after(value), "v")
    return leaf.tracked(result, value)


def _after(value: Value) -> Value:
    """A neuron's value once its call is over: of this step, or of the last one."""
    return value if not value.whole else replace(value, axes=value.axes.replace("T", ""), readout="last")


def _if_node(leaf: Leaf) -> Tracked:
    return _answer(leaf, IF(**_firing(leaf)))


def _lif_node(leaf: Leaf) -> Tracked:
    return _answer(leaf, _leaky(leaf, 1.0 / float(leaf.module.tau)))


def _plif_node(leaf: Leaf) -> Tracked:
    return _answer(leaf, _leaky(leaf, float(leaf.module.w.detach().sigmoid())))


def _many(module: nn.Module) -> bool:
    return getattr(module, "step_mode", "s") == "m"


def _fresh(module: nn.Module) -> None:
    memory: Any = module
    memory.reset()


def _refused(leaf: Leaf) -> Any:
    kinds = "IFNode, LIFNode or ParametricLIFNode"
    raise Cannot(
        f"{leaf.kind}, a stateful module that no node expresses", kinds, "use one of them, or give a row for it"
    )


_NEURONS = {
    "integrate_and_fire.IFNode": _if_node,
    "lif.LIFNode": _lif_node,
    "plif.ParametricLIFNode": _plif_node,
}

ROWS: Mapping[str, Row] = {
    f"spikingjelly.activation_based.neuron.{name}": Row(call, _many, _fresh) for name, call in _NEURONS.items()
}

REFUSED: Mapping[str, Row] = {"spikingjelly.activation_based.base.MemoryModule": Row(_refused, _many, _fresh)}

"""Our own neurons, `spikeport.models.neurons`: all steps in one call, fields as the graph's.

IF, LIF, CubaLIF   v̂ = β·v + g·u + b, u = x or u = α·u + x       IF, LIF, CubaLIF
LI                 the same without a threshold                  LeakyIntegrator, CubaIntegrator
MovingAverage      S = λ·S + (1 − λ)·x, λ handed in              LeakyIntegrator
Change             (x[t] − x[t−1])·b[t], b 0 and then 1          Delay, Add, Multiply
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...graph.nodes import (
    IF,
    LIF,
    Activation,
    Add,
    Affine,
    CubaIntegrator,
    CubaLIF,
    Delay,
    LeakyIntegrator,
    Multiply,
    Node,
    Scale,
)
from ..leaf import Leaf, Row, refused
from ..values import Tracked, Value

RULES = {"euler": "euler", "exact": "exact", "decay": "given"}


def _shared(leaf: Leaf) -> dict[str, Any]:
    module = leaf.module
    leaf.recorder.dts[leaf.path] = float(module.dt)
    names = {"gain": module.gain, "bias": module.bias, "v_start": module.v_init}
    return {"rule": RULES[module.rule], **{name: leaf.parameter(value, name) for name, value in names.items()}}


def _firing(leaf: Leaf) -> dict[str, Any]:
    module = leaf.module
    to_value = {"v_reset": leaf.parameter(module.v_reset, "v_reset")} if module.reset == "value" else {}
    fields = {"threshold": leaf.parameter(module.threshold, "threshold"), "at_least": module.inclusive, **to_value}
    return {**_shared(leaf), **fields, "reset": module.reset, "when": module.when}


def _decays(leaf: Leaf) -> dict[str, Any]:
    decays = {"alpha": leaf.module.alpha, "beta": leaf.module.beta}
    return {name: leaf.parameter(value, name) for name, value in decays.items() if value is not None}


def _answer(leaf: Leaf, node: Node, *inputs: Value) -> Tracked:
    return leaf.tracked(leaf.run(), leaf.neuron(node, *inputs))


def _if(leaf: Leaf) -> Tracked:
    """β is 1, unless it was learnt."""
    decays = _decays(leaf)
    leaks = bool((decays["beta"] != 1).any())
    return _answer(leaf, LIF(**decays, **_firing(leaf)) if leaks else IF(**_firing(leaf)))


def _lif(leaf: Leaf) -> Tracked:
    return _answer(leaf, LIF(**_decays(leaf), **_firing(leaf)))


def _cuba(leaf: Leaf) -> Tracked:
    return _answer(leaf, CubaLIF(**_decays(leaf), **_firing(leaf)))


def _li(leaf: Leaf) -> Tracked:
    kind = LeakyIntegrator if leaf.module.alpha is None else CubaIntegrator
    return _answer(leaf, kind(**_decays(leaf), **_shared(leaf)))


def _recurrent(leaf: Leaf) -> Tracked:
    """i += W_in·x[t] + W_rec·s[t−1], in front of a CUBA-LIF neuron."""
    module = leaf.module
    inward = leaf.send("input", Affine(leaf.array(module.input_weight, "input_weight")), leaf.value)
    back = leaf.send("recurrent", Affine(leaf.array(module.recurrent_weight, "recurrent_weight")), leaf.feedback())
    total = leaf.send("sum", Add(), inward, back)
    return _answer(leaf, CubaLIF(**_decays(leaf), **_firing(leaf)), total)


def _moving_average(leaf: Leaf) -> Tracked:
    """A row of its own, since λ is computed where it is called."""
    keep = leaf.parameter(leaf.argument(1, "keep"), "keep")
    return _answer(leaf, LeakyIntegrator(beta=keep, gain=1 - np.asarray(keep, np.float64)))


def _change(leaf: Leaf) -> Tracked:
    """A difference to the step before, and 0 in the first step: times what is 0 in the first step and 1 after it."""
    before = leaf.send("minus", Scale(np.asarray(-1.0)), leaf.send("before", Delay((1,)), leaf.value))
    one = leaf.send("one", Scale(np.asarray(0.0), np.asarray(1.0)), leaf.value)
    begun = leaf.send("begun", Activation("step", {"threshold": 0.5}), leaf.send("later", Delay((1,)), one))
    return _answer(leaf, Multiply(), leaf.send("difference", Add(), leaf.value, before), begun)


def _many(_: Any) -> bool:
    return True


ROWS: Mapping[str, Row] = {
    "spikeport.models.neurons.IF": Row(_if, _many),
    "spikeport.models.neurons.LIF": Row(_lif, _many),
    "spikeport.models.neurons.CubaLIF": Row(_cuba, _many),
    "spikeport.models.neurons.LI": Row(_li, _many),
    "spikeport.models.stateful.MovingAverage": Row(_moving_average, _many),
    "spikeport.models.stateful.Change": Row(_change, _many),
    "spikeport.models.recurrent.RecurrentCubaLIF": Row(_recurrent, _many),
}

AHEAD = "its neurons run over all steps twice and its wavelets look ahead, so that no step can be answered by itself"

REFUSED: Mapping[str, Row] = {
    "spikeport.models.published_sgn.PublishedSignalSgn": refused(AHEAD, "our Signal-SGN, published=False", _many),
}

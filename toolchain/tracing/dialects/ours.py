"""Our own neurons, `spikeport.models.neurons`: all steps in one call, fields as the graph's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...graph.nodes import IF, LIF, Add, Affine, CubaIntegrator, CubaLIF, LeakyIntegrator
from ..leaf import Leaf, Row
from ..values import Tracked

RULES = {"euler": "euler", "exact": "exact", "decay": "given"}


def _shared(leaf: Leaf) -> dict[str, Any]:
    module = leaf.module
    names = {"gain": module.gain, "bias": module.bias, "v_start": module.v_init}
    return {"rule": RULES[module.rule], **{name: leaf.array(value, name) for name, value in names.items()}}


def _firing(leaf: Leaf) -> dict[str, Any]:
    module = leaf.module
    to_value = {"v_reset": leaf.array(module.v_reset, "v_reset")} if module.reset == "value" else {}
    fields = {"threshold": leaf.array(module.threshold, "threshold"), "at_least": module.inclusive, **to_value}
    return {**_shared(leaf), **fields, "reset": module.reset, "when": module.when}


def _answer(leaf: Leaf, node: Any) -> Tracked:
    return leaf.tracked(leaf.run(), leaf.neuron(node))


def _if(leaf: Leaf) -> Tracked:
    return _answer(leaf, IF(**_firing(leaf)))


def _lif(leaf: Leaf) -> Tracked:
    return _answer(leaf, LIF(beta=leaf.array(leaf.module.beta, "beta"), **_firing(leaf)))


def _decays(leaf: Leaf) -> dict[str, Any]:
    return {"alpha": leaf.array(leaf.module.alpha, "alpha"), "beta": leaf.array(leaf.module.beta, "beta")}


def _cuba(leaf: Leaf) -> Tracked:
    return _answer(leaf, CubaLIF(**_decays(leaf), **_firing(leaf)))


def _li(leaf: Leaf) -> Tracked:
    if leaf.module.alpha is None:
        return _answer(leaf, LeakyIntegrator(beta=leaf.array(leaf.module.beta, "beta"), **_shared(leaf)))
    return _answer(leaf, CubaIntegrator(**_decays(leaf), **_shared(leaf)))


def _recurrent(leaf: Leaf) -> Tracked:
    """i += W_in·x[t] + W_rec·s[t−1], in front of a CUBA-LIF neuron."""
    module = leaf.module
    inward = leaf.send("input", Affine(leaf.array(module.input_weight, "input_weight")), leaf.value)
    back = leaf.send("recurrent", Affine(leaf.array(module.recurrent_weight, "recurrent_weight")), leaf.feedback())
    total = leaf.send("sum", Add(), inward, back)
    return leaf.tracked(leaf.run(), leaf.neuron(CubaLIF(**_decays(leaf), **_firing(leaf)), total))


def _many(_: Any) -> bool:
    return True


ROWS: Mapping[str, Row] = {
    "spikeport.models.neurons.IF": Row(_if, _many),
    "spikeport.models.neurons.LIF": Row(_lif, _many),
    "spikeport.models.neurons.CubaLIF": Row(_cuba, _many),
    "spikeport.models.neurons.LI": Row(_li, _many),
    "spikeport.models.recurrent.RecurrentCubaLIF": Row(_recurrent, _many),
}

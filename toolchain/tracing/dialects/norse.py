"""Norse 1.1: `v += dt/τ·(v_leak − v + i)`, a threshold that must be passed, reset to a value.

In the arithmetic of Norse the rate dt·τ⁻¹ is a 0-d tensor, usually float32; the decays here are computed from that very
number, so that a float32 rate in a float64 run gives the same potential.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from ...graph.nodes import IF, LIF, Add, Affine, CubaIntegrator, CubaLIF, LeakyIntegrator
from ..leaf import Leaf, Row
from ..operation import Cannot
from ..values import Value, leaves, mapped


def _float(value: Any) -> Any:
    """A parameter as float64, a number or one for each neuron."""
    if isinstance(value, Tensor):
        return value.detach().cpu().double().numpy()
    return np.asarray(float(value))


def _rate(leaf: Leaf, inverse: Any) -> Any:
    """dt·τ⁻¹, in Norse's own arithmetic, then exact in float64."""
    leaf.recorder.dts[leaf.path] = float(leaf.module.dt)
    return _float(leaf.module.dt * inverse)


def _membrane(leaf: Leaf) -> dict[str, Any]:
    p = leaf.module.p
    rate = _rate(leaf, p.tau_mem_inv)
    leak = _float(p.v_leak)
    return {"beta": 1.0 - rate, "gain": rate, "bias": rate * leak, "v_start": leak, "rule": "euler"}


def _threshold(leaf: Leaf) -> dict[str, Any]:
    p = leaf.module.p
    if p.method == "logistic":
        raise Cannot(
            f"{leaf.kind} with method 'logistic'", "a threshold without chance", "use another surrogate for inference"
        )
    return {"threshold": _float(p.v_th), "v_reset": _float(p.v_reset)}


def _answer(leaf: Leaf, value: Value, states: tuple[str, ...]) -> Any:
    """(output, state): the state's tensors are the neuron's own."""
    if getattr(leaf.module, "record_states", False):
        raise Cannot(f"{leaf.kind} with record_states", "the state of the last step", "record states in the simulation")
    names = iter(states)
    output, state = leaf.run()
    kept = mapped(state, lambda each: leaf.tracked(each, value, next(names)) if isinstance(each, Tensor) else each)
    return leaf.tracked(output, value), kept


def _given(leaf: Leaf, starts: Mapping[str, Any]) -> None:
    """The state handed in, if any, is this module's own."""
    state = leaf.argument(1, "state")
    if state is not None:
        leaf.states({name: (tensor, starts[name]) for name, tensor in zip(starts, leaves(state), strict=True)})


def _lif_cell(leaf: Leaf) -> Any:
    membrane = _membrane(leaf)
    _given(leaf, {"v": membrane["v_start"], "u": 0.0})
    alpha = 1.0 - _rate(leaf, leaf.module.p.tau_syn_inv)
    value = leaf.neuron(CubaLIF(alpha=alpha, **membrane, **_threshold(leaf)))
    return _answer(leaf, value, ("v", "u"))


def _lif_box_cell(leaf: Leaf) -> Any:
    membrane, fire = _membrane(leaf), _threshold(leaf)
    _given(leaf, {"v": membrane["v_start"]})
    method = leaf.module.p.reset_method.__name__
    if method == "reset_subtract":
        fire = {"threshold": fire["threshold"], "reset": "subtract"}
    elif method != "reset_value":
        raise Cannot(f"{leaf.kind} with reset method '{method}'", "reset_value or reset_subtract")
    return _answer(leaf, leaf.neuron(LIF(**membrane, **fire)), ("v",))


def _li_box_cell(leaf: Leaf) -> Any:
    membrane = _membrane(leaf)
    _given(leaf, {"v": membrane["v_start"]})
    return _answer(leaf, leaf.neuron(LeakyIntegrator(**membrane)), ("v",))


def _iaf_cell(leaf: Leaf) -> Any:
    fire = _threshold(leaf)
    _given(leaf, {"v": fire["v_reset"]})
    return _answer(leaf, leaf.neuron(IF(v_start=fire["v_reset"], **fire)), ("v",))


def _lif_recurrent(leaf: Leaf) -> Any:
    """i += W_in·x[t] + W_rec·z[t−1], in front of the neuron of LIFCell."""
    module, membrane = leaf.module, _membrane(leaf)
    _given(leaf, {"z": 0.0, "v": membrane["v_start"], "u": 0.0})
    inward = leaf.send("input", Affine(leaf.array(module.input_weights, "input_weights")), leaf.value)
    back = leaf.send("recurrent", Affine(leaf.array(module.recurrent_weights, "recurrent_weights")), leaf.feedback())
    total = leaf.send("sum", Add(), inward, back)
    alpha = 1.0 - _rate(leaf, module.p.tau_syn_inv)
    value = leaf.neuron(CubaLIF(alpha=alpha, **membrane, **_threshold(leaf)), total)
    return _answer(leaf, value, ("z", "v", "u"))


def _li(leaf: Leaf) -> Any:
    """i_jump = i + x; v += dt/τ·(v_leak − v + i_jump); i decays."""
    membrane = _membrane(leaf)
    _given(leaf, {"v": membrane["v_start"], "u": 0.0})
    alpha = 1.0 - _rate(leaf, leaf.module.p.tau_syn_inv)
    return _answer(leaf, leaf.neuron(CubaIntegrator(alpha=alpha, **membrane)), ("v", "u"))


def _refused(leaf: Leaf) -> Any:
    kinds = "LIFCell, LIFBoxCell, LIBoxCell, LICell, IAFCell or LIFRecurrentCell, or their layers over time"
    raise Cannot(f"{leaf.kind}, a neuron that no node expresses", kinds, "use one of them, or give a row for it")


def _many(_: Any) -> bool:
    return True


ROWS: Mapping[str, Row] = {
    "norse.torch.module.lif.LIFCell": Row(_lif_cell),
    "norse.torch.module.lif.LIF": Row(_lif_cell, _many),
    "norse.torch.module.lif.LIFRecurrentCell": Row(_lif_recurrent),
    "norse.torch.module.lif.LIFRecurrent": Row(_lif_recurrent, _many),
    "norse.torch.module.lif_box.LIFBoxCell": Row(_lif_box_cell),
    "norse.torch.module.leaky_integrator_box.LIBoxCell": Row(_li_box_cell),
    "norse.torch.module.leaky_integrator.LICell": Row(_li),
    "norse.torch.module.leaky_integrator.LI": Row(_li, _many),
    "norse.torch.module.iaf.IAFCell": Row(_iaf_cell),
    "norse.torch.module.iaf.IAF": Row(_iaf_cell, _many),
}

_BASES = ("SNN", "SNNCell", "SNNRecurrent", "SNNRecurrentCell")
REFUSED: Mapping[str, Row] = {
    f"norse.torch.module.snn.{name}": Row(_refused, lambda _, m="Cell" not in name: m) for name in _BASES
}

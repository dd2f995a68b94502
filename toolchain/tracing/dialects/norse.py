"""Norse 1.1: `v += dt/τ·(v_leak − v + i)`, a threshold that must be passed, reset to a value.

    LIFCell, LIF           i += x;  v̂ = v + dt/τ_mem·(v_leak − v + i);  then i −= dt/τ_syn·i      CubaLIF
    LIFBoxCell             v̂ = v + dt/τ_mem·(v_leak − v + x)                                      LIF
    IAFCell, IAF           v̂ = v + x, starting at v_reset                                         IF
    LICell, LI, LIBoxCell  the same without a threshold                                           integrators
    LSNNCell, LSNN         x joins i after v has moved: as LIFCell one step later, and a threshold that spikes raise
    …Recurrent…            x is W_in·x[t] + W_rec·z[t−1]

In the arithmetic of Norse the rate dt·τ⁻¹ is a 0-d tensor, usually float32; the decays here are computed from that very
number, so that a float32 rate in a float64 run gives the same potential.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np
from torch import Tensor, nn

from ...graph.nodes import IF, LIF, AdaptiveLIF, Add, Affine, CubaIntegrator, CubaLIF, Delay, LeakyIntegrator, Node
from ..leaf import Leaf, Row, refused
from ..operation import Cannot
from ..values import Value, leaves, mapped

STEPS = (
    *("lif_feed_forward_step", "lif_feed_forward_adjoint_step", "lif_step", "lif_adjoint_step"),
    *("lif_box_feed_forward_step", "li_feed_forward_step", "li_box_feed_forward_step", "iaf_feed_forward_step"),
    *("lsnn_feed_forward_step", "lsnn_feed_forward_adjoint_step", "lsnn_step", "lsnn_adjoint_step"),
)
"""The step functions that the rows are about; a cell that was given another one is another neuron."""


def _checked(leaf: Leaf) -> None:
    step = getattr(leaf.module.activation, "__name__", "another function")
    if step not in STEPS:
        raise Cannot(f"{leaf.kind} that steps by {step}", "Norse's own step function", "give a row for it")


def _float(leaf: Leaf, value: Any, what: str) -> Any:
    """A parameter in float64, a number or one for each neuron."""
    return leaf.parameter(value.double() if isinstance(value, Tensor) else value, what).astype(np.float64)


def _rate(leaf: Leaf, name: str) -> Any:
    """dt·τ⁻¹, in Norse's own arithmetic, then exact in float64."""
    leaf.recorder.dts[leaf.path] = float(leaf.module.dt)
    return _float(leaf, leaf.module.dt * getattr(leaf.module.p, name), name)


def _membrane(leaf: Leaf) -> dict[str, Any]:
    rate = _rate(leaf, "tau_mem_inv")
    leak = _float(leaf, leaf.module.p.v_leak, "v_leak")
    return {"beta": 1.0 - rate, "gain": rate, "bias": rate * leak, "v_start": leak, "rule": "euler"}


def _current(leaf: Leaf) -> dict[str, Any]:
    """The decay of the current, which jumps before the membrane moves."""
    return {"alpha": 1.0 - _rate(leaf, "tau_syn_inv"), **_membrane(leaf)}


def _threshold(leaf: Leaf) -> dict[str, Any]:
    p = leaf.module.p
    return {"threshold": _float(leaf, p.v_th, "v_th"), "v_reset": _float(leaf, p.v_reset, "v_reset")}


def _adaptive(leaf: Leaf) -> Node:
    """b starts at θ, decays to θ, and grows by β with each spike: what lies above θ is the node's a."""
    decay = 1.0 - _rate(leaf, "tau_adapt_inv")
    step = _float(leaf, leaf.module.p.beta, "beta")
    return AdaptiveLIF(adapt_decay=decay, adapt_step=step, **_current(leaf), **_threshold(leaf))


def _answer(leaf: Leaf, node: Node, states: Sequence[str], *inputs: Value) -> Any:
    """(output, state): the state's tensors are the neuron's own."""
    if getattr(leaf.module, "record_states", False):
        raise Cannot(f"{leaf.kind} with record_states", "the state of the last step", "record states in the simulation")
    value, names = leaf.neuron(node, *inputs), iter(states)
    after, (output, state) = leaf.after(value), leaf.run()
    kept = mapped(state, lambda each: leaf.tracked(each, after, next(names)) if isinstance(each, Tensor) else each)
    return leaf.tracked(output, value), kept


def _given(leaf: Leaf, **starts: Any) -> tuple[str, ...]:
    """The state handed in, if any, is this module's own; without one a cell starts anew."""
    state = leaf.argument(1, "state")
    if state is not None:
        leaf.states({name: (tensor, starts[name]) for name, tensor in zip(starts, leaves(state), strict=True)})
    elif leaf.step:
        raise Cannot(f"{leaf.kind} called without its state in step {leaf.step}", "its state", "hand its state on")
    return tuple(starts)


def _lif(leaf: Leaf) -> Any:
    _checked(leaf)
    fields = _current(leaf)
    states = _given(leaf, v=fields["v_start"], u=0.0)
    return _answer(leaf, CubaLIF(**fields, **_threshold(leaf)), states)


def _lif_box(leaf: Leaf) -> Any:
    _checked(leaf)
    membrane, fire = _membrane(leaf), _threshold(leaf)
    states = _given(leaf, v=membrane["v_start"])
    method = getattr(leaf.module.p.reset_method, "__name__", "another function")
    if method == "reset_subtract":
        fire = {"threshold": fire["threshold"], "reset": "subtract"}
    elif method != "reset_value":
        raise Cannot(f"{leaf.kind} with reset method '{method}'", "reset_value or reset_subtract")
    return _answer(leaf, LIF(**membrane, **fire), states)


def _li_box(leaf: Leaf) -> Any:
    _checked(leaf)
    membrane = _membrane(leaf)
    return _answer(leaf, LeakyIntegrator(**membrane), _given(leaf, v=membrane["v_start"]))


def _iaf(leaf: Leaf) -> Any:
    _checked(leaf)
    fire = _threshold(leaf)
    return _answer(leaf, IF(v_start=fire["v_reset"], **fire), _given(leaf, v=fire["v_reset"]))


def _recurrent_input(leaf: Leaf) -> Value:
    """W_in·x[t] + W_rec·z[t−1]."""
    module = leaf.module
    inward = leaf.send("input", Affine(leaf.array(module.input_weights, "input_weights")), leaf.value)
    back = leaf.send("recurrent", Affine(leaf.array(module.recurrent_weights, "recurrent_weights")), leaf.feedback())
    return leaf.send("sum", Add(), inward, back)


def _lif_recurrent(leaf: Leaf) -> Any:
    _checked(leaf)
    fields = _current(leaf)
    states = _given(leaf, z=0.0, v=fields["v_start"], u=0.0)
    return _answer(leaf, CubaLIF(**fields, **_threshold(leaf)), states, _recurrent_input(leaf))


def _li(leaf: Leaf) -> Any:
    _checked(leaf)
    fields = _current(leaf)
    return _answer(leaf, CubaIntegrator(**fields), _given(leaf, v=fields["v_start"], u=0.0))


def _li_linear(leaf: Leaf) -> Any:
    """The integrator of LICell behind W·x[t]."""
    fields = _current(leaf)
    states = _given(leaf, v=fields["v_start"], u=0.0)
    inward = leaf.send("input", Affine(leaf.array(leaf.module.input_weights, "input_weights")), leaf.value)
    return _answer(leaf, CubaIntegrator(**fields), states, inward)


def _lsnn(leaf: Leaf) -> Any:
    _checked(leaf)
    node = _adaptive(leaf)
    states = _given(leaf, v=node.arrays()["v_start"], u=0.0, b=node.arrays()["threshold"])
    return _answer(leaf, node, states, leaf.send("later", Delay((1,)), leaf.value))


def _lsnn_recurrent(leaf: Leaf) -> Any:
    _checked(leaf)
    node = _adaptive(leaf)
    states = _given(leaf, z=0.0, v=node.arrays()["v_start"], u=0.0, b=node.arrays()["threshold"])
    return _answer(leaf, node, states, leaf.send("later", Delay((1,)), _recurrent_input(leaf)))


def _recurrent_sequential(leaf: Leaf) -> Any:
    """x[t] + y[t−1] into a SequentialState whose last answer is y[t]; what is inside is recorded as anywhere else."""
    module, state = leaf.module, leaf.argument(1, "state")
    if not leaf.recorder.steps:
        raise Cannot(f"{leaf.kind} in one step", "a loop, in which its answer comes back", "lift it over time")
    if not isinstance(module.output_modules, int):
        raise Cannot(f"{leaf.kind} with several output_modules, which it cannot add", "one of them")
    sent = type(module.module[module.output_modules])
    if f"{sent.__module__}.{sent.__qualname__}" not in ROWS:  # what is 0 before the first step has to be a neuron's
        raise Cannot(f"{leaf.kind} that feeds back the answer of {sent.__name__}", "that of one of Norse's neurons")
    if state is None and leaf.step:
        raise Cannot(f"{leaf.kind} called without its state in step {leaf.step}", "its state", "hand its state on")
    x = leaf.args[0] if state is None else leaf.args[0] + state.cache
    outputs, after = module.module(x, None if state is None else state.state)
    answer = outputs[module.output_modules]
    return answer, import_module(_SEQUENTIAL).RecurrentSequentialState(answer, after)


def _many(_: Any) -> bool:
    return True


_SEQUENTIAL = "norse.torch.module.sequential"


_MODULES = "norse.torch.module"

ROWS: Mapping[str, Row] = {
    f"{_MODULES}.lif.LIFCell": Row(_lif),
    f"{_MODULES}.lif.LIF": Row(_lif, _many),
    f"{_MODULES}.lif.LIFRecurrentCell": Row(_lif_recurrent),
    f"{_MODULES}.lif.LIFRecurrent": Row(_lif_recurrent, _many),
    f"{_MODULES}.lif_box.LIFBoxCell": Row(_lif_box),
    f"{_MODULES}.leaky_integrator_box.LIBoxCell": Row(_li_box),
    f"{_MODULES}.leaky_integrator.LICell": Row(_li),
    f"{_MODULES}.leaky_integrator.LI": Row(_li, _many),
    f"{_MODULES}.leaky_integrator.LILinearCell": Row(_li_linear),
    f"{_MODULES}.iaf.IAFCell": Row(_iaf),
    f"{_MODULES}.iaf.IAF": Row(_iaf, _many),
    f"{_MODULES}.lsnn.LSNNCell": Row(_lsnn),
    f"{_MODULES}.lsnn.LSNN": Row(_lsnn, _many),
    f"{_MODULES}.lsnn.LSNNRecurrentCell": Row(_lsnn_recurrent),
    f"{_MODULES}.lsnn.LSNNRecurrent": Row(_lsnn_recurrent, _many),
    f"{_SEQUENTIAL}.RecurrentSequential": Row(_recurrent_sequential),
}

KINDS = "LIF, LIFBox, IAF, LI, LIBox, LILinear or LSNN, a cell or a layer over time, recurrent or not"
_EXPONENTIAL = "its voltage grows exponentially near the threshold"
_HOLDS = "it counts the steps since its last spike and holds still for a while"
_RANDOM = "its spikes are drawn by chance; draw them outside and trace what reads them"
_ENCODES = "it makes spike trains of values; encode outside and trace what reads them"

REASONS: Mapping[str, str] = {
    "izhikevich.IzhikevichCell": "its voltage grows with its square",
    "izhikevich.Izhikevich": "its voltage grows with its square",
    "izhikevich.IzhikevichRecurrentCell": "its voltage grows with its square",
    "izhikevich.IzhikevichRecurrent": "its voltage grows with its square",
    "lif_adex.LIFAdExCell": _EXPONENTIAL,
    "lif_adex.LIFAdEx": _EXPONENTIAL,
    "lif_adex.LIFAdExRecurrentCell": _EXPONENTIAL,
    "lif_adex.LIFAdExRecurrent": _EXPONENTIAL,
    "lif_adex_refrac.LIFAdExRefracCell": _EXPONENTIAL,
    "lif_adex_refrac.LIFAdExRefracRecurrentCell": _EXPONENTIAL,
    "lif_adex_refrac.LIFAdExRefracRecurrent": _EXPONENTIAL,
    "lif_ex.LIFExCell": _EXPONENTIAL,
    "lif_ex.LIFEx": _EXPONENTIAL,
    "lif_ex.LIFExRecurrentCell": _EXPONENTIAL,
    "lif_ex.LIFExRecurrent": _EXPONENTIAL,
    "lif_refrac.LIFRefracCell": _HOLDS,
    "lif_refrac.LIFRefracRecurrentCell": _HOLDS,
    "lif_refrac.LIFRefracRecurrent": _HOLDS,
    "lif_mc.LIFMCRecurrentCell": "its compartments exchange voltage inside one step",
    "lif_mc_refrac.LIFMCRefracRecurrentCell": "its compartments exchange voltage inside one step",
    "coba_lif.CobaLIFCell": "its currents are conductances, which multiply its voltage",
    "lif_correlation.LIFCorrelation": "its synapses keep traces of correlation",
    "regularization.RegularizationCell": "it accumulates a training loss; leave it out for inference",
    "encode.ConstantCurrentLIFEncoder": _ENCODES,
    "encode.PoissonEncoder": _RANDOM,
    "encode.PoissonEncoderStep": _RANDOM,
    "encode.SignedPoissonEncoder": _RANDOM,
    "encode.SignedPoissonEncoderStep": _RANDOM,
    "encode.PopulationEncoder": _ENCODES,
    "encode.SpikeLatencyLIFEncoder": _ENCODES,
    "encode.SpikeLatencyEncoder": _ENCODES,
    "spikes_to_times_decoder.SpikesToTimesDecoder": "it makes times of spikes; decode what the graph answers with",
    "snn.SNNCell": "a neuron of its own",
    "snn.SNNRecurrentCell": "a neuron of its own",
    "snn.SNN": "a neuron of its own",
    "snn.SNNRecurrent": "a neuron of its own",
}
"""Why a type of module is refused; the bases at the end stand for what descends from them."""


def _over_time(module: nn.Module) -> bool:
    return any(base.__name__ in ("SNN", "SNNRecurrent") for base in type(module).__mro__)


REFUSED: Mapping[str, Row] = {f"{_MODULES}.{name}": refused(why, KINDS, _over_time) for name, why in REASONS.items()}

"""snnTorch 1.0: `mem = β·mem + x`, a threshold that must be passed, by default reset by subtraction in the next step.

    Leaky, RLeaky        v̂ = β·mem + x                                                LIF
    Synaptic, RSynaptic  syn = α·syn + x;  v̂ = β·mem + syn                            CubaLIF
    Lapicque             v̂ = (1 − dt/RC)·mem + R·(1/RC)·dt·x                          LIF
    RLeaky, RSynaptic    x is x[t] + recurrent(s[t−1]), a Linear, a Conv2d or V·s

Where each reset goes:

    subtract, delayed            v̂ −= θ·s[t−1] in the next step                         when="next"
    subtract, reset_delay=False  in this step, and a potential still above θ lowers the
                                 next compare alone                                     when="guarded"
    zero, Leaky                  the state is cleared before it decays: the same spikes
                                 as a reset to 0 in this step; `mem` is the charge      when="now"
    zero, others, delayed        the whole next v̂ is cleared, input and all             when="next", to 0
    zero, reset_delay=False      in this step                                           when="now", to 0
    none                         no reset

A module picks the function of its reset when it is made; reset_mechanism, set or loaded later, does not change it.
RSynaptic keeps the delayed reset whatever reset_delay says: snnTorch resets a variable there that it throws away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from ...graph.nodes import LIF, Add, Affine, Conv, CubaLIF, Node, Scale
from ..leaf import Leaf, Row, refused
from ..operation import Cannot
from ..values import Value

MECHANISMS = ("subtract", "zero", "none")
CHOSEN = {"_base_sub": "subtract", "_base_zero": "zero", "_base_int": "none"}
KEYS = {"v": "mem", "charge": "mem", "u": "syn", "z": "spk"}


def _checked(leaf: Leaf) -> bool:
    """Whether a neuron that can be traced fires at θ already."""
    module = leaf.module
    if module.inhibition:
        raise Cannot(f"{leaf.kind} with inhibition", "neurons that do not look at each other", "set inhibition=False")
    if module.state_quant:
        raise Cannot(f"{leaf.kind} with state_quant", "an unquantised state", "quantise the graph instead")
    if bool((module.threshold < 0).any()):
        raise Cannot(f"{leaf.kind} with a threshold below 0", "a threshold of at least 0")
    return leaf.at_least(module.spike_grad)


def _mechanism(leaf: Leaf, *, delayed: bool) -> str:
    """The reset that happens: the one that was chosen when the module was made."""
    chosen = CHOSEN.get(getattr(leaf.module.state_function, "__name__", ""))
    if chosen is None:
        raise Cannot(f"{leaf.kind} with a state function of its own", "one of snnTorch's", "give a row for it")
    named = MECHANISMS[int(leaf.module.reset_mechanism_val)]
    if not delayed and named != chosen:
        raise Cannot(
            f"{leaf.kind} made with reset_mechanism='{chosen}' and then set to '{named}'",
            "one reset",
            "make the module with the reset it is to have",
        )
    return chosen


def _delayed(leaf: Leaf) -> bool:
    return bool(getattr(leaf.module, "reset_delay", True))


def _fire(leaf: Leaf, *, delayed: bool, clears_before_decay: bool = False) -> dict[str, Any]:
    """The fields of the compare and the reset, from the table at the head of this module."""
    threshold = leaf.parameter(leaf.module.threshold, "threshold")
    fields: dict[str, Any] = {"at_least": _checked(leaf), "threshold": threshold}
    mechanism = _mechanism(leaf, delayed=delayed)
    if mechanism == "none":
        return {**fields, "reset": "none"}
    if mechanism == "subtract":
        return {**fields, "reset": "subtract", "when": "next" if delayed else "guarded"}
    if fields["at_least"] and not threshold.all():
        raise Cannot(f"{leaf.kind} that fires at a threshold of 0", "a threshold above 0")
    return {**fields, "reset": "value", "when": "next" if delayed and not clears_before_decay else "now"}


def _decay(leaf: Leaf, name: str) -> Any:
    """A decay as it is used: kept within 0 and 1."""
    value = getattr(leaf.module, name)
    clamped = value.detach().clamp(0, 1)
    return leaf.parameter(value if bool((clamped == value).all()) else clamped, name)


def _given(leaf: Leaf, states: Sequence[str]) -> None:
    """The states that this call starts from: those handed in, or those that the module keeps."""
    for place, name in enumerate(states, start=1):
        handed = leaf.argument(place, KEYS[name])
        leaf.states({name: (getattr(leaf.module, KEYS[name]) if handed is None else handed, 0.0)})


def _answer(leaf: Leaf, node: Node, states: Sequence[str], *inputs: Value) -> Any:
    """Spikes, or spikes and states: as the module hands them out, and as it keeps them."""
    _given(leaf, states)
    module, value, result = leaf.module, leaf.neuron(node, *inputs), leaf.run()
    kept = {name: leaf.tracked(getattr(module, KEYS[name]), value, name) for name in states}
    for name, tensor in kept.items():
        setattr(module, KEYS[name], tensor)
    out = leaf.tracked(result[0] if isinstance(result, tuple) else result, _graded(leaf, value))
    if not isinstance(result, tuple):
        return out
    return out, *(tensor for name, tensor in kept.items() if name != "z")


def _graded(leaf: Leaf, spikes: Value) -> Value:
    """Spikes times graded_spikes_factor."""
    factor = leaf.parameter(leaf.module.graded_spikes_factor, "graded_spikes_factor")
    if not factor.all():
        raise Cannot(f"{leaf.kind} with a graded_spikes_factor of 0", "another factor", "prune the neurons instead")
    return spikes if (factor == 1).all() else leaf.send("graded", Scale(factor), spikes)


def _leaky(leaf: Leaf) -> Any:
    delayed = _delayed(leaf)
    fire = _fire(leaf, delayed=delayed, clears_before_decay=True)
    mem = "charge" if delayed and fire["reset"] == "value" else "v"
    return _answer(leaf, LIF(beta=_decay(leaf, "beta"), **fire), (mem,))


def _synaptic(leaf: Leaf) -> Any:
    return _answer(leaf, _current(leaf, delayed=_delayed(leaf)), ("u", "v"))


def _current(leaf: Leaf, *, delayed: bool) -> Node:
    decays = {"alpha": _decay(leaf, "alpha"), "beta": _decay(leaf, "beta")}
    return CubaLIF(**decays, **_fire(leaf, delayed=delayed))


def _lapicque(leaf: Leaf) -> Any:
    """mem = x·R·(1/(R·C))·dt + (1 − dt/(R·C))·mem."""
    r, c, step = (getattr(leaf.module, name).detach().double() for name in ("R", "C", "time_step"))
    beta = leaf.parameter(1 - step / (r * c), "beta")
    gain = leaf.parameter(r * (1 / (r * c)) * step, "gain")
    return _answer(leaf, LIF(beta=beta, gain=gain, **_fire(leaf, delayed=True)), ("v",))


def _recurrent_input(leaf: Leaf) -> Value:
    """x[t] + recurrent(s[t−1])."""
    if not bool((leaf.module.graded_spikes_factor == 1).all()):
        raise Cannot(f"{leaf.kind} with graded spikes", "a factor of 1", "scale behind the neuron")
    back = leaf.send("recurrent", _recurrent_map(leaf), leaf.feedback())
    return leaf.send("sum", Add(), leaf.value, back)


def _recurrent_map(leaf: Leaf) -> Node:
    inner = leaf.module.recurrent
    if type(inner) is nn.Linear:
        return Affine(leaf.array(inner.weight), _bias(leaf, inner))
    if type(inner) is nn.Conv2d and inner.padding_mode == "zeros" and not isinstance(inner.padding, str):
        shape: dict[str, Any] = {
            "stride": inner.stride,
            "padding": inner.padding,
            "dilation": inner.dilation,
            "groups": inner.groups,
        }
        return Conv(leaf.array(inner.weight), _bias(leaf, inner), **shape)
    if type(inner).__name__ == "RecurrentOneToOne":
        return Scale(leaf.parameter(inner.V, "V"))
    kinds = "a Linear, a Conv2d padded with zeros, or V"
    raise Cannot(f"{leaf.kind} with {type(inner).__name__} as its recurrent connection", kinds, "loop over it yourself")


def _bias(leaf: Leaf, inner: nn.Linear | nn.Conv2d) -> Any:
    return None if inner.bias is None else leaf.array(inner.bias, "bias")


def _rleaky(leaf: Leaf) -> Any:
    node = LIF(beta=_decay(leaf, "beta"), **_fire(leaf, delayed=_delayed(leaf)))
    return _answer(leaf, node, ("z", "v"), _recurrent_input(leaf))


def _rsynaptic(leaf: Leaf) -> Any:
    return _answer(leaf, _current(leaf, delayed=True), ("z", "u", "v"), _recurrent_input(leaf))


def _fresh(module: nn.Module) -> None:
    reset: Any = module
    reset.reset_mem()


_NEURONS = "snntorch._neurons"

ROWS: Mapping[str, Row] = {
    f"{_NEURONS}.leaky.Leaky": Row(_leaky, fresh=_fresh),
    f"{_NEURONS}.synaptic.Synaptic": Row(_synaptic, fresh=_fresh),
    f"{_NEURONS}.lapicque.Lapicque": Row(_lapicque, fresh=_fresh),
    f"{_NEURONS}.rleaky.RLeaky": Row(_rleaky, fresh=_fresh),
    f"{_NEURONS}.rsynaptic.RSynaptic": Row(_rsynaptic, fresh=_fresh),
}

KINDS = "Leaky, Synaptic, Lapicque, RLeaky or RSynaptic"
_LSTM = "its gates multiply its states"
_FILTER = "it filters all steps at once and never resets; with Leaky(reset_mechanism='none') it has a node"

REASONS: Mapping[str, str] = {
    "alpha.Alpha": "its voltage is the difference of two currents that a reset changes each in its own way",
    "slstm.SLSTM": _LSTM,
    "sconv2dlstm.SConv2dLSTM": _LSTM,
    "stateleaky.StateLeaky": _FILTER,
    "linearleaky.LinearLeaky": _FILTER,
    "deltaleaky.DeltaLeaky": "it sends changes of its voltage",
    "leakyparallel.LeakyParallel": "its voltage is rectified and recurrent in one matrix, an nn.RNN",
    "associative.AssociativeLeaky": "its decays depend on its input",
    "neurons.LIF": "a neuron of its own",
    "neurons.SpikingNeuron": "a neuron of its own",
}
"""Why a type of module is refused; the bases at the end stand for what descends from them."""

REFUSED: Mapping[str, Row] = {f"{_NEURONS}.{name}": refused(why, KINDS) for name, why in REASONS.items()}

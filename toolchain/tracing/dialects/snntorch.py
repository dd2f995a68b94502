"""snnTorch 1.0: `mem = β·mem + x`, a threshold that must be passed, by default reset by subtraction in the next step.

Where each reset goes:

    subtract, delayed            v̂ −= θ·s[t−1] in the next step                         when="next"
    subtract, reset_delay=False  in this step, and a potential still above θ lowers the
                                 next compare alone                                     when="guarded"
    zero, Leaky                  the state is cleared before it decays: the same spikes
                                 as a reset to 0 in this step; `mem` is the charge      when="now"
    zero, others, delayed        the whole next v̂ is cleared, input and all             when="next", to 0
    zero, reset_delay=False      in this step                                           when="now", to 0
    none                         no reset
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from ...graph.nodes import LIF, Add, Affine, Conv, CubaLIF, Node, Scale
from ..leaf import Leaf, Row
from ..operation import Cannot
from ..values import Value

SUBTRACT, ZERO, NONE = 0, 1, 2


def _checked(leaf: Leaf) -> None:
    module = leaf.module
    if module.inhibition:
        raise Cannot(f"{leaf.kind} with inhibition", "neurons that do not look at each other", "set inhibition=False")
    if module.state_quant:
        raise Cannot(f"{leaf.kind} with state_quant", "an unquantised state", "quantise the graph instead")
    if bool((module.threshold < 0).any()):
        raise Cannot(f"{leaf.kind} with a threshold below 0", "a threshold of at least 0")


def _reset(leaf: Leaf, *, clears_before_decay: bool = False) -> dict[str, Any]:
    """The fields of the reset, from the table at the head of this module."""
    module = leaf.module
    fields: dict[str, Any] = {"threshold": leaf.array(module.threshold, "threshold")}
    kind, delayed = int(module.reset_mechanism_val), bool(getattr(module, "reset_delay", True))
    if kind == NONE:
        return {**fields, "reset": "none"}
    if kind == SUBTRACT:
        return {**fields, "reset": "subtract", "when": "next" if delayed else "guarded"}
    return {**fields, "reset": "value", "when": "next" if delayed and not clears_before_decay else "now"}


def _mem_is_charge(leaf: Leaf) -> bool:
    module = leaf.module
    return int(module.reset_mechanism_val) == ZERO and bool(getattr(module, "reset_delay", True))


def _clamped(leaf: Leaf, value: Tensor, name: str) -> Any:
    clamped = value.detach().clamp(0, 1)
    return leaf.array(value if bool((clamped == value).all()) else clamped, name)


def _given(leaf: Leaf, names: Sequence[str]) -> None:
    arguments = [leaf.argument(index + 1, key) for index, key in enumerate(KEYS[key] for key in names)]
    leaf.states({name: (tensor, 0.0) for name, tensor in zip(names, arguments, strict=True)})


KEYS = {"v": "mem", "charge": "mem", "u": "syn", "z": "spk"}


def _answer(leaf: Leaf, value: Value, states: Sequence[str]) -> Any:
    """Spikes, or spikes and states: as the module hands them out, and as it keeps them."""
    module, result = leaf.module, leaf.run()
    factor = leaf.array(module.graded_spikes_factor, "graded_spikes_factor")
    sent = (
        value if factor.size == 1 and float(factor.reshape(-1)[0]) == 1 else leaf.send("graded", Scale(factor), value)
    )
    kept = [leaf.tracked(getattr(module, KEYS[name]), value, name) for name in states]
    for name, tensor in zip(states, kept, strict=True):
        setattr(module, KEYS[name], tensor)
    spikes = result[0] if isinstance(result, tuple) else result
    out = leaf.tracked(spikes, sent)
    return (
        (out, *(tensor for name, tensor in zip(states, kept, strict=True) if name != "z"))
        if isinstance(result, tuple)
        else out
    )


def _leaky(leaf: Leaf) -> Any:
    _checked(leaf)
    mem = "charge" if _mem_is_charge(leaf) else "v"
    _given(leaf, (mem,))
    node = LIF(beta=_clamped(leaf, leaf.module.beta, "beta"), **_reset(leaf, clears_before_decay=True))
    return _answer(leaf, leaf.neuron(node), (mem,))


def _synaptic(leaf: Leaf) -> Any:
    _checked(leaf)
    _given(leaf, ("u", "v"))
    return _answer(leaf, leaf.neuron(_current(leaf)), ("u", "v"))


def _current(leaf: Leaf) -> Node:
    module = leaf.module
    decays = {"alpha": _clamped(leaf, module.alpha, "alpha"), "beta": _clamped(leaf, module.beta, "beta")}
    return CubaLIF(**decays, **_reset(leaf))


def _lapicque(leaf: Leaf) -> Any:
    """mem = x·R·(1/(R·C))·dt + (1 − dt/(R·C))·mem."""
    _checked(leaf)
    _given(leaf, ("v",))
    module = leaf.module
    r, c, step = (each.detach().double() for each in (module.R, module.C, module.time_step))
    node = LIF(beta=(1 - step / (r * c)).numpy(), gain=(r * (1 / (r * c)) * step).numpy(), **_reset(leaf))
    return _answer(leaf, leaf.neuron(node), ("v",))


def _recurrent_input(leaf: Leaf) -> Value:
    """x[t] + recurrent(s[t−1])."""
    factor = leaf.module.graded_spikes_factor
    if not bool((factor == 1).all()):
        raise Cannot(f"{leaf.kind} with graded spikes", "a factor of 1", "scale behind the neuron")
    back = leaf.send("recurrent", _recurrent_map(leaf), leaf.feedback())
    return leaf.send("sum", Add(), leaf.value, back)


def _recurrent_map(leaf: Leaf) -> Node:
    inner = leaf.module.recurrent
    if isinstance(inner, nn.Linear):
        return Affine(leaf.array(inner.weight, "weight"), _bias(leaf, inner))
    if isinstance(inner, nn.Conv2d):
        return Conv(leaf.array(inner.weight, "weight"), _bias(leaf, inner), padding=inner.padding)
    return Scale(leaf.array(inner.V, "V"))


def _bias(leaf: Leaf, inner: nn.Linear | nn.Conv2d) -> Any:
    return None if inner.bias is None else leaf.array(inner.bias, "bias")


def _rleaky(leaf: Leaf) -> Any:
    _checked(leaf)
    _given(leaf, ("z", "v"))
    node = LIF(beta=_clamped(leaf, leaf.module.beta, "beta"), **_reset(leaf))
    return _answer(leaf, leaf.neuron(node, _recurrent_input(leaf)), ("z", "v"))


def _rsynaptic(leaf: Leaf) -> Any:
    _checked(leaf)
    _given(leaf, ("z", "u", "v"))
    return _answer(leaf, leaf.neuron(_current(leaf), _recurrent_input(leaf)), ("z", "u", "v"))


def _fresh(module: nn.Module) -> None:
    reset: Any = module
    reset.reset_mem()


def _refused(leaf: Leaf) -> Any:
    kinds = "Leaky, Synaptic, Lapicque, RLeaky or RSynaptic"
    raise Cannot(f"{leaf.kind}, a neuron that no node expresses", kinds, "use one of them, or give a row for it")


_NAMES = {"leaky.Leaky": _leaky, "synaptic.Synaptic": _synaptic, "lapicque.Lapicque": _lapicque}
_RECURRENT = {"rleaky.RLeaky": _rleaky, "rsynaptic.RSynaptic": _rsynaptic}

ROWS: Mapping[str, Row] = {
    f"snntorch._neurons.{name}": Row(call, fresh=_fresh) for name, call in {**_NAMES, **_RECURRENT}.items()
}

REFUSED: Mapping[str, Row] = {"snntorch._neurons.neurons.SpikingNeuron": Row(_refused)}

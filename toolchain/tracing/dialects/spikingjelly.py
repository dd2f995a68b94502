"""SpikingJelly 2.0: a threshold that may be met (≥), reset in this step to a value or, with v_reset=None, by θ.

    IFNode             v̂ = v + x                                                      IF
    LIFNode            v̂ = v + (x − (v − v_reset)) / τ                                LIF
                       decay_input=False: v̂ = v − (v − v_reset)/τ + x
    ParametricLIFNode  the same with 1/τ = sigmoid(w)                                 LIF
    CUBALIFNode        c = c_decay·c + x;  v̂ = v_decay·v + c                          CubaLIF
    NonSpiking…Node    v alone, over time or reduced by its decode                    integrators

v starts at v_reset, 0 where there is none; the Simple… nodes start at 0, HalfThresholdIFNode at θ/2.

`layer.*` in step mode 'm' fold time into the batch and unfold it again, which the tables of functions follow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ...graph.nodes import IF, LIF, CubaLIF, Delay, Integrator, LeakyIntegrator, Node
from ..leaf import KEEP, UNTOUCHED, Leaf, Row, refused
from ..operation import Cannot
from ..values import Tracked


def _start(leaf: Leaf, name: str) -> float:
    """What a reset puts a state to."""
    start = leaf.module.get_reset_value(name)
    if not isinstance(start, (int, float)):
        raise Cannot(f"{leaf.kind} whose '{name}' starts from a tensor", "a number", "start from a number")
    return float(start)


def _firing(leaf: Leaf, surrogate: Any = None) -> dict[str, Any]:
    """The fields of the compare and the reset."""
    module = leaf.module
    if getattr(module, "_neuron_precision", None) is not None:
        raise Cannot(f"{leaf.kind} with a precision of its own", "the precision of its input")
    fields = {
        "threshold": leaf.parameter(module.v_threshold, "v_threshold"),
        "at_least": leaf.at_least(surrogate or module.surrogate_function),
        "v_start": np.asarray(_start(leaf, "v")),
    }
    if module.v_reset is None:
        return {**fields, "reset": "subtract"}
    return {**fields, "reset": "value", "v_reset": leaf.parameter(module.v_reset, "v_reset")}


def _rest(leaf: Leaf) -> Any:
    return np.asarray(0.0) if leaf.module.v_reset is None else leaf.parameter(leaf.module.v_reset, "v_reset")


def _leaky(leaf: Leaf, rate: float, surrogate: Any = None) -> Any:
    """v̂ = (1 − r)·v + g·x + r·v_reset, r = 1/τ, g = r with decay_input and 1 without."""
    gain = rate if leaf.module.decay_input else 1.0
    return LIF(beta=1.0 - rate, gain=gain, bias=rate * _rest(leaf), rule="euler", **_firing(leaf, surrogate))


def _kept(leaf: Leaf, starts: Mapping[str, float]) -> None:
    """The states that the module keeps are those of its last call."""
    for name, start in starts.items():
        state = getattr(leaf.module, name)
        if leaf.step and not isinstance(state, Tracked):
            raise Cannot(f"{leaf.kind} reset before step {leaf.step}", UNTOUCHED, KEEP)
        leaf.states({STATES[name]: (state, start)})


STATES = {"v": "v", "c": "u"}


def _answer(leaf: Leaf, node: Node, states: tuple[str, ...] = ("v",)) -> Tracked:
    """The spikes; the states stay in the module, where the network may read them."""
    module = leaf.module
    if getattr(module, "store_v_seq", False) and not leaf.many:
        raise Cannot(f"{leaf.kind} with store_v_seq in step mode 's'", "step mode 'm'", "set store_v_seq=False")
    _kept(leaf, {name: _start(leaf, name) for name in states})
    result, value = leaf.run(), leaf.neuron(node)
    for name in states:
        setattr(module, name, leaf.tracked(getattr(module, name), leaf.after(value), STATES[name]))
    if isinstance(getattr(module, "v_seq", None), Tensor):
        module.v_seq = leaf.tracked(module.v_seq, value, "v")
    return leaf.tracked(result, value)


def _if_node(leaf: Leaf) -> Tracked:
    return _answer(leaf, IF(**_firing(leaf)))


def _lif_node(leaf: Leaf) -> Tracked:
    return _answer(leaf, _leaky(leaf, 1.0 / float(leaf.module.tau)))


def _simple_lif_node(leaf: Leaf) -> Tracked:
    if leaf.module.v_reset is None:
        raise Cannot(f"{leaf.kind} with v_reset=None, which it cannot compute", "a value", "use LIFNode")
    return _lif_node(leaf)


def _online_lif_node(leaf: Leaf) -> Tracked:
    """Outside of training the spike function is heaviside, whatever the surrogate."""
    return _answer(leaf, _leaky(leaf, 1.0 / float(leaf.module.tau), lambda x: (x >= 0).to(x)))


def _plif_node(leaf: Leaf) -> Tracked:
    return _answer(leaf, _leaky(leaf, float(leaf.module.w.detach().double().sigmoid())))


def _cuba_node(leaf: Leaf) -> Tracked:
    if _start(leaf, "c"):
        raise Cannot(f"{leaf.kind} whose current starts at {_start(leaf, 'c')}", "0")
    decays: dict[str, Any] = {
        "alpha": np.asarray(float(leaf.module.c_decay)),
        "beta": np.asarray(float(leaf.module.v_decay)),
    }
    return _answer(leaf, CubaLIF(**decays, **_firing(leaf)), ("v", "c"))


DECODES = {"max-mem": "max", "mean-mem": "mean", "last_mem": "last"}


def _decoded(leaf: Leaf, node: Node) -> Any:
    """v of every step, as a list; or the maximum, the mean or the last of them."""
    if leaf.module.decode == "max-abs-mem":
        raise Cannot(f"{leaf.kind} with decode='max-abs-mem'", ", ".join(DECODES), "take its list of voltages")
    result, value = leaf.run(), leaf.neuron(node)
    last = leaf.after(value)
    leaf.module.v = leaf.tracked(leaf.module.v, last)
    if isinstance(result, list):
        return [leaf.tracked(each, replace(last, readout="", step=step)) for step, each in enumerate(result)]
    return leaf.tracked(result, replace(last, readout=DECODES[leaf.module.decode]))


def _silent_if(leaf: Leaf) -> Any:
    return _decoded(leaf, Integrator())


def _silent_lif(leaf: Leaf) -> Any:
    rate = 1.0 / float(leaf.module.tau)
    return _decoded(leaf, LeakyIntegrator(beta=1.0 - rate, gain=rate, rule="euler"))


def _dropout(leaf: Leaf) -> Any:
    """Nothing, outside of training."""
    return leaf.args[0]


def _delay(leaf: Leaf) -> Tracked:
    return leaf.tracked(leaf.run(), leaf.neuron(Delay((leaf.module.delay_steps,))))


def _container(leaf: Leaf) -> Any:
    """A loop over what is inside, which is recorded as any other loop."""
    if not leaf.many:
        raise Cannot(f"{leaf.kind} in step mode 's'", "step mode 'm'", "set step_mode='m', or write the loop yourself")
    module, shape = leaf.module, list(leaf.args[0].shape[1:])
    shape[-1] = getattr(module, "sub_module_out_features", shape[-1])
    before = replace(leaf.value, axes=leaf.value.axes.replace("T", ""), step=-1)
    module.y = leaf.tracked(torch.zeros(shape, dtype=leaf.args[0].dtype), before)  # stands for y before the first step
    return module.forward(*leaf.args, **leaf.kwargs)


def _many(module: nn.Module) -> bool:
    only = any(base.__name__ == "MultiStepModule" for base in type(module).__mro__)
    return only or getattr(module, "step_mode", "s") == "m"


def _always(_: nn.Module) -> bool:
    return True


def _either(_: nn.Module) -> None:
    return None


def _fresh(module: nn.Module) -> None:
    if isinstance(getattr(module, "_memories", None), dict):
        memory: Any = module
        memory.reset()


_HERE = "spikingjelly.activation_based"

ROWS: Mapping[str, Row] = {
    f"{_HERE}.neuron.integrate_and_fire.IFNode": Row(_if_node, _many, _fresh),
    f"{_HERE}.neuron.integrate_and_fire.SimpleIFNode": Row(_if_node, _many, _fresh),
    f"{_HERE}.neuron.integrate_and_fire.HalfThresholdIFNode": Row(_if_node, _many, _fresh),
    f"{_HERE}.neuron.integrate_and_fire.NonSpikingIFNode": Row(_silent_if, _always),
    f"{_HERE}.neuron.lif.LIFNode": Row(_lif_node, _many, _fresh),
    f"{_HERE}.neuron.lif.SimpleLIFNode": Row(_simple_lif_node, _many, _fresh),
    f"{_HERE}.neuron.lif.NonSpikingLIFNode": Row(_silent_lif, _always),
    f"{_HERE}.neuron.plif.ParametricLIFNode": Row(_plif_node, _many, _fresh),
    f"{_HERE}.neuron.lif_variants.CUBALIFNode": Row(_cuba_node, _many, _fresh),
    f"{_HERE}.neuron.online_learning.OTTTLIFNode": Row(_online_lif_node, _many, _fresh),
    f"{_HERE}.neuron.online_learning.SLTTLIFNode": Row(_online_lif_node, _many, _fresh),
    f"{_HERE}.layer.dropout.Dropout": Row(_dropout, _either, _fresh),
    f"{_HERE}.layer.dropout.Dropout2d": Row(_dropout, _either, _fresh),
    f"{_HERE}.layer.misc.Delay": Row(_delay, _many, _fresh),
    f"{_HERE}.layer.container.ElementWiseRecurrentContainer": Row(_container, _many, _fresh),
    f"{_HERE}.layer.container.LinearRecurrentContainer": Row(_container, _many, _fresh),
}

KINDS = "IFNode, LIFNode, ParametricLIFNode, CUBALIFNode or their Simple, NonSpiking and online forms"
_TERNARY = "it sends −1, 0 and 1"
_SQUARE = "its voltage grows with its square"
_NOISE = "its spikes are drawn by chance"
_PARALLEL = "it mixes all steps by a matrix and never resets"
_CODE = "it makes a fixed number of weighted spikes of one value, step by step of a table"
_RNN = "its gates multiply its states"
_BETWEEN = "its spikes are added to its input inside the step that follows; write the loop yourself"
_ENCODES = "it makes spike trains of values; encode outside and trace what reads them"
_EACH_STEP = "it is another layer in every step"

REASONS: Mapping[str, str] = {
    "neuron.integrate_and_fire.ActivationAwareIFNode": "it compares with one threshold and subtracts another",
    "neuron.lif_variants.GatedLIFNode": _EACH_STEP,
    "neuron.lif_variants.KLIFNode": "its voltage is rectified before it is compared",
    "neuron.lif_variants.ComplementaryLIFNode": "it resets by a second state",
    "neuron.lif_variants.LIAFNode": "it sends a function of its voltage and resets by its spikes",
    "neuron.ilif.ILIFNode": "it sends numbers of spikes",
    "neuron.ternary.TernaryIFNode": _TERNARY,
    "neuron.ternary.TernaryLIFNode": _TERNARY,
    "neuron.spikezip.STBIFNode": _TERNARY,
    "neuron.nonlinear_if.QIFNode": _SQUARE,
    "neuron.nonlinear_if.EIFNode": "its voltage grows exponentially near the threshold",
    "neuron.adapt.IzhikevichNode": _SQUARE,
    "neuron.resonate.RAFNode": "its reset puts back one of two states",
    "neuron.psn.PSN": _PARALLEL,
    "neuron.psn.MaskedPSN": _PARALLEL,
    "neuron.psn.SlidingPSN": _PARALLEL,
    "neuron.dsr.DSRIFNode": "it compares with one threshold and subtracts another",
    "neuron.dsr.DSRLIFNode": "it compares with one threshold and subtracts another",
    "neuron.mpbn.MPBNLIFNode": "its voltage is normalised before it is compared",
    "neuron.flexsn.FlexSN": "its step is a function of your own",
    "neuron.few_spike.FewSpikeNode": _CODE,
    "neuron.inter_layer_connection.ILCBaseNode": _BETWEEN,
    "neuron.noisy.NoisyBaseNode": _NOISE,
    "neuron.noisy.NoisyNonSpikingBaseNode": _NOISE,
    "neuron.base_node.NonSpikingBaseNode": "a neuron of its own",
    "layer.dropout.DropConnectLinear": "it samples outside of training, too",
    "layer.misc.SynapseFilter": "its input multiplies its state",
    "layer.misc.SpikeCountToBinary": "it makes several steps of one",
    "layer.misc.TemporalBinSum": "it makes one step of several",
    "layer.bn.NeuNorm": "it subtracts a running sum over channels; train with a batch norm instead",
    "layer.bn._BatchNormThroughTimeBase": _EACH_STEP,
    "layer.bn._TemporalEffectiveBatchNormBase": _EACH_STEP,
    "layer.container.TLastSeqToANNContainer": "it keeps time as the last axis and maps over it; put time first",
    "rnn.SpikingRNNCellBase": _RNN,
    "rnn.SpikingRNNBase": _RNN,
    "encoding.StatelessEncoder": _ENCODES,
    "encoding.StatefulEncoder": _ENCODES,
    "encoding.PopEncoder": _ENCODES,
    "encoding.PopSpikeEncoderDeterministic": _ENCODES,
    "encoding.PopSpikeEncoderRandom": _ENCODES,
    "base.MemoryModule": "a stateful module of its own",
}
"""Why a type of module is refused, and what descends from it; the last one stands for everything that keeps a state."""

REFUSED: Mapping[str, Row] = {f"{_HERE}.{name}": refused(why, KINDS, _many, _fresh) for name, why in REASONS.items()}

"""What is said about fields that do not go together and inputs that do not fit: tested like behaviour."""

from collections.abc import Callable

import numpy as np
import pytest
from spikeport.toolchain.errors import GraphError
from spikeport.toolchain.graph import Signal
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.graph.nodes.base import check_size, frozen, ints, plain

ones = np.ones


def given(node: n.Node, *shapes: tuple[int, ...]) -> Callable[[], object]:
    return lambda: node.signal([Signal(shape) for shape in shapes])


CASES: list[tuple[Callable[[], object], str]] = [
    (lambda: n.Input((0, 2)), "shape: (0, 2); expected integers of at least 1"),
    (lambda: n.Input((2.5,)), "shape: (2.5,); expected integers of at least 1"),
    (lambda: n.Input(2.5), "shape: 2.5; expected integers of at least 1"),
    (lambda: n.Input((True,)), "shape: (True,); expected integers of at least 1"),
    (lambda: n.Input((1,), "many"), "carries: 'many'; expected spikes, graded or int[low,high]"),
    (lambda: n.Input((1,), 3), "carries: 3; expected text"),
    (lambda: n.Input((2**30, 2**30)), "shape: [1073741824,1073741824]; expected at most 1099511627776 values"),
    (lambda: n.Input((1,) * 40), "shape: 40 axes; expected at most 32"),
    (lambda: n.Output("mode"), "readout: 'mode'; expected steps or last or sum or mean or max"),
    (lambda: n.Affine(ones(3)), "weight: shape [3]; expected two axes, (out, in)"),
    (lambda: n.Affine(ones((3, 4)), ones(4)), "bias: shape [4]; expected [3]"),
    (lambda: n.Affine(None), "weight: none; expected an array"),
    (given(n.Affine(ones((3, 4))), ()), "input: shape []; expected a last axis of 4"),
    (given(n.Affine(ones((3, 4))), (4, 3)), "input: shape [4,3]; expected a last axis of 4"),
    (given(n.Scale(ones(3)), (4,)), "scale: shape [3]; expected one that broadcasts to [4]"),
    (given(n.Scale(ones((2, 1))), (1,)), "scale: shape [2,1]; expected one that broadcasts to [1]"),
    (given(n.Scale(1.0, ones(3)), (4,)), "shift: shape [3]; expected one that broadcasts to [4]"),
    (lambda: n.BatchNorm(ones(3), ones(4)), "variance: shape [4]; expected the shape of mean, one axis"),
    (lambda: n.BatchNorm(ones((3, 1)), ones((3, 1))), "mean: shape [3,1]; expected the shape of mean, one axis"),
    (lambda: n.BatchNorm(ones(3), -ones(3)), "variance: values of at most −ε; expected variance + ε above 0"),
    (lambda: n.BatchNorm(ones(3), ones(3), epsilon="x"), "epsilon: 'x'; expected a number"),
    (lambda: n.BatchNorm(ones(3), ones(3), epsilon=float("inf")), "epsilon: inf; expected a finite number"),
    (given(n.BatchNorm(ones(3), ones(3)), (4, 3)), "input: shape [4,3]; expected a first axis of 3"),
    (
        lambda: n.Contract("ab->b", ones((2, 2))),
        "equation: 'ab->b'; expected subscripts such as 'cv,vw->cw', each letter once in a term",
    ),
    (
        lambda: n.Contract("ab,bc", ones((2, 2))),
        "equation: 'ab,bc'; expected subscripts such as 'cv,vw->cw', each letter once in a term",
    ),
    (
        lambda: n.Contract("aa,ab->b", ones((2, 2))),
        "equation: 'aa,ab->b'; expected subscripts such as 'cv,vw->cw', each letter once in a term",
    ),
    (lambda: n.Contract("ab,bc->ax", ones((2, 2))), "equation: 'ab,bc->ax'; expected no new letter on the right"),
    (lambda: n.Contract("ab,bc->aZ", ones((2, 2))), "equation: 'ab,bc->aZ'; expected no new letter on the right"),
    (
        lambda: n.Contract("aZ,Zc->ac", ones((2, 2))),
        "equation: the letter Z; expected another letter: Z stands for the batch",
    ),
    (lambda: n.Contract("ab,bcd->ac", ones((2, 2))), "constant: 2 axes; expected axes bcd"),
    (
        given(n.Contract("ab,bc->ac", ones((2, 2))), (2, 3)),
        "input: shape [2,3]; expected 2 along b, as in the constant",
    ),
    (given(n.Contract("ab,bc->ac", ones((2, 2))), (2,)), "input: shape [2]; expected axes ab"),
    (lambda: n.Conv(ones((2, 2))), "weight: shape [2,2]; expected (out, in/groups, 1 to 3 of kernel)"),
    (lambda: n.Conv(ones((2, 0, 3))), "weight: shape [2,0,3]; expected no empty axis"),
    (lambda: n.Conv(ones((2, 2, 3)), ones(3)), "bias: shape [3]; expected [2]"),
    (lambda: n.Conv(ones((3, 1, 3)), groups=2), "groups: 2; expected a divisor of 3"),
    (lambda: n.Conv(ones((2, 2, 3)), groups=0), "groups: 0; expected integers of at least 1"),
    (lambda: n.Conv(ones((2, 2, 3)), groups=1.0), "groups: 1.0; expected an integer"),
    (lambda: n.Conv(ones((2, 2, 3)), stride=0), "stride: 0; expected integers of at least 1"),
    (lambda: n.Conv(ones((2, 2, 3, 3)), stride=(1, 1, 1)), "stride: (1, 1, 1); expected one integer, or 2"),
    (lambda: n.Conv(ones((2, 2, 3)), padding=-1), "padding: (-1,); expected integers of at least 0"),
    (lambda: n.Conv(ones((2, 2, 3)), padding="valid"), "padding: 'valid'; expected widths, or 'same'"),
    (
        lambda: n.Conv(ones((2, 2, 3)), padding="same", stride=2),
        "padding: 'same' with stride [2]; expected widths, or stride 1",
    ),
    (lambda: n.Conv(ones((2, 2, 3, 3)), padding=((1, 1),)), "padding: ((1, 1),); expected 2 pairs"),
    (lambda: n.Conv(ones((2, 2, 3)), padding=((1, 1, 1),)), "padding: ((1, 1, 1),); expected pairs of integers"),
    (lambda: n.Conv(ones((2, 2, 3)), padding=1.5), "padding: (1.5,); expected integers of at least 0"),
    (lambda: n.Conv(ones((2, 2, 3)), padding=None), "padding: (None,); expected integers of at least 0"),
    (given(n.Conv(ones((2, 2, 3))), (3, 5)), "input: shape [3,5]; expected 2 channels and 1 dimension of space"),
    (given(n.Conv(ones((2, 2, 3))), (2, 5, 5)), "input: shape [2,5,5]; expected 2 channels and 1 dimension of space"),
    (
        given(n.Conv(ones((2, 2, 3)), dilation=3), (2, 6)),
        "input: shape [6]; expected room for a kernel of [3], dilation [3]",
    ),
    (
        given(n.Conv(ones((2, 2, 3)), padding=2**45), (2, 6)),
        "padding: [70368744177670]; expected at most 1099511627776 values",
    ),
    (lambda: n.ConvTranspose(ones((3, 2, 3)), groups=2), "groups: 2; expected a divisor of 3"),
    (lambda: n.ConvTranspose(ones((2, 2, 3)), ones(3)), "bias: shape [3]; expected [2]"),
    (
        lambda: n.ConvTranspose(ones((2, 2, 3)), output_padding=1),
        "output_padding: [1]; expected less than the stride or the dilation",
    ),
    (lambda: n.ConvTranspose(ones((2, 2))), "weight: shape [2,2]; expected (in, out/groups, 1 to 3 of kernel)"),
    (
        given(n.ConvTranspose(ones((2, 2, 3)), padding=3), (2, 2)),
        "padding: ((3, 3),); expected less than what [4] leaves",
    ),
    (
        given(n.ConvTranspose(ones((2, 2, 3))), (3, 2)),
        "input: shape [3,2]; expected 2 channels and 1 dimension of space",
    ),
    (lambda: n.SumPool((2, 2, 2, 2)), "window: [2,2,2,2]; expected one to three dimensions"),
    (lambda: n.SumPool(0), "window: 0; expected integers of at least 1"),
    (lambda: n.SumPool(2**20), "window: [1048576]; expected at most 65536 in each dimension"),
    (lambda: n.SumPool(2, ceil=1), "ceil: 1; expected true or false"),
    (lambda: n.MaxPool(2, padding=2), "padding: ((2, 2),); expected at most half the window [2]"),
    (
        lambda: n.AveragePool((3, 3), padding=((1, 1), (0, 2))),
        "padding: ((1, 1), (0, 2)); expected at most half the window [3,3]",
    ),
    (given(n.MaxPool((2, 2)), (1, 5)), "input: shape [1,5]; expected channels and 2 dimensions of space"),
    (given(n.MaxPool((3, 3)), (1, 5, 2)), "input: shape [1,5,2]; expected room for a window of [3,3]"),
    (lambda: n.Flatten("x"), "start_axis: 'x'; expected an integer"),
    (given(n.Flatten(1), (3,)), "start_axis: 1; expected one of the 1 axes of the signal"),
    (given(n.Flatten(1, 0), (3, 4)), "end_axis: 0 before start_axis 1; expected the later axis"),
    (lambda: n.Reshape((-1, -1)), "shape: [-1,-1]; expected at most one -1 and no 0"),
    (lambda: n.Reshape((0, 2)), "shape: [0,2]; expected at most one -1 and no 0"),
    (given(n.Reshape((2, 3)), (4,)), "shape: [2,3]; expected 4 values, as in [4]"),
    (given(n.Reshape((-1, 3)), (4,)), "shape: [-1,3]; expected 4 values, as in [4]"),
    (lambda: n.Permute((0, 2)), "axes: [0,2]; expected each axis once"),
    (given(n.Permute((1, 0)), (4,)), "axes: [1,0]; expected 1 axes, as in [4]"),
    (lambda: n.Slice(0, 2, 2), "stop_index: 2; expected more than 2"),
    (lambda: n.Slice(0, -1, 2), "start_index, stop_index: (-1, 2); expected integers of at least 0"),
    (lambda: n.Slice(0, 0, 2, 0), "stride: 0; expected integers of at least 1"),
    (lambda: n.Slice(0.0, 0, 2), "axis: 0.0; expected an integer"),
    (given(n.Slice(0, 0, 5), (4,)), "stop_index: 5; expected at most 4"),
    (given(n.Slice(1, 0, 5), (4,)), "axis: 1; expected one of the 1 axes of the signal"),
    (lambda: n.Pad(((1, -1),)), "widths: (1, -1); expected integers of at least 0"),
    (lambda: n.Pad((1, 1)), "widths: (1, 1); expected pairs of integers"),
    (given(n.Pad(((1, 1),)), (4, 4)), "widths: 1 pairs; expected 2, as in [4,4]"),
    (given(n.Add(), (2, 3), (3, 2)), "inputs: shapes [2,3] and [3,2]; expected shapes that broadcast"),
    (given(n.Concat(), (2, 3), (2, 4)), "inputs: [2,3] and [2,4]; expected shapes that agree but for axis 0"),
    (given(n.Concat(), (2, 3), (2,)), "inputs: [2,3] and [2]; expected shapes that agree but for axis 0"),
    (given(n.Concat(2), (2, 3), (2, 3)), "axis: 2; expected one of the 2 axes of the signal"),
    (lambda: n.Concat("0"), "axis: '0'; expected an integer"),
    (lambda: n.Mean(()), "axes: none; expected at least one axis"),
    (lambda: n.Mean((0,), keep=1), "keep: 1; expected true or false"),
    (given(n.Mean((0, -1)), (4,)), "axes: (0, -1); expected each axis once"),
    (given(n.Sum((1,)), (4,)), "axes: 1; expected one of the 1 axes of the signal"),
    (
        lambda: n.Activation("rely"),
        "function: 'rely'; expected relu, clip, leaky_relu, elu, selu, gelu, gelu_tanh, silu, mish, sigmoid, "
        "hard_sigmoid, hard_swish, tanh, softplus, softsign, erf, abs, square, step, step_or_equal, quantise",
    ),
    (lambda: n.Activation("relu", {"slope": 1}), "parameters: slope; expected none for relu"),
    (lambda: n.Activation("clip"), "parameters: none; expected low, high for clip"),
    (lambda: n.Activation("clip", {"low": 1, "high": 0}), "parameters: low 1.0 above high 0.0; expected low first"),
    (
        lambda: n.Activation("quantise", {"scale": 0, "zero": 0, "low": 0, "high": 1}),
        "parameters: scale 0.0; expected a scale above 0",
    ),
    (
        lambda: n.Activation("quantise", {"scale": 1, "zero": 0.5, "low": 0, "high": 1}),
        "parameters: zero, low or high between two integers; expected integers",
    ),
    (lambda: n.Activation("clip", {"low": "0", "high": 1}), "parameters: '0'; expected a number"),
    (lambda: n.Activation("clip", [0, 1]), "parameters: [0, 1]; expected numbers by name"),
    (lambda: n.Activation("leaky_relu", {"slope": float("nan")}), "parameters: nan; expected a finite number"),
    (
        lambda: n.Host("soft"),
        "operation: 'soft'; expected softmax, log_softmax, layer_norm, group_norm, matmul, divide, maximum, minimum, "
        "greater, exp, log, sqrt, reciprocal, sin, cos, power, cumsum, extreme, fft",
    ),
    (lambda: n.Host("softmax"), "settings: none; expected axis for softmax"),
    (lambda: n.Host("softmax", {"axis": 0.5}), "axis: 0.5; expected a whole number"),
    (given(n.Host("softmax", {"axis": 1}), (4,)), "axis: 1; expected one of the 1 axes of the signal"),
    (given(n.Host("extreme", {"axis": 1, "largest": 1}), (4,)), "axis: 1; expected one of the 1 axes of the signal"),
    (given(n.Host("fft", {"axis": -2}), (4,)), "axis: -2; expected one of the 1 axes of the signal"),
    (given(n.Host("layer_norm", {"axes": 2, "epsilon": 1e-5}), (4,)), "axes: 2; expected 1 to 1, the axes of [4]"),
    (given(n.Host("layer_norm", {"axes": 0, "epsilon": 1e-5}), (4,)), "axes: 0; expected 1 to 1, the axes of [4]"),
    (lambda: n.Host("layer_norm", {"axes": 1, "epsilon": -1}), "epsilon: -1.0; expected at least 0"),
    (
        given(n.Host("group_norm", {"groups": 3, "epsilon": 1e-5}), (4, 2)),
        "groups: 3; expected a divisor of the first axis of [4,2]",
    ),
    (
        given(n.Host("group_norm", {"groups": 0, "epsilon": 1e-5}), (4, 2)),
        "groups: 0; expected a divisor of the first axis of [4,2]",
    ),
    (
        given(n.Host("matmul"), (4,), (4,)),
        "inputs: shapes [4] and [4]; expected two matrices that fit, [.., n, k] and [.., k, m]",
    ),
    (
        given(n.Host("matmul"), (2, 3), (2, 3)),
        "inputs: shapes [2,3] and [2,3]; expected two matrices that fit, [.., n, k] and [.., k, m]",
    ),
    (given(n.Host("divide"), (2,)), "inputs: 1; expected 2 for divide"),
    (lambda: n.Delay(()), "steps: none; expected at least one delay"),
    (lambda: n.Delay((-1,)), "steps: (-1,); expected integers of at least 0"),
    (lambda: n.Delay((5000,)), "steps: 5000; expected at most 4096"),
    (given(n.Delay((1, 2)), (3,)), "steps: 2 delays; expected one, or one for each channel of [3]"),
    (lambda: n.TemporalKernel(ones((2, 2))), "weight: shape [2,2]; expected (taps, out, in)"),
    (lambda: n.TemporalKernel(ones((5000, 1, 1))), "weight: 5000 taps; expected at most 4096"),
    (lambda: n.TemporalKernel(ones((2, 3, 1)), ones(1)), "bias: shape [1]; expected [3]"),
    (given(n.TemporalKernel(ones((2, 3, 1))), (3,)), "input: shape [3]; expected a first axis of 1"),
    (lambda: n.StateSpace(ones(3), ones(3), ones(3)), "decay: shape [3]; expected (channels, states)"),
    (lambda: n.StateSpace(ones((3, 1)), ones((3, 2)), ones((3, 1))), "inward: shape [3,2]; expected [3,1], as decay"),
    (lambda: n.StateSpace(ones((3, 1)), ones((3, 1)), ones((3, 1)), ones(2)), "through: shape [2]; expected [3]"),
    (
        given(n.StateSpace(ones((3, 1)), ones((3, 1)), ones((3, 1))), (2,)),
        "input: shape [2]; expected a first axis of 3",
    ),
    (lambda: n.LIF(beta=0.9, reset="soft"), "reset: 'soft'; expected value or subtract or none"),
    (lambda: n.LIF(beta=0.9, when="later"), "when: 'later'; expected now or next or guarded"),
    (lambda: n.LIF(beta=0.9, emit="current"), "emit: 'current'; expected spikes or voltage or charge"),
    (lambda: n.LIF(beta=0.9, rule="tau"), "rule: 'tau'; expected given or euler or exact"),
    (lambda: n.LIF(beta=0.9, when="guarded"), "when: 'guarded'; expected reset by subtraction with it"),
    (
        lambda: n.LIF(beta=0.9, reset="subtract", v_reset=0.5),
        "v_reset: another value than 0; expected 0 unless the reset is to a value",
    ),
    (lambda: n.LIF(beta=0.9, at_least="yes"), "at_least: 'yes'; expected true or false"),
    (lambda: n.LIF(beta=0.9j), "beta: values of type complex128; expected float32 or float64 numbers"),
    (
        lambda: n.AdaptiveLIF(beta=0.9, adapt_decay=0, adapt_step=0, reset="subtract", when="guarded"),
        "when: 'guarded'; expected now or next",
    ),
    (given(n.LIF(beta=ones(3)), (2,)), "beta: shape [3]; expected one that broadcasts to [2]"),
    (given(n.LIF(beta=ones((2, 3))), (3,)), "beta: shape [2,3]; expected one that broadcasts to [3]"),
    (given(n.IF(threshold=ones(3)), ()), "threshold: shape [3]; expected one that broadcasts to []"),
    (lambda: n.ResonateFire(cos=0, sin=1, spike="both"), "spike: 'both'; expected phase or izhikevich"),
    (given(n.ResonateFire(cos=0, sin=1), (3,), (2,)), "inputs: [3] and [2]; expected one shape"),
    (given(n.ResonateFire(cos=ones(2), sin=1), (3,)), "cos: shape [2]; expected one that broadcasts to [3]"),
    (given(n.Delta(threshold=ones(2)), (3,)), "threshold: shape [2]; expected one that broadcasts to [3]"),
    (lambda: n.SigmaDelta(threshold=1, activation="tanh"), "activation: 'tanh'; expected relu or unit"),
    (given(n.SigmaDelta(threshold=1, bias=ones(2)), (3,)), "bias: shape [2]; expected one that broadcasts to [3]"),
    (lambda: ints(range(100_000, -1, -1), "many", 1), "many: range(100000, -1, -1); expected integers of at least 1"),
    (lambda: plain(None, "int", "count"), "count: None; expected an integer"),
    (lambda: check_size((3, -1), "shape"), "shape: [3,-1]; expected sizes of at least 1"),
    (lambda: frozen(ones((1,) * 40)), "array: 40 axes; expected at most 32"),
    (
        lambda: frozen(np.datetime64("2020-01-01")),
        "array: values of type datetime64[D]; expected float32, float64 or complex numbers",
    ),
]


@pytest.mark.parametrize(("make", "message"), CASES, ids=range(len(CASES)))
def test_messages(make: Callable[[], object], message: str) -> None:
    with pytest.raises(GraphError) as caught:
        make()
    assert str(caught.value) == message

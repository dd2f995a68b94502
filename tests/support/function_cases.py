"""For every row of the function tables, calls that it is about, each on the shape of one sample."""

import math
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch.nn import functional

V, M, I1, I2, I3 = (6,), (4, 6), (3, 8), (4, 6, 6), (2, 4, 4, 4)
"""A vector, a matrix, and channels with one, two and three axes of space."""


@dataclass(frozen=True)
class Case:
    """One call on x of [batch, *shape].

    Args:
        call: the call.
        shape: the shape of a sample.
        over_time: whether the very same call makes sense on [time, batch, *shape].
        host: whether it is work for a host.
        low: the least value of an input.
        spikes: whether the inputs are zeros and ones.
    """

    call: Callable
    shape: tuple = V
    over_time: bool = False
    host: bool = False
    low: float = -2.0
    spikes: bool = False


def each(call, shape=V, **more):
    """A call that works element by element, or on the last axes alone, and so over time, too."""
    return [Case(call, shape, over_time=True, **more)]


def one(call, shape=V, **more):
    """A call that knows one batch axis."""
    return [Case(call, shape, **more)]


def fixed(*shape, seed=0, low=-1.0):
    """A constant of values from low to 1 in disorder."""
    counted = torch.arange(math.prod(shape), dtype=torch.float64).reshape(shape)
    return ((counted + seed + 1) * 0.6180339887) % 1 * (1 - low) + low


def like(x, *shape, **more):
    """A constant of x's type."""
    return fixed(*shape, **more).to(x.dtype)


def written(change, shape=V, **more):
    """A change in place of something of its own."""

    def call(x):
        y = x * 1.5
        change(y)
        return y

    return each(call, shape, **more)


def into(x, *shape):
    """A tensor to write into."""
    return torch.zeros(x.shape[0], *shape, dtype=x.dtype)


SCALAR = torch.tensor(0.5)

ARITHMETIC = {
    "add": [
        *each(lambda x: x + 1),
        *each(lambda x: 2 + x),
        *each(lambda x: x + like(x, 6)),
        *each(lambda x: torch.add(x, x * 2, alpha=0.3)),
        *each(lambda x: x + like(x, 1, 6)),
        *each(lambda x: x + x.mean(-1, keepdim=True)),
        *each(lambda x: torch.add(like(x, 6), x, alpha=0.3)),
        *written(lambda y: y.add_(1)),
    ],
    "sub": [*each(lambda x: x - 1), *each(lambda x: x - x * like(x, 6)), *each(lambda x: torch.sub(x, 2, alpha=3))],
    "subtract": each(lambda x: torch.subtract(x, like(x, 6))),
    "rsub": [*each(lambda x: 1 - x), *each(lambda x: torch.rsub(x, x * x, alpha=2))],
    "neg": each(lambda x: -x),
    "negative": each(torch.negative),
    "mul": [
        *each(lambda x: x * 3),
        *each(lambda x: x * x * like(x, 4, 1), M),
        *each(lambda x: like(x, 6) * x),
        *written(lambda y: y.mul_(y)),
    ],
    "multiply": each(lambda x: torch.multiply(x, 0.1)),
    "div": [
        *each(lambda x: x / 3),
        *each(lambda x: torch.div(x, like(x, 6, low=0.5))),
        *each(lambda x: torch.div(like(x, 6), x), host=True, low=0.5),
        *each(lambda x: torch.div(x, x + 1), host=True, low=0.5),
        *written(lambda y: y.div_(7)),
    ],
    "divide": each(lambda x: torch.divide(x, 3)),
    "true_divide": each(lambda x: torch.true_divide(x, 3)),
    "rdiv": each(lambda x: 3 / x, host=True, low=0.5),
    "addcmul": [
        *each(lambda x: torch.addcmul(x, x + 1, x - 1, value=0.5)),
        *each(lambda x: torch.addcmul(x, x, like(x, 6))),
        *each(lambda x: torch.addcmul(like(x, 6), like(x, 6, seed=1), x, value=2)),
        *each(lambda x: torch.addcmul(x, like(x, 6), like(x, 6, seed=1), value=2)),
    ],
    "lerp": [*each(lambda x: torch.lerp(x, x * x, 0.3)), *each(lambda x: torch.lerp(like(x, 6), x, like(x, 6, low=0)))],
    "square": each(torch.square),
    "pow": [
        *each(lambda x: x**2),
        *each(lambda x: x**3, host=True),
        *each(lambda x: torch.pow(x, 0.5), host=True, low=0),
    ],
    "exp": each(torch.exp, host=True),
    "log": each(torch.log, host=True, low=0.5),
    "sqrt": each(torch.sqrt, host=True, low=0.0),
    "reciprocal": each(torch.reciprocal, host=True, low=0.5),
    "sin": each(torch.sin, host=True),
    "cos": each(torch.cos, host=True),
}

TYPES = {
    "contiguous": each(lambda x: x.contiguous()),
    "clone": each(lambda x: x.clone() + 1),
    "detach": each(lambda x: x.detach() + 1),
    "data": each(lambda x: x.data + 1),
    "alias": each(lambda x: torch.ops.aten.alias(x) + 1),
    "requires_grad": each(lambda x: x.requires_grad_(False) + 1),
    "deepcopy": each(lambda x: deepcopy(x) + 1),
    "float": each(lambda x: (x > 0).float()),
    "double": each(lambda x: x.double()),
    "half": each(lambda x: (x > 0).half().to(x.dtype)),
    "bfloat16": each(lambda x: (x > 0).bfloat16().to(x.dtype)),
    "int": each(lambda x: (x > 0).int() * 2),
    "long": each(lambda x: (x > 0).long() * 2),
    "bool": [*each(lambda x: (x > 0).bool().to(x.dtype)), *each(lambda x: x.relu().bool().to(x.dtype))],
    "to": each(lambda x: (x > 0).to(x)),
    "type": each(lambda x: (x > 0).type(torch.float64)),
    "type_as": each(lambda x: (x > 0).type_as(x)),
    "cpu": each(lambda x: x.cpu()),
    "positive": each(lambda x: +x),
    "as_tensor": each(torch.as_tensor),
    "asarray": each(torch.asarray),
    "tensor": each(lambda x: torch.tensor(x)),
    "nan_to_num": each(torch.nan_to_num),
    "dropout": each(lambda x: functional.dropout(x, training=False)),
    "dropout1d": one(lambda x: functional.dropout1d(x, training=False), I1),
    "dropout2d": one(lambda x: functional.dropout2d(x, training=False), I2),
    "dropout3d": one(lambda x: functional.dropout3d(x, training=False), I3),
    "alpha_dropout": each(lambda x: functional.alpha_dropout(x, training=False)),
    "feature_dropout": one(lambda x: torch.feature_dropout(x, 0.5, False), I2),
    "feature_alpha_dropout": one(lambda x: functional.feature_alpha_dropout(x, training=False), I2),
}

ACTIVATIONS = {
    "relu": [
        *each(torch.relu),
        *each(functional.relu),
        *written(lambda y: functional.relu(y, True)),
        *written(lambda y: y.relu_()),
    ],
    "relu6": each(lambda x: functional.relu6(x * 9)),
    "leaky_relu": [*each(functional.leaky_relu), *each(lambda x: functional.leaky_relu(x, 0.3))],
    "prelu": [*each(lambda x: functional.prelu(x, like(x, 1))), *one(lambda x: functional.prelu(x, like(x, 4)), I2)],
    "elu": [*each(functional.elu), *each(lambda x: functional.elu(x, 0.3))],
    "celu": each(lambda x: functional.celu(x, 0.3)),
    "selu": each(functional.selu),
    "gelu": [*each(functional.gelu), *each(lambda x: functional.gelu(x, approximate="tanh"))],
    "silu": each(functional.silu),
    "mish": each(functional.mish),
    "glu": [*each(lambda x: functional.glu(x, -1)), *one(lambda x: functional.glu(x, 1), I2)],
    "sigmoid": [*each(torch.sigmoid), *each(functional.sigmoid)],
    "log_sigmoid": each(functional.logsigmoid),
    "hardsigmoid": each(lambda x: functional.hardsigmoid(x * 3)),
    "hardswish": each(lambda x: functional.hardswish(x * 3)),
    "tanh": each(torch.tanh),
    "hardtanh": [*each(functional.hardtanh), *each(lambda x: functional.hardtanh(x, -0.3, 0.7))],
    "softplus": [*each(functional.softplus), *each(lambda x: functional.softplus(x, 3))],
    "softsign": each(functional.softsign),
    "softshrink": each(functional.softshrink),
    "tanhshrink": each(functional.tanhshrink),
    "hardshrink": each(functional.hardshrink),
    "threshold": [*each(lambda x: functional.threshold(x, 0.1, 0)), *each(lambda x: functional.threshold(x, 0.1, 3.0))],
    "abs": each(torch.abs),
    "absolute": each(torch.absolute),
    "clamp": [
        *each(lambda x: x.clamp(-0.5, 0.5)),
        *each(lambda x: torch.clamp(x, min=0.2)),
        *each(lambda x: x.clamp(max=0.2)),
        *each(lambda x: x.clamp(min=0)),
        *each(lambda x: x.clamp(like(x, 6, low=-0.9) - 1, torch.tensor(0.5))),
        *written(lambda y: y.clamp_(0, 1)),
    ],
    "clip": each(lambda x: torch.clip(x, -0.5, 0.5)),
    "clamp_min": each(lambda x: x.clamp_min(0.3)),
    "clamp_max": each(lambda x: x.clamp_max(0.3)),
    "maximum": [*each(lambda x: torch.maximum(x, like(x, 6))), *each(lambda x: torch.maximum(x, -x), host=True)],
    "minimum": [*each(lambda x: torch.minimum(like(x, 6), x)), *each(lambda x: torch.minimum(x, -x), host=True)],
    "fmax": [*each(lambda x: torch.fmax(x, like(x, 6))), *each(lambda x: torch.fmax(x, -x), host=True)],
    "fmin": [*each(lambda x: torch.fmin(x, like(x, 6))), *each(lambda x: torch.fmin(x, -x), host=True)],
    "softmax": [
        *each(lambda x: torch.softmax(x, -1), host=True),
        *one(lambda x: functional.softmax(x, 1), I2, host=True),
    ],
    "log_softmax": each(lambda x: functional.log_softmax(x, -1), host=True),
    "cumsum": each(lambda x: torch.cumsum(x, -1), host=True),
    "layer_norm": [
        *each(lambda x: functional.layer_norm(x, (6,)), host=True),
        *each(lambda x: functional.layer_norm(x, (4, 6), like(x, 4, 6), like(x, 4, 6)), M, host=True),
    ],
    "group_norm": [
        *one(lambda x: functional.group_norm(x, 2), I2, host=True),
        *one(lambda x: functional.group_norm(x, 2, like(x, 4), like(x, 4)), I2, host=True),
    ],
    "scaled_dot_product_attention": each(
        lambda x: functional.scaled_dot_product_attention(x, x * 2, x + 1), (2, 4, 6), host=True
    ),
}

LOGIC = {
    "gt": [
        *each(lambda x: (x > 0.5).to(x)),
        *each(lambda x: (x > x * x).to(x)),
        *each(lambda x: torch.gt(x, like(x, 6)).to(x)),
    ],
    "greater": each(lambda x: torch.greater(x, 0.1).to(x)),
    "ge": [*each(lambda x: (x >= 0.5).to(x)), *each(lambda x: (x.relu() >= 0).to(x))],
    "greater_equal": each(lambda x: torch.greater_equal(x, 0.1).to(x)),
    "lt": [
        *each(lambda x: (x < 0.5).to(x)),
        *each(lambda x: (x < 0.5).to(x)),
        *each(lambda x: (x < x.abs() - 1).to(x)),
    ],
    "less": each(lambda x: torch.less(x, 0.1).to(x)),
    "le": [*each(lambda x: (x <= 0.5).to(x)), *each(lambda x: (x.relu() <= 0).to(x))],
    "less_equal": each(lambda x: torch.less_equal(x, 0.1).to(x)),
    "eq": [*each(lambda x: (x.relu() == 0).to(x)), *each(lambda x: (x.relu() == x).to(x))],
    "ne": each(lambda x: (x.relu() != 0).to(x)),
    "not_equal": each(lambda x: torch.not_equal(x.relu(), 0).to(x)),
    "heaviside": [
        *each(lambda x: torch.heaviside(x.relu(), torch.tensor(1.0, dtype=x.dtype))),
        *each(lambda x: torch.heaviside(x.relu(), torch.tensor(0.0, dtype=x.dtype))),
    ],
    "sign": each(lambda x: torch.sign(x.relu() - x.abs().relu() / 2)),
    "sgn": each(torch.sgn),
    "logical_not": each(lambda x: torch.logical_not(x > 0).to(x)),
    "bitwise_not": each(lambda x: torch.bitwise_not(x > 0).to(x)),
    "invert": each(lambda x: (~(x > 0)).to(x)),
    "logical_and": each(lambda x: torch.logical_and(x > 0, x < 1).to(x)),
    "bitwise_and": each(lambda x: torch.bitwise_and(x > 0, x < 1).to(x)),
    "and": each(lambda x: ((x > 0) & (x < 1)).to(x)),
    "logical_or": each(lambda x: torch.logical_or(x > 1, x < 0).to(x)),
    "bitwise_or": each(lambda x: torch.bitwise_or(x > 1, x < 0).to(x)),
    "or": each(lambda x: ((x > 1) | (x < 0)).to(x)),
    "logical_xor": each(lambda x: torch.logical_xor(x > 0, x < 1).to(x)),
    "bitwise_xor": each(lambda x: torch.bitwise_xor(x > 0, x < 1).to(x)),
    "xor": each(lambda x: ((x > 0) ^ (x < 1)).to(x)),
    "where": [
        *each(lambda x: torch.where(x > 0, x, 0.1 * x)),
        *each(lambda x: torch.where(x > 0, 0.0, x)),
        *each(lambda x: torch.where(x > 0, 0.0, -1.0).to(x)),
        *each(lambda x: torch.where(x > 0, 0.0, 0.0).to(x)),
        *each(lambda x: x.where(x > 0, like(x, 6))),
        *each(lambda x: torch.where(fixed(6) > 0, x, -x)),
        *each(lambda x: torch.where(fixed(6) > 0, x, like(x, 6))),
    ],
    "masked_fill": [
        *each(lambda x: x.masked_fill(x > 0.5, -1.0)),
        *each(lambda x: x.masked_fill(fixed(6) > 0, -1.0)),
        *written(lambda y: y.masked_fill_(y < 0, 3.0)),
    ],
}

SHAPES = {
    "reshape": [*one(lambda x: x.reshape(x.shape[0], -1), I2), *one(lambda x: torch.reshape(x, (-1, 2, 12)), M)],
    "view": [*one(lambda x: x.view(x.size(0), -1), I2), *one(lambda x: x.view(x.size(0), 2, 3))],
    "unflatten": one(lambda x: x.unflatten(1, (2, 3))),
    "view_as": one(lambda x: x.view_as(x.reshape(x.shape[0], 3, 2))),
    "reshape_as": one(lambda x: x.reshape_as(torch.zeros(x.shape[0], 3, 2))),
    "flatten": [
        *one(lambda x: torch.flatten(x, 1), I2),
        *one(lambda x: x.flatten(2), I2),
        *one(lambda x: x.flatten(1, 2), I2),
    ],
    "unsqueeze": [*each(lambda x: x.unsqueeze(-1)), *one(lambda x: x.unsqueeze(1))],
    "squeeze": [
        *each(lambda x: x.squeeze(-1), (6, 1)),
        *one(lambda x: x.squeeze(), (6, 1)),
        *one(lambda x: x.squeeze(1)),
    ],
    "permute": [*one(lambda x: x.permute(0, 2, 3, 1), I2), *one(lambda x: torch.permute(x, (0, 2, 1)), M)],
    "transpose": [*each(lambda x: x.transpose(-1, -2), M), *one(lambda x: x.transpose(1, 2) * 2, I2)],
    "swapaxes": one(lambda x: x.swapaxes(1, 2), I2),
    "movedim": [*one(lambda x: x.movedim(1, -1), I2), *one(lambda x: torch.movedim(x, (1, 2), (3, 1)), I2)],
    "t": one(lambda x: x.t().t() + 1),
    "T": one(lambda x: (x.T * 2).T),
    "mT": each(lambda x: x.mT, M),
    "stack": [*one(lambda x: torch.stack([x, x * 2], 1)), *each(lambda x: torch.stack([x, -x], dim=-1))],
    "cat": [*each(lambda x: torch.cat([x, x * 2], -1)), *one(lambda x: torch.cat((x, -x, x), dim=1), I2)],
    "concat": each(lambda x: torch.concat([x, x * 2], -1)),
    "concatenate": each(lambda x: torch.concatenate([x, x * 2], -1)),
    "pad": [*each(lambda x: functional.pad(x, (1, 2))), *one(lambda x: functional.pad(x, (1, 2, 0, 3)), I2)],
    "expand": [*each(lambda x: x.unsqueeze(-1).expand(*x.shape, 3)), *one(lambda x: x[:, None].expand(-1, 3, -1) * 2)],
    "expand_as": one(lambda x: x[:, :1].expand_as(x)),
    "broadcast_to": one(lambda x: torch.broadcast_to(x[:, :1], x.shape)),
    "repeat": one(lambda x: x.repeat(1, 3)),
    "tile": one(lambda x: torch.tile(x, (1, 2, 2)), M),
    "pixel_shuffle": one(lambda x: functional.pixel_shuffle(x, 2), I2),
    "channel_shuffle": one(lambda x: functional.channel_shuffle(x, 2), I2),
    "getitem": [
        *each(lambda x: x[..., ::2]),
        *one(lambda x: x[:, 1]),
        *one(lambda x: x[:, -2:, 1:4:2, None, 3], I2),
        *each(lambda x: x[..., torch.tensor(2)]),
    ],
    "select": one(lambda x: x.select(1, 2), I2),
    "narrow": one(lambda x: x.narrow(1, 1, 2), I2),
    "unbind": one(lambda x: sum(x.unbind(1)), M),
    "chunk": each(lambda x: torch.cat(x.chunk(4, -1)[::-1], -1)),
    "split": [*each(lambda x: torch.cat(x.split(4, -1)[::-1], -1)), *one(lambda x: x.split([1, 2, 3], 1)[2])],
    "split_with_sizes": one(lambda x: x.split_with_sizes([4, 2], 1)[0]),
    "tensor_split": one(lambda x: torch.cat(torch.tensor_split(x, 4, 1)[::-1], 1)),
}

LAYERS = {
    "linear": [
        *each(lambda x: functional.linear(x, like(x, 3, 6), like(x, 3))),
        *each(lambda x: functional.linear(x, like(x, 3, 6)), M),
    ],
    "addmm": [
        *one(lambda x: torch.addmm(like(x, 3), x, like(x, 6, 3))),
        *one(lambda x: torch.addmm(like(x, 3), x, like(x, 6, 3), beta=0.1, alpha=0.7)),
    ],
    "matmul": [
        *each(lambda x: x @ like(x, 6, 3)),
        *each(lambda x: torch.matmul(like(x, 5, 4), x), M),
        *each(lambda x: x @ x.mT, M, host=True),
    ],
    "rmatmul": each(lambda x: x.__rmatmul__(like(x, 5, 4)), M),
    "mm": one(lambda x: torch.mm(x, like(x, 6, 3))),
    "einsum": [
        *one(lambda x: torch.einsum("nctv,vw->nctw", x, like(x, 6, 6)), I2),
        *one(lambda x: torch.einsum("nctv,kvw->nkctw", x, like(x, 3, 6, 6)), I2),
        *each(lambda x: torch.einsum("...v,vw->...w", x, like(x, 6, 2))),
        *one(lambda x: torch.einsum("bi,ij", x, like(x, 6, 3))),
        *one(lambda x: torch.einsum("ij,bj->bi", [like(x, 3, 6), x])),
    ],
    "conv1d": one(lambda x: functional.conv1d(x, like(x, 5, 3, 3), like(x, 5), stride=2, padding=1), I1),
    "conv2d": [
        *one(lambda x: functional.conv2d(x, like(x, 6, 2, 3, 2), None, (2, 1), (0, 1), 2, 2), I2),
        *one(lambda x: functional.conv2d(x, like(x, 2, 4, 3, 5), padding="same"), I2),
        *one(lambda x: functional.conv2d(x, like(x, 2, 4, 3, 4), padding="valid"), I2),
    ],
    "conv3d": one(lambda x: functional.conv3d(x, like(x, 3, 2, 2, 3, 2), like(x, 3), padding=(1, 0, 1)), I3),
    "conv_transpose1d": one(lambda x: functional.conv_transpose1d(x, like(x, 3, 2, 3), like(x, 2), stride=2), I1),
    "conv_transpose2d": one(
        lambda x: functional.conv_transpose2d(x, like(x, 4, 2, 3, 3), None, 2, 1, 1, groups=2, dilation=2), I2
    ),
    "conv_transpose3d": one(lambda x: functional.conv_transpose3d(x, like(x, 2, 1, 2, 2, 2)), I3),
    "batch_norm": [
        *one(lambda x: functional.batch_norm(x, like(x, 4), like(x, 4, low=0.1), like(x, 4), like(x, 4)), I2),
        *one(lambda x: functional.batch_norm(x, like(x, 6), like(x, 6, low=0.1), eps=0.1)),
    ],
    "interpolate": [
        *one(lambda x: functional.interpolate(x, scale_factor=2), I2),
        *one(lambda x: functional.interpolate(x, size=24), I1),
    ],
    "avg_pool1d": one(lambda x: functional.avg_pool1d(x, 2), I1),
    "avg_pool2d": [
        *one(lambda x: functional.avg_pool2d(x, 3, 2, 1, ceil_mode=True), I2),
        *one(lambda x: functional.avg_pool2d(x, (2, 3), padding=(1, 0), count_include_pad=False), I2),
    ],
    "avg_pool3d": one(lambda x: functional.avg_pool3d(x, 2), I3),
    "max_pool1d": one(lambda x: functional.max_pool1d(x, 3, 2), I1),
    "max_pool2d": [
        *one(lambda x: functional.max_pool2d(x, 3, 2, 1, ceil_mode=True), I2),
        *one(lambda x: functional.max_pool2d(x, 2), I2),
    ],
    "max_pool3d": one(lambda x: functional.max_pool3d(x, 2, 1), I3),
    "adaptive_avg_pool1d": one(lambda x: functional.adaptive_avg_pool1d(x, 4), I1),
    "adaptive_avg_pool2d": [
        *one(lambda x: functional.adaptive_avg_pool2d(x, 1), I2),
        *one(lambda x: functional.adaptive_avg_pool2d(x, (None, 2)), I2),
    ],
    "adaptive_avg_pool3d": one(lambda x: functional.adaptive_avg_pool3d(x, 2), I3),
    "adaptive_max_pool1d": one(lambda x: functional.adaptive_max_pool1d(x, 4), I1),
    "adaptive_max_pool2d": one(lambda x: functional.adaptive_max_pool2d(x, 2), I2),
    "adaptive_max_pool3d": one(lambda x: functional.adaptive_max_pool3d(x, 1), I3),
    "mean": [
        *each(lambda x: x.mean(-1), M),
        *one(lambda x: x.mean((2, 3)), I2),
        *one(lambda x: x.mean(dim=(2, 3), keepdim=True), I2),
    ],
    "sum": [*each(lambda x: x.sum(-1, keepdim=True)), *one(lambda x: torch.sum(x, [1, 3]), I2)],
    "amax": each(lambda x: x.amax(-1), host=True),
    "amin": each(lambda x: x.amin(-1), host=True),
    "max": [
        *each(lambda x: x.max(-1).values, host=True),
        *each(lambda x: torch.max(x, like(x, 6))),
        *each(lambda x: torch.max(x, -x), host=True),
    ],
    "min": [
        *each(lambda x: x.min(-1)[0], host=True),
        *each(lambda x: torch.min(x, like(x, 6))),
        *each(lambda x: torch.min(x, -x), host=True),
    ],
    "bmm": one(lambda x: torch.bmm(x, x.mT), M, host=True),
}


def _part(x):
    y = x * 2
    y[:, 1:3] = x[:, 3:5]
    return y


def _made(x):
    y = into(x, 4)
    y[:, 1] = x[:, 0]
    return y


def _masked(x):
    y = x * 1.0
    y[y < 0] = 0.5
    return y


def _copied(x):
    y = into(x, 6)
    y.copy_(x)
    return y + 1


def _zeroed(x):
    y = x * 2
    y.zero_()
    return x + y


def _filled(x):
    y = x * 2
    y.fill_(3)
    return x + y


WRITES = {
    "copy": one(_copied),
    "zero": each(_zeroed),
    "fill": each(_filled),
    "setitem": [
        *one(_part),
        *one(_made),
        *each(_masked),
        *written(lambda y: y[..., 2:4].__class__ and y.__setitem__((..., slice(2, 4)), 0.25)),
    ],
}

CASES: dict[str, list[Case]] = {**ARITHMETIC, **TYPES, **ACTIVATIONS, **LOGIC, **SHAPES, **LAYERS, **WRITES}

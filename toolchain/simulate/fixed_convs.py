"""What torch does for a chip graph: convolutions, and large products of values that are no spikes.

Nothing else of the simulation loads torch, which takes more than a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch

from ..graph.nodes.base import Array
from ..loihi.arithmetic import INT32, modulo24
from ..loihi.processes import Conv
from .fixed_bounds import EXACT64, HALF, conv_sum, format_of
from .tensors import TYPES, Tensor, constant, on_arrays, one_thread


@contextmanager
def quiet() -> Iterator[None]:
    """torch as a run wants it: without gradients, in one thread."""
    with torch.inference_mode(), one_thread():
        yield


def convolution(node: Conv, most: int, *, sees_all: bool) -> Callable[[Array], Array] | None:
    """The cross-correlation over a window, images pixel by pixel; 24 bits wrap where they can be left.

    Args:
        node: the process.
        most: a bound of what comes in.
        sees_all: whether it sees the values that come in; else only which are not 0.

    Returns:
        [W, B, *shape] → [W, B, *shape]; None if no float holds the sums.
    """
    total = conv_sum(node, most)
    if total >= EXACT64:
        return None
    dtype = format_of(total)
    lie = torch.channels_last if dtype == np.float32 else torch.contiguous_format
    weight = constant(node.weight, dtype).contiguous(memory_format=lie)

    def operation(x: Tensor) -> Tensor:
        images = (x if sees_all else x != 0).to(TYPES[dtype]).contiguous(memory_format=lie)
        y = torch.conv2d(images, weight, None, node.stride, node.padding, node.dilation, node.groups)
        return y if total < HALF else _wrapped24(y)

    run = on_arrays(operation)

    def window(x: Array) -> Array:
        y = run(x.reshape(-1, *x.shape[2:]))
        return y.reshape(*x.shape[:2], *y.shape[1:])

    return window


def multiplied(weight: Array) -> Callable[[Array], Array]:
    """x · W."""
    matrix = torch.from_numpy(weight)
    return on_arrays(lambda x: torch.matmul(x.to(matrix.dtype), matrix))


def _wrapped24(y: Tensor) -> Tensor:
    """y modulo 2²⁴; Lava's cast to 32 bits leaves 0 of what is larger."""
    kept = torch.where(y.abs() > INT32, 0, y).numpy()
    return torch.from_numpy(modulo24(kept.astype(np.int64)).astype(np.float32))

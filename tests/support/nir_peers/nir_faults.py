"""What is wrong in nir 1.0.8 and nirtorch 2.6 themselves, for every framework whose exporter goes through them."""

from __future__ import annotations

import warnings

import nir
import nirtorch
import numpy as np
import torch
from support.nir_peers.judging import Fault, Way
from torch import nn


def shape_of_conv() -> bool:
    """A kernel of 3 × 2 over 6 × 5 with stride (2, 1) and padding (1, 0) has 3 × 4 places; nir says otherwise."""
    ones = np.ones((1, 1, 3, 2), np.float32)
    conv = nir.Conv2d((6, 5), ones, (2, 1), (1, 0), (1, 1), 1, np.zeros(1, np.float32))
    return [int(size) for size in conv.output_type["output"]] != [1, 3, 4]


def conv_shapes(*spoils: tuple[str, Way]) -> Fault:
    """The fault, for a framework in which it spoils these cells."""
    return Fault(
        "nir-conv-shapes",
        "nir takes the shape behind a convolution that is not square for another one, and refuses what is right",
        shape_of_conv,
        frozenset(spoils),
        around="" if spoils else "shapes are worked out anew when a file is read",
    )


def sums_lost() -> bool:
    """The sum of two layers is exported without the edges to what comes behind it."""

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.left, self.right, self.out, self.last = (nn.Linear(1, 1) for _ in range(5))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.first(x)
            return self.last(self.out(self.left(x) + self.right(x)))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        edges = nirtorch.extract_nir_graph(Net(), lambda _: nir.Linear(np.ones((1, 1))), torch.zeros(1)).edges
    return ("first", "left") in edges and ("left", "out") not in edges


def sums(*spoils: tuple[str, Way]) -> Fault:
    """The fault, for a framework in which it spoils these cells."""
    return Fault(
        "nirtorch-sums-lost",
        "extract_nir_graph follows modules alone: the sum of two layers is lost with all edges through it",
        sums_lost,
        frozenset(spoils),
    )

"""Networks and inputs on which counters are set beside each other, and why they differ there.

Each reason is a number that follows from the network and the input alone, so that it can be wrong: the comparison adds
the reasons to our count and has to arrive at the peer's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from ..models.zoo import build
from .operations import OpCount, Ops
from .peers_networks import (
    Attention,
    Fourier,
    Product,
    Recurrent,
    SnnTorch,
    Video,
    one,
    spikes,
    spiking_jelly,
    strided,
    weighted,
)

NEUROBENCH, SPIKINGJELLY = "NeuroBench", "SpikingJelly"


@dataclass(frozen=True)
class Reason:
    """Why a peer's number is another one.

    Args:
        peer: whose.
        quantity: ACs or MACs; of SpikingJelly's ACs those that it calls SynOps.
        more: how many more than ours.
        why: in a sentence.
    """

    peer: str
    quantity: str
    more: int
    why: str


Why = Callable[[OpCount], Sequence[Reason]]


def _alike(_: OpCount) -> Sequence[Reason]:
    return ()


def _no_notes(_: OpCount) -> Sequence[str]:
    return ()


@dataclass(frozen=True)
class Case:
    """One network on one input.

    Args:
        name: what it is.
        carries: what the input carries: spikes, int[low,high] or graded.
        make: the module and its input, from random numbers that are the same every time.
        why: why the peers' numbers differ from ours.
        notes: what else our count holds.
    """

    name: str
    carries: str
    make: Callable[[], tuple[nn.Module, Any]]
    why: Why = _alike
    notes: Callable[[OpCount], Sequence[str]] = _no_notes

    def made(self) -> tuple[nn.Module, Any]:
        """The module in eval mode, and its input."""
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.manual_seed(3)
            module, inputs = self.make()
        return module.eval(), inputs


def _first(counts: OpCount) -> Ops:
    return next(iter(counts.layers.values())).ops


def _padding(counts: OpCount) -> Sequence[Reason]:
    pairs = _first(counts).macs
    return [Reason(SPIKINGJELLY, "MACs", pairs.padded - pairs.dense, "multiplies the padding too")]


def _zeros_multiplied(counts: OpCount) -> Sequence[Reason]:
    pairs = _first(counts).macs
    why = "real numbers are multiplied, the zeros among them"
    return [Reason(SPIKINGJELLY, "MACs", pairs.padded - pairs.effective, why)]


def _pooled(counts: OpCount) -> Sequence[Reason]:
    pools = sum(each.ops.acs.effective for each in counts.layers.values() if each.facts.role == "pool")
    graded = counts.total.macs
    return [
        Reason(NEUROBENCH, "ACs", -pools, "pools are not seen"),
        Reason(SPIKINGJELLY, "ACs", -pools, "no SynOps of a pool; its additions stand below"),
        Reason(SPIKINGJELLY, "MACs", graded.dense - graded.effective, "averages that are 0 are multiplied"),
        Reason(SPIKINGJELLY, "MACs", graded.padded - graded.dense, "so is the padding"),
    ]


def _taken_for_spikes(counts: OpCount) -> Sequence[Reason]:
    pairs, why = _first(counts).macs.effective, "what happens to be 0 or 1 is taken for spikes"
    signs = (("ACs", pairs), ("MACs", -pairs))
    return [Reason(peer, name, more, why) for peer in (NEUROBENCH, SPIKINGJELLY) for name, more in signs]


def _sums(counts: OpCount) -> Sequence[str]:
    pairs = _first(counts).integer_acs
    return [f"ours: {pairs.effective:,} pairs, which an accumulator does in Σ|n| = {pairs.spikes:,} additions"]


def _integers(counts: OpCount) -> Sequence[Reason]:
    pairs = _first(counts).integer_acs
    return [
        Reason(NEUROBENCH, "MACs", pairs.effective, "a 2 makes the whole tensor real; ours has them as integers"),
        Reason(SPIKINGJELLY, "MACs", pairs.padded, "a 2 makes it real, zeros and padding included"),
    ]


def _ternary(counts: OpCount) -> Sequence[Reason]:
    pairs = _first(counts).integer_acs
    return [
        Reason(NEUROBENCH, "ACs", pairs.effective, "-1, 0 and 1 are spikes there; ours has them as integers"),
        Reason(SPIKINGJELLY, "MACs", pairs.padded, "-1 makes it real, zeros included"),
    ]


def _weights_of_zero(counts: OpCount) -> Sequence[Reason]:
    pairs = _first(counts).acs
    why = "pairs whose weight is 0 are left out; ours has both, and these as `weighted`"
    return [Reason(NEUROBENCH, "ACs", pairs.weighted - pairs.effective, why)]


def _weights_of_one(counts: OpCount) -> Sequence[Reason]:
    pairs, why = _first(counts).macs, "weights that are all 1 are taken for spikes"
    return [
        Reason(SPIKINGJELLY, "MACs", -pairs.effective, why),
        Reason(SPIKINGJELLY, "ACs", pairs.dense, why),
    ]


def _outside_of_modules(counts: OpCount) -> Sequence[Reason]:
    return [Reason(NEUROBENCH, "ACs", -counts.total.acs.effective, "a product outside of a layer is not seen")]


def _weights_outside_of_modules(counts: OpCount) -> Sequence[Reason]:
    why = "weights of the cell itself, inputs and recurrence, are not in a layer of torch, and not seen"
    return [Reason(NEUROBENCH, "ACs", -counts.total.acs.effective, why)]


def _norms(counts: OpCount) -> Sequence[Reason]:
    why = "batch norm: a MAC for every value; ours has a multiplication and an addition"
    return [Reason(SPIKINGJELLY, "MACs", counts.total.multiplies, why)]


def _spectrum(counts: OpCount) -> Sequence[str]:
    found = counts.total
    return [f"FFT: {found.multiplies:,} multiplications and {found.adds:,} additions that neither of the peers counts"]


def _functions(counts: OpCount) -> Sequence[str]:
    return [f"{name}: of {values:,} values, which neither counts" for name, values in counts.total.functions.items()]


CASES = (
    Case("a linear layer on spikes", "spikes", lambda: (one(nn.Linear(20, 5)), spikes(2, 20))),
    Case("a convolution with stride 2 and padding 1 on spikes", "spikes", lambda: (strided(), spikes(2, 2, 7, 6))),
    Case("a linear layer on real numbers, none 0", "graded", lambda: (one(nn.Linear(20, 5)), torch.rand(2, 20) + 0.5)),
    Case(
        "the same convolution on real numbers, none 0",
        "graded",
        lambda: (strided(), torch.rand(2, 2, 7, 6) + 0.5),
        _padding,
    ),
    Case(
        "an average pool of spikes, then a convolution",
        "spikes",
        lambda: (nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(2, 3, 3, padding=1)), spikes(2, 2, 8, 8, rate=0.1)),
        _pooled,
    ),
    Case(
        "spikes of a half: 0 and 0.5", "graded", lambda: (one(nn.Linear(20, 5)), spikes(2, 20) / 2), _zeros_multiplied
    ),
    Case(
        "real numbers that are all 1", "graded", lambda: (one(nn.Linear(20, 5)), torch.ones(2, 20)), _taken_for_spikes
    ),
    Case(
        "real numbers that are all 0", "graded", lambda: (one(nn.Linear(20, 5)), torch.zeros(2, 20)), _taken_for_spikes
    ),
    Case(
        "small integers: a sum of two spike trains",
        "int[0,2]",
        lambda: (strided(), spikes(2, 2, 7, 6) + spikes(2, 2, 7, 6)),
        _integers,
        _sums,
    ),
    Case(
        "ternary: -1, 0 and 1",
        "int[-1,1]",
        lambda: (one(nn.Linear(20, 5)), torch.randint(-1, 2, (2, 20)).float()),
        _ternary,
    ),
    Case(
        "weights of which half are 0",
        "spikes",
        lambda: (weighted(nn.Linear(20, 6), lambda w: w * (torch.rand(w.shape) < 0.5)), spikes(2, 20)),
        _weights_of_zero,
    ),
    Case(
        "weights that are all 1, on real numbers",
        "graded",
        lambda: (weighted(nn.Linear(20, 5), torch.ones_like), torch.rand(2, 20) + 0.5),
        _weights_of_one,
    ),
    Case(
        "an einsum of two spike trains",
        "spikes",
        lambda: (Product(), (spikes(2, 3, 6), spikes(2, 4, 6))),
        _outside_of_modules,
    ),
    Case(
        "attention of spikes to spikes",
        "spikes",
        lambda: (Attention(), (spikes(2, 4, 6), spikes(2, 4, 6), spikes(2, 4, 6))),
        _outside_of_modules,
        _functions,
    ),
    Case("a linear layer behind an FFT", "graded", lambda: (Fourier(), torch.rand(2, 8) + 0.5), _alike, _spectrum),
    Case(
        "a recurrent layer of Norse, 6 steps",
        "spikes",
        lambda: (Recurrent(), spikes(6, 2, 6, rate=0.5)),
        _weights_outside_of_modules,
    ),
    Case("two layers of snnTorch, 6 steps", "spikes", lambda: (SnnTorch(), spikes(3, 6, 10))),
    Case(
        "event_convnet of our zoo, 2 steps: averages between spikes",
        "spikes",
        lambda: (build("event_convnet"), spikes(2, 1, 2, 32, 32, rate=0.1)),
        _pooled,
    ),
    Case(
        "a convolutional network of SpikingJelly, 4 steps",
        "spikes",
        lambda: (spiking_jelly(), spikes(4, 2, 2, 8, 8)),
        _norms,
    ),
)
"""From where all agree to where they do not; whole networks at the end."""

NETWORKS = 4
"""How many of them are networks of several layers and steps."""

VIDEO = Case("a network as papers count it", "graded", lambda: (Video(), torch.rand(2, 3, 16, 16)))
"""What the published conventions are shown on."""

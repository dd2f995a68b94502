"""Neurons: updates, comparisons, resets, and what they send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ...toolchain.graph import nodes as n
from ...toolchain.simulate.kinds import roll_of
from ..operations import Ops
from .layer import Added, Layer, Place, Seen, Witness

Array = npt.NDArray[Any]

COMPARING = (n.Firing, n.ResonateFire, n.Delta, n.SigmaDelta)
"""The kinds that compare their state with a threshold in every step."""


def neuron(place: Place) -> Layer:
    """Any kind of neuron: one update for each neuron and step, active where something other than 0 comes in."""
    node, several = place.node, len(place.received) > 1

    def count(seen: Seen) -> Ops:
        updates = seen.steps * place.sent.size
        return Ops(
            received=seen.received, events=seen.events, sent=updates, sent_events=seen.sent.events,
            updates={node.kind: updates}, active=seen.more["active"] if several else seen.events,
            comparisons=updates if isinstance(node, COMPARING) else 0,
            resets=seen.more.get("spikes", seen.sent.events) if _resets(node) else 0,
        )  # fmt: skip

    def witness(batch: int, dtype: np.dtype[Any]) -> Witness:
        return EitherWitness(batch) if several else SpikeWitness(node, place, batch, dtype)

    hidden = isinstance(node, n.Firing) and node.emit != "spikes" and _resets(node)
    return Layer(place.facts("neurons"), count, sends=True, witness=witness if several or hidden else None)


def _resets(node: Any) -> bool:
    """Whether a spike moves the state."""
    if isinstance(node, n.Firing):
        return node.reset != "none"
    return isinstance(node, n.ResonateFire) and node.spike == "izhikevich"


class SpikeWitness:
    """The spikes of a neuron that sends its voltage or charge: it runs once more, and sends them."""

    def __init__(self, node: n.Firing, place: Place, batch: int, dtype: np.dtype[Any]) -> None:
        """At its start.

        Args:
            node: the neuron.
            place: where it stands.
            batch: how many samples.
            dtype: what is computed in.
        """
        twin, self.dtype = replace(node, emit="spikes"), dtype
        self.state = twin.start(place.received[0].shape, batch, dtype)
        self.roll = roll_of(twin, place.received, dtype)
        self.added = Added(batch)

    def see(self, windows: Sequence[Array]) -> None:
        """Run a window."""
        spikes, _ = self.roll(self.state, [windows[0].astype(self.dtype, copy=False)], ())
        self.added.add("spikes", spikes.reshape(*spikes.shape[:2], -1).sum(-1, dtype=np.float64))

    def found(self) -> Mapping[str, Array]:
        """spikes."""
        return self.added.sums


class EitherWitness:
    """Neurons with two inputs: active where either is not 0."""

    def __init__(self, batch: int) -> None:
        """Nothing has come in.

        Args:
            batch: how many samples.
        """
        self.added = Added(batch)

    def see(self, windows: Sequence[Array]) -> None:
        """Count a window."""
        either = np.logical_or.reduce([window != 0 for window in windows])
        self.added.add("active", either.reshape(*either.shape[:2], -1).sum(-1))

    def found(self) -> Mapping[str, Array]:
        """active."""
        return self.added.sums

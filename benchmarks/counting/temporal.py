"""Witnesses of layers that mix time: what a value reaches depends on how many steps are still to come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ...toolchain.graph import Carries
from ...toolchain.graph.nodes import StateSpace
from .layer import Added

Array = npt.NDArray[Any]


class TapWitness:
    """y[o, t] = Σ_{k,i} W[k, o, i] · x[i, t − k]: in step t, the tap k meets what came in k steps ago.

    Kept are, for each of the last taps and each channel, the events of a step and the magnitudes of its whole numbers.
    """

    def __init__(self, weight: Array, carries: Carries, batch: int) -> None:
        """Nothing has come in.

        Args:
            weight: W, (taps, out, in).
            carries: what comes in.
            batch: how many samples.
        """
        self.alive = (weight != 0).sum(1).astype(np.int64)
        self.out, self.whole = weight.shape[1], not carries.graded
        self.past = np.zeros((weight.shape[0], 2, batch, weight.shape[2]), np.int64)
        self.added = Added(batch)

    def see(self, windows: Sequence[Array]) -> None:
        """Step by step: a step's channels move into the past, and every tap meets its own."""
        (window,) = windows
        flat = window.reshape(*window.shape[:3], -1)
        for events, size in zip((flat != 0).sum(-1), np.abs(flat).sum(-1, dtype=np.float64), strict=True):
            self.past = np.roll(self.past, 1, axis=0)
            self.past[0, 0], self.past[0, 1] = events, size if self.whole else 0
            self.added.add("effective", self.out * self.past[:, 0].sum((0, 2)))
            self.added.add("weighted", np.einsum("kbi,ki->b", self.past[:, 0], self.alive))
            self.added.add("spikes", self.out * self.past[:, 1].sum((0, 2)))

    def found(self) -> Mapping[str, Array]:
        """effective, weighted, spikes."""
        return self.added.sums


class StateWitness:
    """h[t] = A·h[t−1] + B·x[t];  y[t] = Re Σ C·h[t] + D·x[t]: the state is run once more, and looked at."""

    def __init__(self, node: StateSpace, shape: tuple[int, ...], batch: int, dtype: np.dtype[Any]) -> None:
        """At its start.

        Args:
            node: the layer.
            shape: what it receives.
            batch: how many samples.
            dtype: what is computed in.
        """
        self.node, self.state = node, node.start(shape, batch, dtype)
        sides = (len(node.decay), *([1] * (len(shape) - 1)), node.decay.shape[1])
        self.alive = {name: (getattr(node, name) != 0).reshape(sides) for name in ("decay", "inward", "outward")}
        self.added = Added(batch)

    def see(self, windows: Sequence[Array]) -> None:
        """One step of the definition after the other."""
        for x in windows[0]:
            before, events = self.state["h"] != 0, (x != 0)[..., None]
            _, self.state = self.node.step(self.state, x)
            after = self.state["h"] != 0
            wide = events & np.ones_like(after)
            self._add("read", wide, wide & self.alive["inward"])
            self._add("held", before, before & self.alive["decay"])
            self._add("held", after, after & self.alive["outward"])
            if self.node.through is not None:
                through = (self.node.through != 0).reshape(-1, *([1] * (x.ndim - 2)), 1)
                self._add("read", events, events & through)

    def _add(self, name: str, effective: Array, weighted: Array) -> None:
        for key, each in ((name, effective), (f"{name}_weighted", weighted)):
            self.added.add(key, each.sum(tuple(range(1, each.ndim))))

    def found(self) -> Mapping[str, Array]:
        """read, held, and each of them by a weight that is not 0."""
        return self.added.sums

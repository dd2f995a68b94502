"""Fold BatchNorm and Scale, both y = s · x + c, into the layer before, or into the layer or neuron after.

    before:  s · (W x + b) + c = (s · W) x + (s · b + c),      s = γ / √(σ² + ε),  c = b − μ · s
    after:   W (s · x + c) + b = (W · s) x + (W c + b)         where no zero padding lies between
    neuron:  g · (s · x + c) + b = (g · s) · x + (g · c + b)   gain and bias

On its way to the layer it passes nodes that only move values (Flatten, Reshape, Permute), and Pad, Delay, pools, Mean
and Sum where they allow it. Computed in float64, stored in the layer's own type; so spikes may differ where a
potential comes within rounding of its threshold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from .base import Change, NodePass, Refusal, Stays
from .draft import Draft
from .neighbours import taken_after, taken_before
from .rescale import rescale_of


@dataclass(frozen=True)
class FoldBatchnorm(NodePass):
    """Fold BatchNorm and Scale into a neighbour; the layer before is asked first.

    Args:
        dtype: the type that folded weights are stored in; the layer's own by default.
    """

    dtype: Literal["float32", "float64"] | None = None

    name: ClassVar[str] = "fold_batchnorm"
    exact: ClassVar[bool] = False

    def at(self, draft: Draft, name: str) -> Change | Refusal | None:
        """Look for the layer before, then for the one after."""
        r = rescale_of(draft.nodes[name], len(draft.signals[name].shape))
        if r is None:
            return None
        found = taken_before(draft, name, r, self.dtype)
        reasons = []
        if isinstance(found, Stays):
            reasons.append(found.why)
            found = taken_after(draft, name, r, self.dtype)
        if isinstance(found, Stays):
            return Refusal(name, "; ".join(dict.fromkeys([*reasons, found.why])))
        words = found.put(draft)
        draft.bypass(name)
        return Change((name, found.layer), f"folded {name} into {found.layer}{words}")

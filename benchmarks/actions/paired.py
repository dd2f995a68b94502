"""How much better one network is than another, seed by seed and clip by clip, and how sure that is.

    d[s, c] = 1 if the one is right with seed s on clip c, minus the same of the other;   d̄ = Σ d[s, c] / (S·C)

    of seeds   M_s = C · Σ_s (d̄[s] − d̄)² / (S − 1)
    of clips   M_c = S · Σ_c (d̄[c] − d̄)² / (C − 1)
    the rest   M_r = Σ (d[s, c] − d̄[s] − d̄[c] + d̄)² / ((S − 1)·(C − 1))
    error²   = (max(M_s, M_r) + max(M_c, M_r) − M_r) / (S·C)

The error is the standard error of d̄: how far it would scatter if seeds and clips were drawn anew. It is the analysis
of variance of two random factors that cross, one value in each cell; a component below 0 counts as 0. With one seed
nothing is known about seeds, and error² = M_c / C says what other clips alone would change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Difference:
    """A difference of two shares.

    Args:
        mean: d̄.
        error: its standard error; None of a single clip.
    """

    mean: float
    error: float | None


def difference(one: Array, other: Array) -> Difference:
    """The difference of two networks, whether each is right [S, C], with the same seeds on the same clips."""
    d = one.astype(float) - other
    seeds, clips = d.shape
    mean, by_seed, by_clip = d.mean(), d.mean(1), d.mean(0)
    if clips < 2:
        return Difference(float(mean), None)
    of_clips = seeds * np.square(by_clip - mean).sum() / (clips - 1)
    if seeds < 2:
        return Difference(float(mean), float(np.sqrt(of_clips / clips)))
    of_seeds = clips * np.square(by_seed - mean).sum() / (seeds - 1)
    rest = np.square(d - by_seed[:, None] - by_clip + mean).sum() / ((seeds - 1) * (clips - 1))
    square = (max(of_seeds, rest) + max(of_clips, rest) - rest) / d.size
    return Difference(float(mean), float(np.sqrt(square)))

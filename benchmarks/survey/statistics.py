"""Statistics over samples: how much one sample costs, how much samples differ, and how well the mean is known.

    mean = Σ x / n        sd = √(Σ (x − mean)² / (n − 1))
    low, high = mean ∓ t · sd / √n        t: the 97.5 % point of Student's distribution with n − 1 degrees of freedom

The interval is that of the mean, 95 % of such intervals hold it; single samples spread as `sd`, `least` and `most` say.
Of one sample nothing is known about the spread: sd is 0 then and the interval has no width, and `samples` says why.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from ...toolchain.errors import UsageError
from ...toolchain.graph.nodes.base import Array
from ..findings import Statistics

SERIES = 2000
"""Up to so many degrees of freedom the distribution is summed; beyond, its expansion is exact to the last digits."""
NORMAL = 1.959963984540054
"""The 97.5 % point of the normal distribution."""
COVERED = 0.95


def statistics(values: Array) -> Statistics:
    """Mean, spread and confidence of at least one number."""
    count = len(values)
    if count == 0:
        raise UsageError("statistics", "no samples", "at least one")
    numbers = np.asarray(values, np.float64)
    # Equal numbers have no spread; the rounding of their mean must not make one.
    mean = float(numbers[0]) if (numbers == numbers[0]).all() else math.fsum(numbers) / count
    sd = math.dist(numbers.tolist(), [mean] * count) / math.sqrt(count - 1) if count > 1 else 0.0
    wide = student(count - 1) * sd / math.sqrt(count) if count > 1 else 0.0
    return Statistics(count, mean, sd, mean - wide, mean + wide, float(numbers.min()), float(numbers.max()))


def by_class(values: Array, labels: Array | None, names: Sequence[str]) -> Mapping[str, Statistics]:
    """The same for the samples of each class, in the order of the classes; nothing where there are no labels."""
    if labels is None:
        return {}
    present = np.unique(labels).tolist()
    return {names[label]: statistics(values[labels == label]) for label in present}


@lru_cache(maxsize=1024)
def student(freedom: int) -> float:
    """t with P(|T| ≤ t) = 0.95 for Student's distribution with a whole number of degrees of freedom."""
    if freedom > SERIES:
        return _expanded(freedom)
    low, high = NORMAL, 13.0
    for _ in range(60):  # halves the interval down to the last digit
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < COVERED else (low, middle)
    return (low + high) / 2


def _within(t: float, freedom: int) -> float:
    """P(|T| ≤ t), the finite series for a whole number of degrees of freedom.

    θ = atan(t / √ν)
    ν odd:   2/π · (θ + sin θ · (cos θ + 2/3 cos³ θ + 2·4/(3·5) cos⁵ θ + … + … cos^(ν−2) θ))
    ν even:  sin θ · (1 + 1/2 cos² θ + 1·3/(2·4) cos⁴ θ + … + … cos^(ν−2) θ)
    """
    theta = math.atan(t / math.sqrt(freedom))
    sine, cosine = math.sin(theta), math.cos(theta)
    odd = freedom % 2
    term, sum_ = (cosine if odd else 1.0), 0.0
    for power in range(odd, freedom - 1, 2):
        sum_ += term
        term *= cosine * cosine * (power + 1) / (power + 2)
    return 2 / math.pi * (theta + sine * sum_) if odd else sine * sum_


def _expanded(freedom: int) -> float:
    """t for many degrees of freedom: z + (z³ + z)/4ν + (5z⁵ + 16z³ + 3z)/96ν² + (3z⁷ + 19z⁵ + 17z³ − 15z)/384ν³."""
    z, n = NORMAL, freedom
    first = (z**3 + z) / (4 * n)
    second = (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * n**3)
    return z + first + second + third

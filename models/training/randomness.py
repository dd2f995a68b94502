"""The random numbers of torch, numpy and Python: drawn from one seed while training, kept as tensors, put back."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """All random numbers come from the seed for a while; afterwards they go on where they were."""
    before = states()
    torch.manual_seed(seed)
    np.random.seed(seed % (1 << 32))  # noqa: NPY002 - what others may draw from
    random.seed(seed)
    try:
        yield
    finally:
        restore(before)


def states() -> dict[str, Tensor]:
    """The state of every source of random numbers of this process."""
    _, keys, place, left, normal = cast("Any", np.random.get_state(legacy=True))  # noqa: NPY002
    _, own, gauss = random.getstate()
    found = {
        "torch": torch.get_rng_state(),
        "numpy": torch.tensor([*keys.tolist(), int(place), int(left), _bits(float(normal))]),
        "python": torch.tensor([*own, int(gauss is not None), _bits(gauss or 0.0)]),
    }
    if torch.cuda.is_available():
        found["cuda"] = torch.cuda.get_rng_state()
    return found


def restore(kept: Mapping[str, Tensor]) -> None:
    """Puts such states back."""
    torch.set_rng_state(kept["torch"])
    *keys, place, left, normal = kept["numpy"].tolist()
    state = ("MT19937", np.asarray(keys, np.uint32), place, left, _number(normal))
    np.random.set_state(state)  # noqa: NPY002
    *own, has, gauss = kept["python"].tolist()
    random.setstate((3, tuple(own), _number(gauss) if has else None))
    if "cuda" in kept and torch.cuda.is_available():
        torch.cuda.set_rng_state(kept["cuda"])


def _bits(value: float) -> int:
    return int(np.float64(value).view(np.int64))


def _number(bits: int) -> float:
    return float(np.int64(bits).view(np.float64))

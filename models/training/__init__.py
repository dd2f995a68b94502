"""Training of the zoo's networks; names are loaded on their first use: the command line starts without torch."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .judging import Judgement, evaluate, judge
    from .results import Epoch, Trained
    from .splits import Splits, made_splits, splits_of
    from .training import largest_weight, train

_WHERE: Mapping[str, str] = {
    "Epoch": ".results",
    "Judgement": ".judging",
    "Splits": ".splits",
    "Trained": ".results",
    "evaluate": ".judging",
    "judge": ".judging",
    "largest_weight": ".training",
    "made_splits": ".splits",
    "splits_of": ".splits",
    "train": ".training",
}

__all__ = [
    "Epoch",
    "Judgement",
    "Splits",
    "Trained",
    "evaluate",
    "judge",
    "largest_weight",
    "made_splits",
    "splits_of",
    "train",
]


def __getattr__(name: str) -> object:
    if name not in _WHERE:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    value: object = getattr(import_module(_WHERE[name], __name__), name)
    globals()[name] = value
    return value

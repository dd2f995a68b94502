"""Every pass by name, and the pipelines that are ready to use."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ..errors import UsageError
from .base import Pass
from .pipeline import Pipeline

PASSES: Mapping[str, str] = {
    "inline_subgraphs": "inline_subgraphs:InlineSubgraphs",
    "drop_dead_nodes": "drop_dead_nodes:DropDeadNodes",
    "drop_identities": "drop_identities:DropIdentities",
    "fold_batchnorm": "fold_batchnorm:FoldBatchnorm",
    "merge_linear": "merge_linear:MergeLinear",
    "lower_pooling": "lower_pooling:LowerPooling",
    "lower_contract": "lower_contract:LowerContract",
    "lower_convtranspose": "lower_convtranspose:LowerConvtranspose",
    "canonicalise": "canonicalise:Canonicalise",
}
"""Name -> "module:class" in this folder; a module is imported when its pass is asked for."""

PIPELINES: Mapping[str, tuple[str, ...]] = {
    "simplify": (
        "inline_subgraphs",
        "drop_dead_nodes",
        "drop_identities",
        "fold_batchnorm",
        "merge_linear",
        "canonicalise",
    ),
    "lower": (
        "inline_subgraphs",
        "lower_pooling",
        "lower_contract",
        "lower_convtranspose",
        "drop_identities",
        "canonicalise",
    ),
}
"""Pipelines by name: simplify makes a network smaller, lower leaves layers that every target knows."""


def make(name: str, **options: Any) -> Pass:
    """The pass of that name with these options; a UsageError for a name or an option there is not."""
    if name not in PASSES:
        raise UsageError("pass", f"'{name}'", " or ".join(PASSES))
    module, _, kind = PASSES[name].partition(":")
    found: type[Pass] = getattr(importlib.import_module(f".{module}", __package__), kind)
    known = [each.name for each in fields(found)]
    unknown = [option for option in options if option not in known]
    if unknown:
        raise UsageError(name, f"the option '{unknown[0]}'", " or ".join(known) or "no options")
    return found(**options)


def pipeline(*names: str) -> Pipeline:
    """Passes and ready pipelines by name, one after another."""
    each = (PIPELINES.get(name, (name,)) for name in names)
    return Pipeline(tuple(make(name) for part in each for name in part))

"""Passes: graphs in, graphs with the same function out, and an account of what was done and what was refused."""

from __future__ import annotations

from .base import Change, Pass, PassResult, Refusal
from .pipeline import Pipeline, PipelineResult, Step
from .tables import PASSES, PIPELINES, make, pipeline

__all__ = [
    "PASSES",
    "PIPELINES",
    "Change",
    "Pass",
    "PassResult",
    "Pipeline",
    "PipelineResult",
    "Refusal",
    "Step",
    "make",
    "pipeline",
]

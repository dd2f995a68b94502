"""Trained networks of ReLUs turned into networks of spikes."""

from __future__ import annotations

from .convert import BUDGETS, Spiking, spiking
from .report import SpikingReport

__all__ = ["BUDGETS", "Spiking", "SpikingReport", "spiking"]

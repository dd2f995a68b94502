"""Published ways to count operations, by name."""

from .table import CONVENTIONS, Convention, Figure, Tally, figures

__all__ = ["CONVENTIONS", "Convention", "Figure", "Tally", "figures"]

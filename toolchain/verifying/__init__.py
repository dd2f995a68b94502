"""Are two networks the same? One input through both, what every node sends compared, and the first difference shown."""

from .sides import OnLava
from .verdict import Difference, NodeVerdict, Verdict
from .verify import verify

__all__ = ["Difference", "NodeVerdict", "OnLava", "Verdict", "verify"]

"""Are two networks the same? One input through both, what every node sends compared, and the first difference shown."""

from .golden import Golden, Recorded, recorded
from .sides import InSingle, OnLava, OnRuntime
from .verdict import Difference, NodeVerdict, Verdict
from .verify import verify

__all__ = [
    "Difference",
    "Golden",
    "InSingle",
    "NodeVerdict",
    "OnLava",
    "OnRuntime",
    "Recorded",
    "Verdict",
    "recorded",
    "verify",
]

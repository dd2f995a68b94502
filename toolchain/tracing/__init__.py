"""From torch modules to graphs."""

from .calls import all_steps
from .run import TracingRefused
from .trace import trace

__all__ = ["TracingRefused", "all_steps", "trace"]

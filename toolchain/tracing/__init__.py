"""From torch modules to graphs."""

from .trace import TracingRefused, trace

__all__ = ["TracingRefused", "trace"]

"""Running a network: one function, and the trace of what ran. Backends, and torch with them, are loaded when used."""

from .run import BACKENDS, simulate
from .trace import Count, NodeTrace, RunState, Trace

__all__ = ["BACKENDS", "Count", "NodeTrace", "RunState", "Trace", "simulate"]

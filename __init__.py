"""Spikeport takes networks trained in PyTorch to neuromorphic chips and proves that they are still the same networks.

The names below are loaded on first use, so that `import spikeport` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .benchmarks.counting.count import count
    from .benchmarks.rules import bill as energy
    from .sources import load, save
    from .toolchain.errors import FileError, GraphError, Refused, SimulationError, SpikeportError, UsageError
    from .toolchain.graph import Graph, GraphBuilder
    from .toolchain.loihi.chip_graph import ChipGraph
    from .toolchain.loihi.quantise import quantise
    from .toolchain.passes import pipeline
    from .toolchain.simulate import Trace, simulate
    from .toolchain.spiking import spiking
    from .toolchain.tracing import trace
    from .toolchain.verifying import OnLava, verify

__version__ = "0.1.0"

#: Each public name and the module it comes from, with the name it has there where that is another; the imports above
#: say the same to editors and type checkers.
_WHERE = {
    "ChipGraph": ".toolchain.loihi.chip_graph",
    "FileError": ".toolchain.errors",
    "Graph": ".toolchain.graph",
    "GraphBuilder": ".toolchain.graph",
    "GraphError": ".toolchain.errors",
    "OnLava": ".toolchain.verifying",
    "Refused": ".toolchain.errors",
    "SimulationError": ".toolchain.errors",
    "SpikeportError": ".toolchain.errors",
    "Trace": ".toolchain.simulate",
    "UsageError": ".toolchain.errors",
    "count": ".benchmarks.counting.count",
    "energy": ".benchmarks.rules:bill",
    "load": ".sources",
    "pipeline": ".toolchain.passes",
    "quantise": ".toolchain.loihi.quantise",
    "save": ".sources",
    "simulate": ".toolchain.simulate",
    "spiking": ".toolchain.spiking",
    "trace": ".toolchain.tracing",
    "verify": ".toolchain.verifying",
}

__all__ = [
    "ChipGraph",
    "FileError",
    "Graph",
    "GraphBuilder",
    "GraphError",
    "OnLava",
    "Refused",
    "SimulationError",
    "SpikeportError",
    "Trace",
    "UsageError",
    "__version__",
    "count",
    "energy",
    "load",
    "pipeline",
    "quantise",
    "save",
    "simulate",
    "spiking",
    "trace",
    "verify",
]


def __getattr__(name: str) -> object:
    if name not in _WHERE:
        raise AttributeError(f"module 'spikeport' has no attribute '{name}'")
    module, _, called = _WHERE[name].partition(":")
    value: object = getattr(import_module(module, __name__), called or name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""`spikeport demo`: the main job end to end, for networks of the zoo, on data it makes itself.

Those that a chip takes whole, with random weights; then the trained one that comes along (`demo_actions.py`).

checkpoint ─► trace ─► passes ─► file ─► reference simulation ═ PyTorch, spike by spike
                                   ├─► NIR ═ graph, ONNX ═ ONNX Runtime
                                   ├─► Loihi's integers ─► netx file ═ chip graph ═ Lava, where it is there
                                   └─► operations ─► energy under several rules, beside its ANN twin ─► report
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import torch
from rich.console import Group, RenderableType
from rich.text import Text

from ..models.checkpoints import Checkpoint, save_checkpoint
from ..models.sources import Network, network_of
from ..models.zoo import SPIKING, build, config_of
from ..toolchain.console import Result, working
from ..toolchain.errors import FileError
from ..toolchain.graph import Graph
from ..toolchain.graph.store import load, save
from ..toolchain.passes import PipelineResult, pipeline
from ..toolchain.simulate import simulate
from ..toolchain.tables import by, count, number, table
from ..toolchain.tracing import trace
from ..toolchain.writing import written_whole
from .demo_actions import acted
from .demo_chip import OnChip, to_chip
from .demo_data import made_for
from .demo_energy import Costs, costs
from .demo_exchange import Exchanged, to_others
from .sameness import Layer, compared

STEPS, BATCH = 48, 4


@dataclass(frozen=True)
class Shown:
    """What the demo did with one network.

    Args:
        name: the network.
        files: what was written.
        passes: what each pass did.
        nodes: how many nodes the graph had before the passes, and has after them.
        layers: every layer that spikes or answers, compared with PyTorch.
        seconds: how long each part took.
        chip: what became of it on the way to a chip.
        others: what became of it in the formats of others.
        costs: what it costs.
    """

    name: str
    files: dict[str, str]
    passes: tuple[str, ...]
    nodes: tuple[int, int]
    layers: tuple[Layer, ...]
    seconds: dict[str, float]
    chip: OnChip
    others: Exchanged
    costs: Costs

    @property
    def same(self) -> bool:
        """Whether every layer did what PyTorch did, in every step, and every file is proved."""
        return all(layer.same for layer in self.layers) and not self.chip.failed + self.others.failed


def demonstrate(folder: Path) -> Result:
    """Shows the spiking networks that a chip takes whole, and the trained one; good when all of them stay the same."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(str(folder), f"cannot be a folder: {error.strerror}", fix="choose another for -o") from error
    parts = [_shown(name, folder) for name in SPIKING]
    actions = acted(folder)
    same = actions.same and all(part.same for part in parts)
    data = {"networks": [_data(part) for part in parts], "trained": actions.data(), "same": same}
    verdict = (
        "Every graph is its PyTorch network, spike by spike; every file for the chip is its chip graph, value by value."
    )
    last = Text(
        verdict if same else "Not the same network any more: see above.", style="bold green" if same else "bold red"
    )
    return Result(data, Group(*(_view(part) for part in parts), actions.view(), last), good=same)


def _shown(name: str, folder: Path) -> Shown:
    seconds: dict[str, float] = {}
    files = {what: folder / f"{name}.{suffix}" for what, suffix in SUFFIXES.items()}
    with _timed(seconds, "checkpoint", name):
        config = config_of(name)
        save_checkpoint(files["checkpoint"], build(name, config), Checkpoint(name, config))
        network = network_of(str(files["checkpoint"]))
    with _timed(seconds, "data", name):
        (kind,) = network.takes.values()
        inputs = made_for(kind.shape, STEPS, BATCH, seed=0)
        with written_whole(files["data"]) as draft:
            np.save(draft, inputs)
    with _timed(seconds, "trace", name):
        graph = trace(
            network.module, torch.from_numpy(inputs[:4]).float(), time_axis=0, carries=network.carries, name=name
        )
    with _timed(seconds, "passes", name):
        done = pipeline("simplify")(graph)
    with _timed(seconds, "file", name):
        save(done.graph, files["graph"])
        read = load(files["graph"])
    layers = _compared(network, read, inputs, seconds)
    sizes = (len(graph.nodes), len(done.graph.nodes))
    written = {what: str(path) for what, path in files.items()}
    chip = to_chip(read, files["data"], folder / f"{name}.net")
    others = to_others(read, files["data"], folder)
    with working(f"{name}: energy"):
        spent = costs(read, files["data"], folder / f"{name}-energy")
    return Shown(name, written, _did(done), sizes, layers, seconds, chip, others, spent)


SUFFIXES = {"checkpoint": "safetensors", "data": "npy", "graph": "graph"}


def _compared(network: Network, graph: Graph, inputs: np.ndarray, seconds: dict[str, float]) -> tuple[Layer, ...]:
    with _timed(seconds, "simulation", network.name):
        found = simulate(graph, inputs, record="spikes", dtype="float64")
    with _timed(seconds, "PyTorch", network.name):
        return compared(network.module.double(), torch.from_numpy(inputs).double(), graph, found)


def _did(done: PipelineResult) -> tuple[str, ...]:
    return tuple(change.text() for change in done.changes)


@contextmanager
def _timed(seconds: dict[str, float], what: str, name: str) -> Iterator[None]:
    start = time.perf_counter()
    with working(f"{name}: {what}"):
        yield
    seconds[what] = time.perf_counter() - start


def _data(part: Shown) -> dict[str, object]:
    layers = [{**asdict(layer), "same": layer.same} for layer in part.layers]
    plain = {field.name: getattr(part, field.name) for field in fields(part)}
    parts = {"chip": part.chip.data(), "others": part.others.data(), "costs": part.costs.data()}
    return {**plain, "layers": layers, **parts, "same": part.same}


def _view(part: Shown) -> RenderableType:
    took = " · ".join(f"{what} {spent:.2f} s" for what, spent in part.seconds.items())
    rows = [
        (layer.name, layer.kind, by(layer.shape), count(layer.spikes), number(layer.rate, 3), layer.verdict)
        for layer in part.layers
    ]
    made = table(("layer", "kind", "shape", ">spikes", ">rate", "beside PyTorch"), rows)
    passes = [f"  - {line}" for line in part.passes] or ["  - nothing to do"]
    lines = [*(f"  {path}" for path in part.files.values()), f"  {took}", "  passes", *map("  {}".format, passes)]
    views = (part.chip.view(), part.others.view(), part.costs.view())
    return Group(Text(part.name, style="bold"), Text("\n".join(lines)), Text(), made, Text(), *views)

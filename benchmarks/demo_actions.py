"""The trained part of the demo: actions by events and skeletons, with the checkpoint that comes along.

checkpoint ─► clips that no training has seen ─► answers
     └─► trace ─► passes ─► file, with Host nodes ═ PyTorch, spike by spike ─► parts in spikes · energy
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from rich.console import Group, RenderableType
from rich.text import Text
from torch import Tensor

from ..models import zoo
from ..models.checkpoints import load_checkpoint
from ..models.data.clips import Clips, save_clips
from ..models.data.made import make_clips
from ..models.readouts import READOUTS
from ..models.sources import Network
from ..models.trained import trained_checkpoint
from ..toolchain.console import working
from ..toolchain.graph import Graph
from ..toolchain.graph.nodes import Host
from ..toolchain.graph.store import load, save
from ..toolchain.passes import pipeline
from ..toolchain.simulate import simulate
from ..toolchain.simulate.tensors import one_thread
from ..toolchain.tables import table
from ..toolchain.tracing import trace
from ..toolchain.writing import write_whole
from .compared import Subject, counted
from .estimate import findings_of
from .estimate_bills import tariffs
from .report.text import energy
from .sameness import Layer, compared
from .shares import Shares, shares_of
from .survey.sources import DataSpec

NAME, DATA, TARGET = "spiking_fusion", "actions", "nir"
RULES = ("paper", "strict")
SEED = 2026
"""Of clips that no training has drawn."""
CLIPS, SHOWN, COMPARED, COUNTED, SHARED = 80, 8, 2, 8, 1
"""How many clips are judged, shown, compared with PyTorch, billed, and shared out among parts."""
SUFFIXES = {"checkpoint": "safetensors", "graph": "graph"}


@dataclass(frozen=True)
class Acted:
    """What the trained network did.

    Args:
        training: the command that made its weights.
        files: what was written.
        clips: what it was shown.
        answers: the class that it gave to each.
        graph: the network as it was read from its file.
        layers: every layer that spikes or answers, compared with PyTorch.
        shares: its work by part.
        bills: picojoules of a clip, by rule.
        seconds: how long it took.
    """

    training: str
    files: Mapping[str, Path]
    clips: Clips
    answers: tuple[int, ...]
    graph: Graph
    layers: tuple[Layer, ...]
    shares: Shares
    bills: Mapping[str, float]
    seconds: float

    @property
    def right(self) -> int:
        """Clips whose class it found."""
        return sum(self._pairs(right=True).values())

    @property
    def same(self) -> bool:
        """Whether every layer did what PyTorch did, in every step."""
        return all(layer.same for layer in self.layers)

    @property
    def host(self) -> int:
        """Nodes that no chip has."""
        return sum(isinstance(node, Host) for node in self.graph.nodes.values())

    def _pairs(self, *, right: bool) -> Counter[tuple[str, str]]:
        """How often which action was taken for which, of those it was right or wrong about."""
        names = self.clips.class_names
        both = zip(self.clips.labels.tolist(), self.answers, strict=True)
        return Counter((names[label], names[answer]) for label, answer in both if (label == answer) is right)

    def data(self) -> dict[str, object]:
        """The same for programs."""
        return {
            "name": NAME,
            "training": self.training,
            "files": {what: str(path) for what, path in self.files.items()},
            "clips": len(self.clips),
            "right": self.right,
            "wrong": [
                {"action": action, "answer": answer, "clips": clips}
                for (action, answer), clips in self._pairs(right=False).most_common()
            ],
            "nodes": len(self.graph.nodes),
            "host_nodes": self.host,
            "layers": [{**vars(layer), "same": layer.same} for layer in self.layers],
            "same": self.same,
            "parts": {"target": TARGET, "taken": self.shares.taken.data(), "whole": self.shares.whole.data()},
            "pj": dict(self.bills),
            "seconds": self.seconds,
        }

    def view(self) -> RenderableType:
        """The same for people."""
        names, labels = self.clips.class_names, self.clips.labels
        first = zip(labels[:SHOWN].tolist(), self.answers, strict=False)
        rows = [(names[label], names[answer], "✓" if label == answer else "✗") for label, answer in first]
        found = table((f"of {NAME}, trained", "found"), self._found())
        files = Text("\n".join([*(f"  {path}" for path in self.files.values()), f"  {self.seconds:.2f} s"]))
        return Group(
            Text(f"{NAME}, trained", style="bold"), files, Text(), table(("action", "answer", ""), rows), Text(),
            found, Text(),
        )  # fmt: skip

    def _found(self) -> list[tuple[str, str]]:
        """What was found out, line by line."""
        often = self._pairs(right=False).most_common()
        wrong = [f"{action} for {answer}" + f" ({clips}×)" * (clips > 1) for (action, answer), clips in often]
        spiking = [layer for layer in self.layers if layer.rate is not None]
        values = sum(layer.compared for layer in self.layers)
        differ = [layer.name for layer in self.layers if not layer.same]
        beside = f"same: {len(spiking)} layers of neurons and the answer, {values:,} values of {COMPARED} clips"
        taken, whole = self.shares.taken, self.shares.whole
        return [
            ("trained by", self.training),
            ("unseen clips", f"{self.right} of {len(self.clips)} right, of {len(self.clips.class_names)} actions"),
            *([("taken wrongly", "; ".join(wrong))] if wrong else []),
            ("graph", f"{len(self.graph.nodes)} nodes, {self.host} of them for a host beside the chip"),
            ("beside PyTorch", beside if self.same else f"NOT the same: {', '.join(differ)}"),
            ("in NIR parts", f"{taken.dense / whole.dense:.0%} of its {whole.dense / 1e6:.1f} million pairs per clip"),
            *((f"energy, {rule}", f"{energy(pj)} per clip") for rule, pj in self.bills.items()),
        ]


@one_thread()
def acted(folder: Path) -> Acted:
    """Shows the trained network clips that no training has seen, and takes it to a file."""
    start = time.perf_counter()
    files = {what: folder / f"{NAME}.{suffix}" for what, suffix in SUFFIXES.items()}
    files["clips"] = folder / f"{DATA}.npz"
    write_whole(files["checkpoint"], trained_checkpoint(NAME).read_bytes())
    module, about = load_checkpoint(files["checkpoint"])
    network = Network(about.model, module, about.config.takes, host=True)
    with working(f"{NAME}: clips"):
        clips = make_clips(DATA, "test", CLIPS, SEED)
        save_clips(files["clips"], clips)
    streams = {name: torch.from_numpy(clips.streams[name]).float() for name in network.takes}
    with working(f"{NAME}: answers"):
        answers = _answers(network, streams)
    with working(f"{NAME}: graph"):
        graph = _filed(network, streams, files["graph"])
    with working(f"{NAME}: PyTorch"):
        layers = _beside(network, graph, _first(streams, COMPARED))
    with working(f"{NAME}: parts"):
        few = {name: each.double().numpy() for name, each in _first(streams, SHARED).items()}
        shares = shares_of(graph, few, TARGET)
    with working(f"{NAME}: energy"):
        bills = _bills(graph, files["clips"])
    spent = time.perf_counter() - start
    return Acted(str(about.training["command"]), files, clips, answers, graph, layers, shares, bills, spent)


def _first(streams: Mapping[str, Tensor], clips: int) -> dict[str, Tensor]:
    return {name: each[:, :clips] for name, each in streams.items()}


def _answers(network: Network, streams: Mapping[str, Tensor]) -> tuple[int, ...]:
    with torch.no_grad():
        logits = READOUTS[zoo.entry(network.name).readout](network.module(*streams.values()))
    return tuple(logits.argmax(1).tolist())


def _filed(network: Network, streams: Mapping[str, Tensor], file: Path) -> Graph:
    """The network as a graph, simplified, as it is read from its file."""
    example = network.example({name: each[:4] for name, each in _first(streams, 2).items()})
    graph = trace(network.module, example, time_axis=0, carries=network.carries, host=True, name=NAME)
    save(pipeline("simplify")(graph).graph, file)
    return load(file)


def _beside(network: Network, graph: Graph, streams: Mapping[str, Tensor]) -> tuple[Layer, ...]:
    """Every layer of the graph beside the module, both in float64."""
    wide = {name: each.double() for name, each in streams.items()}
    found = simulate(graph, {name: each.numpy() for name, each in wide.items()}, record="spikes", dtype="float64")
    return compared(network.module.double(), wide, graph, found)


def _bills(graph: Graph, file: Path) -> dict[str, float]:
    signals = {name: graph.signals[name] for name in graph.inputs}
    here = counted(Subject(graph.name, graph, signals), DataSpec(str(file), samples=COUNTED))
    (network,) = findings_of(file.name, (here,), tariffs(RULES, ())).networks
    return {each.energy.rule: each.energy.pj for each in network.billed}

"""`spikeport bench store`: saving and loading our file beside torch's and safetensors' own, with the same weights.

Ours does more: saving works out the hash of every array and waits until the disk has the bytes; loading checks every
hash, every value for NaN and infinity, and every node against its inputs. The peers copy bytes.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import safetensors.numpy
import torch

from ...toolchain.graph import Graph, chain
from ...toolchain.graph.nodes import LIF, Affine, Array, Input, Output
from ...toolchain.graph.store import load, save
from ...toolchain.graph.text import arrays_of
from .pairs import Work, measure, seconds

Row = dict[str, Any]
Weights = Mapping[str, Array]


@dataclass(frozen=True)
class Peer:
    """Another way to keep weights in a file.

    Args:
        own: the weights as it holds them, not timed.
        save: writes them.
        load: hands them back.
    """

    own: Callable[[Weights], Any]
    save: Callable[[Any, Path], object]
    load: Callable[[Path], object]


def _tensors(weights: Weights) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(array.copy()) for name, array in weights.items()}


def _torch_save(tensors: dict[str, torch.Tensor], path: Path) -> None:
    torch.save(tensors, path)


def _torch_load(path: Path) -> object:
    return torch.load(path, weights_only=True)


def _safetensors_save(weights: dict[str, Array], path: Path) -> None:
    safetensors.numpy.save_file(weights, path)


def _safetensors_load(path: Path) -> object:
    return safetensors.numpy.load_file(path)


PEERS: Mapping[str, Peer] = {
    "torch, weights_only": Peer(_tensors, _torch_save, _torch_load),
    "safetensors.numpy": Peer(dict, _safetensors_save, _safetensors_load),
}


def bench_store(*, quick: bool = False) -> dict[str, Any]:
    """Saves and loads 100 MB of weights in ten layers.

    Args:
        quick: 1 MB and few pairs: shows that everything runs, not how fast.

    Returns:
        {"name", "rows", "notes"}; a row has case, peer, ours_s, peer_s, ratio, pairs and limit_s.
    """
    width, pairs = (160, 2) if quick else (1600, 9)
    graph = _network(width)
    weights = arrays_of(graph)
    size = sum(array.nbytes for array in weights.values()) / 1e6
    with tempfile.TemporaryDirectory() as name:
        rows = [
            row for peer, ways in PEERS.items() for row in _rows(graph, weights, (peer, ways), Path(name), pairs, size)
        ]
    notes = [
        f"medians of {pairs} pairs in both orders; files in the page cache",
        "ours hashes every array, saves to the disk itself, and checks every hash and value when it loads; peers copy",
        "limit: save, the bytes written and flushed to the disk; load, SHA-256 and the check for NaN of the same bytes",
    ]
    return {"name": "store", "rows": rows, "notes": notes}


def _network(width: int) -> Graph:
    source = np.random.default_rng(0)
    layers = (
        (f"{kind}{i}", Affine(source.standard_normal((width, width), np.float32)) if kind == "fc" else LIF(beta=0.9))
        for i in range(10)
        for kind in ("fc", "lif")
    )
    return chain([("in", Input((width,), "spikes")), *layers, ("out", Output())], name="store")


def _rows(
    graph: Graph, weights: Weights, peer: tuple[str, Peer], folder: Path, pairs: int, size: float
) -> tuple[Row, Row]:
    name, ways = peer
    ours, theirs = folder / "ours.graph", folder / "theirs"
    own = ways.own(weights)
    saved = measure(lambda: save(_fresh(graph), ours), lambda: ways.save(own, theirs), pairs)
    loaded = measure(lambda: load(ours), lambda: ways.load(theirs), pairs)
    limits = [_median(lambda: _written(weights, folder / "limit"), pairs), _median(lambda: _checked(ours), pairs)]
    return (
        {"case": f"save {size:.0f} MB", "peer": name, **asdict(saved), "limit_s": limits[0]},
        {"case": f"load {size:.0f} MB", "peer": name, **asdict(loaded), "limit_s": limits[1]},
    )


def _fresh(graph: Graph) -> Graph:
    """The same network in nodes whose hashes nobody has worked out yet."""
    nodes = {name: Affine(node.weight) if isinstance(node, Affine) else node for name, node in graph.nodes.items()}
    return Graph(nodes, graph.wires, graph.dt, graph.name)


def _median(work: Work, pairs: int) -> float:
    return median(seconds(work) for _ in range(pairs))


def _written(weights: Weights, path: Path) -> None:
    with path.open("wb") as file:
        for array in weights.values():
            file.write(array.reshape(-1).data)
        file.flush()
        os.fsync(file.fileno())


def _checked(path: Path) -> tuple[str, bool]:
    content = np.memmap(path, np.uint8, "r")
    whole = content[: len(content) // 4 * 4]
    return hashlib.sha256(whole.data).hexdigest(), bool(np.isfinite(whole.view(np.float32)).all())

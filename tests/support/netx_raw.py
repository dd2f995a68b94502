"""Netx files as others write them, from plain values; and reading without a process of its own."""

import tempfile
from pathlib import Path

import h5py
import numpy as np
from spikeport.exporters import netx_open
from spikeport.exporters.netx_loading import Loading
from spikeport.exporters.netx_reader import chip_of
from spikeport.toolchain.hdf5_tree import told
from spikeport.toolchain.loihi.chip_graph import ChipGraph

CUBA = {"type": "CUBA", "iDecay": 1024, "vDecay": 128, "vThMant": 5, "refDelay": 1, "gradedSpike": False}
LOIHI = {"type": "LOIHI", "iDecay": 1024, "vDecay": 128, "vThMant": 5, "refDelay": 1} | {
    "scaleRho": 10.0,
    "tauRho": 0.5,
    "theta": 1600,
    "wgtExp": 0,
}
SDNN = {"type": "SDNN", "activation": "relu", "vThMant": 3}
RF = {"type": "RF_IZHIKEVICH", "sinDecay": 900, "cosDecay": 3800, "vThMant": 2, "gradedSpike": False}
MATRIX = np.array([[100, -20, 6], [2, 44, -126], [0, 6, 8], [-90, 10, 254]])
KERNEL = np.arange(2 * 3 * 3 * 2).reshape(2, 3, 3, 2) * 3 - 50
IMAGE = {"type": "input", "shape": [3, 5, 5]}


def dense(**keys: object) -> dict[str, object]:
    """A dense layer of 4 neurons and 3 inputs."""
    return {"type": "dense", "shape": [4], "weight": MATRIX, "neuron": CUBA} | keys


def complex_dense(**keys: object) -> dict[str, object]:
    """The same with RF neurons."""
    layer = dense(neuron=RF) | {"weight/real": MATRIX, "weight/imag": -MATRIX} | keys
    del layer["weight"]
    return layer


def conv(**keys: object) -> dict[str, object]:
    """A convolution of [3, 5, 5] to [2, 3, 4]."""
    window = {"stride": [1, 1], "padding": [0, 0], "dilation": [1, 1], "groups": 1}
    return {"type": "conv", "shape": [2, 3, 4], "weight": KERNEL, "neuron": CUBA} | window | keys


def raw(path: Path, *layers: dict[str, object]) -> Path:
    """A file with these layers."""
    with h5py.File(path, "w") as file:
        for index, layer in enumerate(layers):
            group = file.create_group(f"layer/{index}")
            for key, value in layer.items():
                if key == "type":
                    group.create_dataset("type", (1,), "S10", [str(value).encode()])
                elif isinstance(value, dict):
                    for name, held in value.items():
                        group[f"{key}/{name}"] = held
                else:
                    group[key] = value
    return path


def read_here(path: Path, loading: Loading | None = None) -> tuple[ChipGraph, tuple[str, ...]]:
    """As `read_with_remarks`, in this process."""
    with tempfile.TemporaryDirectory() as folder:
        told(path, Path(folder), vars(netx_open.LIMITS))
        return chip_of(netx_open.contents_of(Path(folder), path.name), loading)

"""lava-dl in its own environment: what the NIR repository's nir_to_lava.py makes of a file, and networks of its own.

The script is `docs/source/examples/lava/nir_to_lava.py` at commit 7232ada, with library_preference LavaDl. What is here
is not its text: the same blocks of lava-dl's slayer for each node, with the same demands on them. The file comes as
plain values, since nir is not in that environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import h5py
import lava.lib.dl.slayer as slayer
import numpy as np
import torch
from serving import serve

PLAIN = {"weight_scale": 1, "weight_norm": False, "pre_hook_fx": None}
Values = Mapping[str, Any]


def answer(ask: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """What a chain of nodes answers to x [T, B, …]; or whether a fault is there."""
    if ask["what"] == "version":
        return version("lava-dl")
    if ask["what"] == "fault":
        return bool({"odd-sum-pool": odd_sum_pool, "loop-without-bias": loop_without_bias}[ask["name"]]())
    if ask["what"] == "export":
        return own(ask, arrays)
    layers = [made(node, values(node, arrays), ask["dt"]) for node in ask["nodes"]]
    x = torch.from_numpy(np.moveaxis(arrays["x"], 0, -1).astype(np.float32))
    with torch.no_grad():
        for layer in layers:
            x = layer(x)
    return np.moveaxis(x.numpy(), -1, 0)


def own(ask: Any, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """What blocks of slayer answer, with the weights that the chip holds; they are written to a netx file."""
    blocks = []
    for dense, neurons in ask["layers"]:
        weight = arrays[f"{dense}.weight"]
        decays = {"current_decay": 1 - arrays[f"{neurons}.alpha"], "voltage_decay": 1 - arrays[f"{neurons}.beta"]}
        fire = {"threshold": arrays[f"{neurons}.threshold"], **decays}
        out, into = weight.shape
        numbers = {name: float(np.unique(value).item()) for name, value in fire.items()}
        block = slayer.block.cuba.Dense(numbers, into, out, weight_norm=False, delay_shift=False)
        block.synapse.weight = parameter(weight.reshape(block.synapse.weight.shape))
        blocks.append(block)
    x = torch.from_numpy(np.moveaxis(arrays["x"], 0, -1).astype(np.float32))
    with torch.no_grad():
        for block in blocks:
            x = block(x)
    with h5py.File(ask["path"], "w") as file:
        for name, block in enumerate(blocks):
            block.export_hdf5(file.create_group(f"layer/{name}"))
    return np.moveaxis(x.numpy(), -1, 0)


def values(node: Values, arrays: Mapping[str, np.ndarray]) -> Values:
    """The fields of a node."""
    return {name: arrays[f"{node['name']}.{name}"] for name in node["fields"]}


def made(node: Values, held: Values, dt: float) -> Any:
    """What stands for a node."""
    kind = node["kind"]
    if kind == "Affine":
        out, into = held["weight"].shape
        dense = slayer.synapse.Dense(into, out, **PLAIN)
        dense.weight = parameter(held["weight"].reshape(dense.weight.shape))
        dense.bias = parameter(held["bias"])
        return dense
    if kind == "Conv2d":
        demand(not held["bias"].any(), "no bias")
        out, into = held["weight"].shape[:2]
        window = {name: tuple(int(n) for n in held[name]) for name in ("stride", "padding", "dilation")}
        groups = int(held["groups"])
        conv = slayer.synapse.Conv(into, out, tuple(held["weight"].shape[2:]), **window, groups=groups, **PLAIN)
        conv.weight.data = torch.from_numpy(held["weight"].reshape(conv.weight.shape))
        return conv
    if kind == "SumPool2d":
        window = {name: tuple(int(n) for n in held[name]) for name in ("kernel_size", "stride", "padding")}
        return slayer.synapse.Pool(**window, dilation=1, **PLAIN)
    if kind == "Flatten":
        return flatten(int(held["start_dim"]), int(held["end_dim"]))
    if kind == "IF":
        level = one(held, "v_threshold") * one(held, "r")
        return slayer.neuron.cuba.Neuron(threshold=level, current_decay=1.0, voltage_decay=0.0, scale=4096)
    if kind == "CubaLIF":
        return current_based(held, dt)
    demand(kind == "NIRGraph", "a node that the script knows")
    return recurrent(held, dt)


def flatten(first: int, last: int) -> Any:
    """Without the axis of time, where the last axis is the last one or is counted with the batch."""
    return lambda x: x.flatten(max(first, 1), -2 if last in (-1, x.ndim, x.ndim - 1) else last)


def current_based(held: Values, dt: float) -> Any:
    """A dense block that takes its input as it is."""
    size = held["v_threshold"].shape[0]
    block = slayer.block.cuba.Dense(fires(held, dt), size, size, delay_shift=False, **PLAIN)
    block.synapse.weight = parameter(np.eye(size).reshape(block.synapse.weight.shape))
    return block


def recurrent(held: Values, dt: float) -> Any:
    """A block that takes its input as it is, and what it sent before through a dense layer."""
    size = held["v_threshold"].shape[0]
    block = slayer.block.cuba.Recurrent(fires(held, dt), size, size, delay_shift=False, **PLAIN)
    block.input_synapse.weight = parameter(np.eye(size).reshape(block.input_synapse.weight.shape))
    block.recurrent_synapse.weight = parameter(held["weight"].reshape(block.recurrent_synapse.weight.shape))
    if "bias" in held:
        block.recurrent_synapse.bias = parameter(held["bias"])
    return block


def fires(held: Values, dt: float) -> dict[str, Any]:
    """The numbers of a block's neurons."""
    demand(np.allclose(held["v_leak"], 0), "v_leak = 0")
    demand(np.allclose(held["r"], held["tau_mem"] / dt), "r = tau_mem/dt")
    demand(np.allclose(held["w_in"] * dt / held["tau_syn"], 1), "w_in = tau_syn/dt")
    decays = {"current_decay": dt / one(held, "tau_syn"), "voltage_decay": dt / one(held, "tau_mem")}
    return {"threshold": one(held, "v_threshold"), **decays, "shared_param": True, "scale": 1 << 6}


def one(held: Values, name: str) -> float:
    """The number of the whole layer."""
    found = np.unique(held[name])
    demand(found.size == 1, f"one {name}")
    return float(found[0])


def demand(given: bool, what: str) -> None:
    """What the script asserts."""
    if not given:
        raise ValueError(f"the script asserts {what}")


def parameter(held: np.ndarray) -> Any:
    """Weights in single precision."""
    return torch.nn.Parameter(torch.from_numpy(np.ascontiguousarray(held, np.float32)))


def odd_sum_pool() -> bool:
    """Windows of 2 over 5 values are 3, the last of them over one value."""
    pool = slayer.synapse.Pool((2, 2), stride=(2, 2), **PLAIN)
    with torch.no_grad():
        return tuple(pool(torch.ones(1, 1, 4, 5, 1)).shape) == (1, 1, 2, 3, 1)


def loop_without_bias() -> bool:
    """A bias of 2 at the synapse that leads back does not make a neuron of threshold 1 fire."""
    fire = {"threshold": 1.0, "current_decay": 1.0, "voltage_decay": 1.0}
    block = slayer.block.cuba.Recurrent(fire, 1, 1, delay_shift=False, **PLAIN)
    block.recurrent_synapse.bias = parameter(np.full(1, 2.0))
    with torch.no_grad():
        return not block(torch.zeros(1, 1, 4)).any()


if __name__ == "__main__":
    serve(answer)

"""The processes and devices of a training, by Lightning Fabric: one, or as many as torchrun has started.

    torchrun --nproc_per_node 2 -m spikeport train …

Every process takes its share of each batch, and gradients are averaged, so many processes learn what one would.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins import MixedPrecision
from lightning_fabric.strategies.ddp import DDPStrategy

from ...toolchain.errors import UsageError

HALF: Mapping[str, Any] = {"bf16": "bf16-mixed", "16": "16-mixed"}


@final
class Half(MixedPrecision):
    """Products in half precision inside the network; what goes into it stays float32, as everywhere else."""

    def convert_input(self, data: Any) -> Any:
        """The data as they are."""
        return data


@dataclass(frozen=True)
class Launch:
    """How many processes torchrun has started.

    Args:
        each: on this machine.
        world: in all.
        rank: the number of this one, from 0.
    """

    each: int = 1
    world: int = 1
    rank: int = 0

    @property
    def nodes(self) -> int:
        """Machines."""
        return self.world // self.each


def launched() -> Launch:
    """What torchrun has set, or one process."""
    if "LOCAL_WORLD_SIZE" not in os.environ:
        return Launch()
    return Launch(*(int(os.environ[name]) for name in ("LOCAL_WORLD_SIZE", "WORLD_SIZE", "RANK")))


def check_launch(devices: int | None, nodes: int | None) -> None:
    """Refuses to train on more devices or machines than there are processes: torchrun starts them."""
    found = launched()
    wanted = devices or found.each, nodes or found.nodes
    if wanted != (found.each, found.nodes):
        start = f"torchrun --nnodes {wanted[1]} --nproc_per_node {wanted[0]} -m spikeport train MODEL"
        processes = f"{wanted[0]} devices on {wanted[1]} machines, and {found.world} processes"
        raise UsageError("--devices, --nodes", processes, "a process for each device", f"start them: {start}")


def fabric_of(precision: str) -> Fabric:
    """Fabric for this process among all of them."""
    found = launched()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if precision == "16" and device == "cpu":
        raise UsageError("--precision", "16 on a CPU", "a GPU", "take bf16 or 32")
    strategy = DDPStrategy(find_unused_parameters=True) if found.world > 1 else "auto"
    plugin = Half(HALF[precision], device) if precision in HALF else None
    made = Fabric(
        accelerator=device,
        devices=found.each,
        num_nodes=found.nodes,
        strategy=strategy,
        plugins=plugin,
        precision=None if plugin else "32-true",
    )
    made.launch()
    return made

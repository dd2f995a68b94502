"""What our simulation of a chip graph costs, and where: shares of the time, the bare products, peak memory."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import torch

from ...toolchain.graph.nodes.base import Array
from ...toolchain.loihi.chip_graph import ChipGraph
from ...toolchain.loihi.processes import Conv, Dense
from ...toolchain.simulate import fixed, simulate
from ...toolchain.simulate.fixed_plan import fixed_plan
from ...toolchain.simulate.fixed_windows import Windows
from ...toolchain.simulate.inputs import feed
from ...toolchain.simulate.recording import Recorder
from ...toolchain.simulate.schedule import schedule
from ...toolchain.simulate.tensors import one_thread
from .lava_networks import CASES, CURVE
from .memory import peak
from .pairs import seconds

ROUNDS = 5


@dataclass(frozen=True)
class Shares:
    """Where the time of a run goes, by what runs; the rest is counting, reading out and the way between them."""

    parts: Mapping[str, float]

    def text(self, name: str) -> str:
        """One line."""
        return f"{name}: " + ", ".join(f"{what} {share:.0%}" for what, share in self.parts.items())


class _Timed(fixed.Run):
    """A run that looks at the clock before and after every process."""

    spent: dict[str, float]

    def _node(
        self, name: str, windows: Windows, inputs: Mapping[str, Array], first: int
    ) -> tuple[Array, Mapping[str, Array]]:
        role = {"synapse": "synapses", "neuron": "neurons", "join": "joins"}
        what = "input" if name in inputs else role.get(self.plan.nodes[name].role, "output")
        start = time.perf_counter()
        found = super()._node(name, windows, inputs, first)
        self.spent[what] += time.perf_counter() - start
        return found

    def timed(self, loop: Callable[..., Any]) -> Callable[..., Any]:
        """A recurrent layer with the clock around it."""

        def run(*given: Any) -> Any:
            start = time.perf_counter()
            found = loop(*given)
            self.spent["recurrent layer"] += time.perf_counter() - start
            return found

        return run


def shares(graph: ChipGraph, inputs: Array) -> Shares:
    """Where the time goes, as medians of shares."""
    rounds = [_spent(graph, inputs) for _ in range(ROUNDS)]
    found = {what: median(each[what] / each["all"] for each in rounds) for what in rounds[0] if what != "all"}
    return Shares({**found, "rest": max(0.0, 1 - sum(found.values()))})


def _spent(graph: ChipGraph, inputs: Array) -> Mapping[str, float]:
    plan = fixed_plan(graph)
    given = feed(inputs, plan.inputs, plan.dtype)
    scheduled = schedule(plan, given.batch)
    start = time.perf_counter()
    recorder = Recorder(plan, {}, given.batch, given.steps, plan.counted)
    run = _Timed(plan, recorder, {}, given, None)
    run.spent = defaultdict(float)
    run.loops = {part: run.timed(loop) for part, loop in run.loops.items()}
    with plan.within():
        for first, rows in given.cut(0, scheduled.window):
            run.window(first, rows)
    run.trace(recorder)
    run.spent["all"] = time.perf_counter() - start
    return run.spent


def bare(graph: ChipGraph, batch: int) -> float:
    """Seconds of torch's own products and convolutions alone, for one step of one sample, on spikes of 30 %."""
    plan = fixed_plan(graph)
    steps = schedule(plan, batch).window
    rng = np.random.default_rng(0)
    total = 0.0
    for name, node in plan.nodes.items():
        if isinstance(node, (Conv, Dense)):
            given = (rng.random((steps * batch, *plan.received(name)[0].shape)) < 0.3).astype(np.float32)
            work = _bare(node, torch.from_numpy(given))
            with torch.inference_mode(), one_thread():
                work()
                total += median(seconds(work) for _ in range(ROUNDS)) / (steps * batch)
    return total


def _bare(node: Conv | Dense, x: torch.Tensor) -> Callable[[], object]:
    weight = torch.from_numpy(node.weight.astype(np.float32))
    if isinstance(node, Dense):
        return lambda: torch.matmul(x, weight.T)
    lying, kernel = (each.contiguous(memory_format=torch.channels_last) for each in (x, weight))
    return lambda: torch.conv2d(lying, kernel, None, node.stride, node.padding, node.dilation, node.groups)


def peaks(quick: bool) -> list[list[int | None]]:
    """Bytes that our runs of each length hold at most beside their input, by case; measured in a process of its own."""
    command = [sys.executable, "-W", "ignore", "-m", __name__, json.dumps(quick)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: list[list[int | None]] = json.loads(done.stdout.splitlines()[-1])
    return found


def _measured(quick: bool) -> list[list[int | None]]:
    found = []
    for make in CASES:
        case = make(quick)
        fixed_plan(case.graph)  # with the kernels, and not what loads them
        found.append([peak(partial(simulate, case.graph, case.spikes(steps, 1))) for steps in CURVE])
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_measured(json.loads(sys.argv[1]))) + "\n")

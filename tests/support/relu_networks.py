"""Random networks of ReLUs: convolutions, batch normalisation, pools, residuals, concatenations, clips at 6."""

import numpy as np
from spikeport.toolchain.graph import Graph, GraphBuilder
from spikeport.toolchain.graph import nodes as n


def relu_network(seed: int, carries: str = "graded") -> Graph:
    """A network of an image, with a score for each of five classes."""
    rng = np.random.default_rng(seed)
    b = GraphBuilder(f"relus{seed}")
    channels = int(rng.integers(1, 4))
    last = b.add("in", n.Input((channels, 6, 6), carries))
    for index in range(int(rng.integers(1, 4))):
        last, channels = _block(b, rng, index, last, channels)
    flat = b.add("flat", n.Flatten(), last)
    if rng.random() < 0.5:
        hidden = b.add("hidden", _dense(rng, 8, channels * 36, biased=True), flat)
        flat = b.add("hidden.relu", n.Activation("relu"), hidden)
    width = 8 if flat == "hidden.relu" else channels * 36
    scores = b.add("scores", _dense(rng, 5, width, biased=bool(rng.random() < 0.5)), flat)
    b.add("out", n.Output(), scores)
    return b.build()


def _block(b: GraphBuilder, rng: np.random.Generator, index: int, last: str, channels: int) -> tuple[str, int]:
    """A convolution and a ReLU, and something on top of them."""
    wide = int(rng.integers(2, 5))
    made = b.add(f"conv{index}", _conv(rng, wide, channels), last)
    if rng.random() < 0.4:
        mean, variance = rng.normal(0, 0.2, wide), rng.uniform(0.5, 1.5, wide)
        made = b.add(
            f"norm{index}", n.BatchNorm(mean, variance, rng.uniform(0.5, 1.5, wide), rng.normal(0, 0.2, wide)), made
        )
    relu = n.Activation("clip", {"low": 0.0, "high": 0.8}) if rng.random() < 0.3 else n.Activation("relu")
    made = b.add(f"relu{index}", relu, made)
    kind = rng.choice(["plain", "pool", "residual", "concat"])
    if kind == "pool":
        pool = n.AveragePool((3, 3), 1, 1) if rng.random() < 0.5 else n.SumPool((3, 3), 1, 1)
        made = b.add(f"pool{index}", pool, made)
    elif kind == "residual":
        side = b.add(f"side{index}", _conv(rng, wide, channels), last)
        made = b.add(f"sum{index}", n.Activation("relu"), b.add(f"add{index}", n.Add(), made, side))
    elif kind == "concat":
        made, wide = b.add(f"both{index}", n.Concat(0), made, last), wide + channels
    return made, wide


def _conv(rng: np.random.Generator, out: int, width: int) -> n.Conv:
    weight = rng.normal(0, (2 / (9 * width)) ** 0.5, (out, width, 3, 3))
    return n.Conv(weight, rng.normal(0, 0.2, out) if rng.random() < 0.7 else None, padding=1)


def _dense(rng: np.random.Generator, out: int, width: int, *, biased: bool) -> n.Affine:
    return n.Affine(rng.normal(0, (2 / width) ** 0.5, (out, width)), rng.normal(0, 0.2, out) if biased else None)


def film(graph: Graph, seed: int, steps: int = 8, batch: int = 3) -> np.ndarray:
    """Pictures in which about one pixel in five changes from step to step."""
    rng = np.random.default_rng(seed)
    shape = graph.signals[graph.inputs[0]].shape
    whole = not graph.signals[graph.inputs[0]].carries.graded
    frames = [_values(rng, (batch, *shape), whole)]
    for _ in range(steps - 1):
        frames.append(np.where(rng.random((batch, *shape)) < 0.2, _values(rng, (batch, *shape), whole), frames[-1]))
    return np.stack(frames)


def _values(rng: np.random.Generator, shape: tuple[int, ...], whole: bool) -> np.ndarray:
    return (rng.random(shape) < 0.4).astype(np.float64) if whole else rng.uniform(0, 1, shape)

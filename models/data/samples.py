"""Samples with labels, and the table's common contract: made in blocks, each from a seed of its own.

A block has always the same size and its own random numbers, so sample n is the same sample however many are made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import Field, dataclass
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")
BLOCK = 40


@dataclass(frozen=True, eq=False)
class Samples:
    """Inputs and what they are.

    Args:
        inputs: zeros and ones, uint8 [T, B, *shape], time first; float32 where they are graded.
        labels: the class of each sample, int64 [B].
    """

    inputs: Array
    labels: Array

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def rate(self) -> float:
        """The share of ones."""
        return float(self.inputs.mean(dtype=np.float64))


class DataConfig(Protocol):
    """A frozen dataclass of numbers, checked when it is made."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one step of one sample."""

    @property
    def steps(self) -> int:
        """Steps of a sample."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """What the labels stand for."""


Draw = Callable[[Any, Array, np.random.Generator], Array]
"""(config, labels [B], source) → inputs [T, B, *shape], bool; or float32 where they are graded."""


def in_blocks(
    config: DataConfig, draw: Draw, part: Part, count: int, seed: int, dtype: npt.DTypeLike = np.uint8
) -> Samples:
    """`count` samples of a part: inputs = draw(config, labels, source), a block at a time."""
    inputs = np.empty((config.steps, count, *config.shape), dtype)
    labels = np.empty(count, np.int64)
    for start in range(0, count, BLOCK):
        block = block_of(config, draw, part, start // BLOCK, seed, dtype)
        stop = min(start + BLOCK, count)
        labels[start:stop] = block.labels[: stop - start]
        inputs[:, start:stop] = block.inputs[:, : stop - start]
    return Samples(inputs, labels)


def block_of(
    config: DataConfig, draw: Draw, part: Part, number: int, seed: int, dtype: npt.DTypeLike = np.uint8
) -> Samples:
    """One whole block: the samples from number · BLOCK on."""
    labels, source = beginning_of(part, number, seed, len(config.class_names))
    return Samples(draw(config, labels, source).astype(dtype, copy=False), labels)


def beginning_of(part: Part, number: int, seed: int, classes: int) -> tuple[Array, np.random.Generator]:
    """The labels of a block, and the source of everything else in it; classes are counted on from block to block."""
    source = np.random.default_rng([seed, PARTS.index(part), number])
    return source.permutation((np.arange(BLOCK) + number * BLOCK) % classes), source

"""What an event camera sees of shapes that move: in one of eight directions, towards it, or away from it.

    o(x, y) < 1                 inside of an object: an ellipse Δx²/a² + Δy²/b², or a box max(|Δx|/a, |Δy|/b)
    bright[t] = any object      objects are brighter than the ground; the picture is closed to a torus
    on[t]  = bright[t] ∧ ¬bright[t−1],   off[t] = bright[t−1] ∧ ¬bright[t]

and then events get lost, and noise and a shaking camera add some. The class is how all objects of a sample move; where
they start, their forms, sizes and speeds are random, so what counts is on which side of an edge the events are on, and
where edges go. The sum of all events over time is nearly the same for opposite directions once a shape has gone round.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...toolchain.errors import UsageError
from .samples import Array

DIRECTIONS = ("right", "down right", "down", "down left", "left", "up left", "up", "up right")
CLASSES = (*DIRECTIONS, "towards", "away")
GROWTH = 0.25
"""Pixels by which an axis grows while another shape flies one."""


@dataclass(frozen=True)
class MovingShapesConfig:
    """What can be chosen; lengths in pixels, times in steps.

    Args:
        size: height and width of the picture.
        steps: steps of a sample.
        objects: shapes in a sample, all moving alike.
        smallest: smallest half-axis of a shape.
        largest: largest half-axis of a shape.
        flattest: the least share of its size that an axis of a shape has.
        slowest: lowest speed.
        fastest: highest speed.
        spread: how far a direction is off, at most, in degrees.
        shake: standard deviation of the camera's place.
        lost: share of events that get lost.
        noise: share of pixels with an event of noise in a step.
    """

    size: int = 32
    steps: int = 12
    objects: int = 2
    smallest: float = 3.0
    largest: float = 7.0
    flattest: float = 0.75
    slowest: float = 1.0
    fastest: float = 2.5
    spread: float = 8.0
    shake: float = 0.3
    lost: float = 0.1
    noise: float = 0.01

    def __post_init__(self) -> None:
        if not 8 <= self.size <= 1024 or not 1 <= self.steps <= 10000 or not 1 <= self.objects <= 100:
            found = f"size {self.size}, {self.steps} steps, {self.objects} objects"
            raise UsageError("moving_shapes", found, "8 to 1024, 1 to 10000, 1 to 100")
        if not 0 < self.smallest <= self.largest or not 0 <= self.slowest <= self.fastest:
            raise UsageError(
                "moving_shapes", "a range that is empty or below 0", "smallest ≤ largest, slowest ≤ fastest"
            )
        shares = (self.lost, self.noise, self.flattest)
        if not all(0 <= share <= 1 for share in shares) or self.flattest == 0 or self.shake < 0:
            raise UsageError(
                "moving_shapes", "shares out of 0 to 1 or a shake below 0", "lost, noise from 0 to 1, flattest above 0"
            )

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one step of one sample."""
        return 2, self.size, self.size

    @property
    def class_names(self) -> tuple[str, ...]:
        """What the labels stand for."""
        return CLASSES


def draw(config: MovingShapesConfig, labels: Array, source: np.random.Generator) -> Array:
    """Events [T, B, 2, size, size] for labels [B]."""
    bright = _bright(config, labels, source)
    before, now = bright[:-1], bright[1:]
    events = np.stack([now & ~before, before & ~now], axis=2)
    chance = source.random(events.shape, dtype=np.float32)
    noisy: Array = np.where(events, chance >= config.lost, chance < config.noise)
    return noisy


def _bright(config: MovingShapesConfig, labels: Array, source: np.random.Generator) -> Array:
    """The picture, bool [T+1, B, size, size]."""
    across, down = _places(config, labels, source)
    wide, high = _axes(config, labels, source)
    boxes = source.random(wide.shape[1:]) < 0.5
    bright = np.zeros((config.steps + 1, len(labels), config.size, config.size), bool)
    pixels = np.arange(config.size, dtype=np.float32)
    for each in range(config.objects):
        x = _apart(pixels - across[..., each, None], config.size) / wide[..., each, None]
        y = _apart(pixels - down[..., each, None], config.size) / high[..., each, None]
        x, y = x[:, :, None, :], y[:, :, :, None]
        square = boxes[None, :, each, None, None]
        bright |= np.where(square, np.maximum(np.abs(x), np.abs(y)), x * x + y * y) < 1
    return bright


def _apart(distance: Array, size: int) -> Array:
    """The shorter way round."""
    way: Array = (distance + size / 2) % size - size / 2
    return way


def _places(config: MovingShapesConfig, labels: Array, source: np.random.Generator) -> tuple[Array, Array]:
    """Centres of the objects, x and y, each [T+1, B, objects]."""
    lead, shape = (config.steps + 1, 1, 1), (len(labels), config.objects)
    far = np.arange(config.steps + 1).reshape(lead) * source.uniform(config.slowest, config.fastest, shape)
    far = np.where(_flies(labels)[:, None], far, 0)
    turn = np.deg2rad(45 * labels[:, None] + source.uniform(-config.spread, config.spread, shape))
    shake = source.normal(0, config.shake, (2, config.steps + 1, len(labels), 1))
    start = source.uniform(0, config.size, (2, *shape))
    x, y = start[0] + np.cos(turn) * far + shake[0], start[1] + np.sin(turn) * far + shake[1]
    return x.astype(np.float32), y.astype(np.float32)


def _flies(labels: Array) -> Array:
    flies: Array = labels < len(DIRECTIONS)
    return flies


def _axes(config: MovingShapesConfig, labels: Array, source: np.random.Generator) -> tuple[Array, Array]:
    """Half-axes, x and y, each [T+1, B, objects]: constant, or growing or shrinking from end to end, over and over."""
    shape, room = (len(labels), config.objects), config.largest - config.smallest
    start = source.uniform(0, room, shape)
    speed = GROWTH * source.uniform(config.slowest, config.fastest, shape)
    grown = (start + np.arange(config.steps + 1)[:, None, None] * speed) % max(room, speed.max() / 100)
    towards, flies = (labels == CLASSES.index("towards"))[:, None], _flies(labels)[:, None]
    radius = config.smallest + np.where(flies, start, np.where(towards, grown, room - grown))
    axes = (radius * source.uniform(config.flattest, 1.0, (2, 1, *shape))).astype(np.float32)
    return axes[0], axes[1]

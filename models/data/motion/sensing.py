"""What networks learn from: skeletons as a Kinect's, and the events of an event camera.

    skeleton = joints + jitter + lost joints, from where the first person's middle of the spine first is
    events   = an event camera (models/data/dvs) before the video's brightness, any of 2 × 2 pixels, any time in a step

Every sensor draws its noise from the clip's own seed and its own number, whatever other sensors look at the clip.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....toolchain.errors import UsageError
from ..dvs.counted import event_frames
from ..dvs.model import DvsModel
from ..samples import Array
from .actions import CLASSES
from .chance import PERSONS
from .clock import MICROSECONDS, STEPS, moments_of
from .postures import JOINTS
from .rendering import view_of
from .scenes import Scene

SKELETON, POSE, POINTS = range(3)
"""Numbers of the sensors' noise."""
MIDDLE = 1
"""The joint that is put to 0 in the first step."""


@dataclass(frozen=True)
class SkeletonsConfig:
    """Skeletons of actions; lengths in metres.

    Args:
        steps: steps of a clip.
        jitter: deviation of a joint to the sides and up, from step to step; half as much again in depth.
        lost: chance that a joint is lost for a stretch of a clip.
        astray: deviation of a lost joint.
    """

    steps: int = STEPS
    jitter: float = 0.015
    lost: float = 0.04
    astray: float = 0.12

    def __post_init__(self) -> None:
        _check("action_skeletons", self.steps, self.lost, (self.jitter, self.astray))

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one step of one sample."""
        return 3, JOINTS, PERSONS

    @property
    def class_names(self) -> tuple[str, ...]:
        """What the labels stand for."""
        return CLASSES


@dataclass(frozen=True)
class EventsConfig:
    """Events of actions.

    Args:
        steps: steps of a clip.
        pixels: height and width of the frames of events.
        rendered: height and width of the video that the event camera sees; a multiple of `pixels`.
        threshold: of ON and OFF, in log intensity.
        spread: its deviation from pixel to pixel.
        noise: noise events per second and pixel.
    """

    steps: int = STEPS
    pixels: int = 32
    rendered: int = 64
    threshold: float = 0.2
    spread: float = 0.04
    noise: float = 0.1

    def __post_init__(self) -> None:
        _check("action_events", self.steps, 0.0, (self.spread, self.noise))
        if not 8 <= self.pixels <= self.rendered <= 1024 or self.rendered % self.pixels:
            found = f"{self.pixels} pixels of {self.rendered} rendered"
            raise UsageError("action_events", found, "8 to 1024, the second a multiple of the first")

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one step of one sample."""
        return 2, self.pixels, self.pixels

    @property
    def class_names(self) -> tuple[str, ...]:
        """What the labels stand for."""
        return CLASSES

    @property
    def model(self) -> DvsModel:
        """The event camera's pixel."""
        return DvsModel(self.threshold, self.threshold, self.spread, leak_rate_hz=0.05, shot_noise_rate_hz=self.noise)


def _check(where: str, steps: int, chance: float, deviations: tuple[float, ...]) -> None:
    if not 1 <= steps <= 1000:
        raise UsageError(where, f"{steps} steps", "1 to 1000")
    if not 0 <= chance <= 1 or min(deviations) < 0:
        raise UsageError(where, f"a chance of {chance}, deviations {deviations}", "0 to 1, and at least 0")


def sensor(seed: int, number: int) -> np.random.Generator:
    """The source of one sensor's noise in the clip of a seed."""
    return np.random.default_rng([seed, number])


def skeletons(scene: Scene, config: SkeletonsConfig) -> Array:
    """Skeletons of a sensor, float32 [T, B, 3, 25, 2]; who is absent is 0."""
    exact = scene.joints[:, moments_of(config.steps)]
    noise = np.stack([_joint_noise(int(seed), config) for seed in scene.chance.seeds])
    seen = exact + noise
    middle = seen[:, :1, :1, MIDDLE : MIDDLE + 1]
    present = scene.persons[:, None, :, None, None]
    return np.ascontiguousarray(((seen - middle) * present).transpose(1, 0, 4, 3, 2), dtype=np.float32)


def _joint_noise(seed: int, config: SkeletonsConfig) -> Array:
    """What is added to the joints of a clip, [T, 2, 25, 3]."""
    source = sensor(seed, SKELETON)
    shape = (config.steps, PERSONS, JOINTS)
    jitter = source.normal(0, config.jitter, (*shape, 3)) * np.array([1.0, 1.0, 1.5])
    lost = source.random(shape[1:]) < config.lost
    start = source.integers(0, config.steps, shape[1:])
    stop = start + source.integers(2, 7, shape[1:])
    step = np.arange(config.steps)[:, None, None]
    while_lost = lost & (step >= start) & (step < stop)
    noise: Array = jitter + while_lost[..., None] * source.normal(0, config.astray, (*shape, 3))
    return noise


def events(scene: Scene, config: EventsConfig) -> Array:
    """Frames of events, uint8 [T, B, 2, H, W], of zeros and ones."""
    view = view_of(scene, config.rendered, colour=False, depth=False)
    return events_of_video(view.video[:, :, 0], scene, config)


def events_of_video(video: Array, scene: Scene, config: EventsConfig) -> Array:
    """The events of brightness in 0 to 1, [B, F, H, W]."""
    codes = np.rint(255 * video).astype(np.uint8)
    times = MICROSECONDS * np.arange(video.shape[1])
    seeds = [int(seed) for seed in scene.chance.seeds]
    return event_frames(codes, times, config.model, seeds, config.steps, (config.pixels, config.pixels))

"""The pixel of an event camera: what makes events of light.

For the intensity I of a pixel, 0 to 255, at the times t of frames:

    L    = I·ln(20)/20 where I ≤ 20, else ln I          lin-log: linear in the dark, logarithmic above
    ι    = (I + 20) / 275                               intensity from about 0 to 1
    τ·dlp/dt = L − lp,  1/τ = 2π·cutoff_hz·ι            photoreceptor: a low-pass that is slower in the dark
    d    = lp − base                                    against what the pixel has memorised
    ON   where d ≥ θ_on:  base += θ_on                  as often as it holds: several events in one interval
    OFF  where d ≤ −θ_off: base −= θ_off
    dbase/dt = −leak_rate_hz·10^{cov·N}·(1 − jitter·N')·θ_on    leak: it makes ON events of a still picture
    noise    Poisson of the rate shot_noise_rate_hz/2·(1 − ¾ι)·θ̄/θ, ON and OFF each; base = lp
    θ_on, θ_off normal around pos_thres and neg_thres with deviation sigma_thres, at least 0.01, pixel by pixel
    no two events of a pixel within refractory_period_s: one that falls into it waits for its end

From one frame to the next L and ι are those of the next: lp' = L + (lp − L)·e^{−dt/τ}, which is exact for an input that
has jumped and stands still. d runs in a straight line from its old value to its new one, and an event has the time at
which that line meets a threshold: k events of one interval lie evenly in it. With `slices` L and ι first go in a
straight line from frame to frame, and every slice is an interval.

The names and the defaults of the numbers are v2e's, and `clean` and `noisy` are its presets of these names; with the
same thresholds and without noise the events of every pixel and frame are v2e's, up to its rounding to float32. What v2e
does otherwise: lp by Euler's rule; the events of all pixels in an interval at the times k·dt/n, n the most events of
any pixel; at most one noise event per pixel and frame, at the frame's end; events within the refractory time are
dropped and come with a later frame; frames between frames from a network, SuperSloMo, that is not here. Its options
for photoreceptor noise, centre-surround pixels and SCIDVS are not here either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ....toolchain.errors import UsageError

LINEAR = 20.0
"""The intensity up to which L is linear."""
LEAST_THRESHOLD = 0.01
OFFSET, SCALE = 20.0, 275.0
"""ι = (I + OFFSET) / SCALE."""
LIMITS: Mapping[str, tuple[float, float]] = {
    "pos_thres": (LEAST_THRESHOLD, 100),
    "neg_thres": (LEAST_THRESHOLD, 100),
    "sigma_thres": (0, 100),
    "cutoff_hz": (0, 1e9),
    "leak_rate_hz": (0, 1e4),
    "leak_jitter_fraction": (0, 10),
    "noise_rate_cov_decades": (0, 3),
    "shot_noise_rate_hz": (0, 1e4),
    "refractory_period_s": (0, 1e6),
    "slices": (1, 1000),
}
"""The least and the most that each number may be: beyond, a pixel would drown in noise, or never answer."""


@dataclass(frozen=True)
class DvsModel:
    """The numbers of the equations above.

    Args:
        pos_thres: the mean of θ_on, in log intensity.
        neg_thres: the mean of θ_off.
        sigma_thres: their deviation from pixel to pixel.
        cutoff_hz: of the photoreceptor at full intensity; 0: it follows at once.
        leak_rate_hz: ON events per second and pixel of a still picture.
        leak_jitter_fraction: jitter, from interval to interval.
        noise_rate_cov_decades: cov, from pixel to pixel.
        shot_noise_rate_hz: noise events per second and pixel in the dark, both polarities together.
        refractory_period_s: within which a pixel gives one event.
        slices: intervals between two frames.
    """

    pos_thres: float = 0.2
    neg_thres: float = 0.2
    sigma_thres: float = 0.03
    cutoff_hz: float = 300.0
    leak_rate_hz: float = 0.01
    leak_jitter_fraction: float = 0.1
    noise_rate_cov_decades: float = 0.1
    shot_noise_rate_hz: float = 0.001
    refractory_period_s: float = 0.0005
    slices: int = 1

    def __post_init__(self) -> None:
        for name, (least, most) in LIMITS.items():
            value = getattr(self, name)
            if not least <= value <= most:
                raise UsageError(name, f"{value:g}", f"{least:g} to {most:g}")


PRESETS: Mapping[str, DvsModel] = {
    "v2e": DvsModel(),
    "clean": DvsModel(0.2, 0.2, 0.02, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    "noisy": DvsModel(0.2, 0.2, 0.05, 30.0, 0.1, 0.1, 0.1, 5.0, 0.0),
}
"""v2e's defaults, and its presets by their names: without noise, and with much of it."""

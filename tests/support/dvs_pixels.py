"""The event camera by its definition: one pixel after the other, in plain Python."""

import math

import numpy as np
from spikeport.models.data.dvs.emulator import (
    EVENT,
    JITTER_DRAWS,
    LEAK_DRAWS,
    NOISE_DRAWS,
    OFF_DRAWS,
    ON_DRAWS,
    WAIT_DRAWS,
)
from spikeport.models.data.dvs.model import DvsModel
from spikeport.toolchain.kernels.dvs_draws import exponentials, keys_of, normals

MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15
EXACT = 1e-9
QUIET = DvsModel(sigma_thres=0, cutoff_hz=0, leak_rate_hz=0, shot_noise_rate_hz=0, refractory_period_s=0)
"""A pixel without anything but its thresholds of 0.2."""


def bits(key: int, counter: int) -> int:
    """64 bits for a key and a counter, in Python's own integers."""
    word = (key + counter * GOLDEN) & MASK
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    word = (word ^ (word >> 27)) * 0x94D049BB133111EB & MASK
    return word ^ (word >> 31)


def uniform(word: int) -> float:
    return (word >> 11) / 2**53


def lin_log(intensity: float) -> float:
    return intensity * math.log(20) / 20 if intensity <= 20 else math.log(intensity)


def key(seed: int, purpose: int) -> int:
    return int(keys_of(np.array([seed]), purpose)[0])


class Pixel:
    """One pixel, as the docstring of models/data/dvs/model.py has it."""

    def __init__(self, model: DvsModel, seed: int, number: int, count: int) -> None:
        def draw(purpose: int, source=normals) -> float:
            return float(source(keys_of(np.array([seed]), purpose)[0], count)[number])

        self.m, self.seed, self.number = model, seed, number
        self.on = max(model.pos_thres + model.sigma_thres * draw(ON_DRAWS), 0.01)
        self.off = max(model.neg_thres + model.sigma_thres * draw(OFF_DRAWS), 0.01)
        self.leak = model.leak_rate_hz * 10 ** (model.noise_rate_cov_decades * draw(LEAK_DRAWS)) * self.on
        self.shot = model.shot_noise_rate_hz / 2 * (model.pos_thres / self.on + model.neg_thres / self.off)
        self.share = (model.pos_thres / self.on) / (model.pos_thres / self.on + model.neg_thres / self.off)
        self.wait, self.last, self.lp = draw(WAIT_DRAWS, exponentials), -math.inf, None

    def jitter(self, interval: int, count: int) -> float:
        return float(normals(keys_of(np.array([self.seed]), JITTER_DRAWS + (interval + 1 << 8))[0], count)[self.number])

    def feed(self, intensity: float, begin: float, end: float, interval: int, count: int) -> list[tuple[float, int]]:
        """Times in s and polarities of the events between two frames."""
        m, target, bright = self.m, lin_log(intensity), (intensity + 20) / 275
        if self.lp is None:
            self.lp = self.base = target
            return []
        dt, old = end - begin, self.lp
        stay = math.exp(-2 * math.pi * m.cutoff_hz * bright * dt) if m.cutoff_hz else 0.0
        self.lp = target + (old - target) * stay
        noisy = 1 - m.leak_jitter_fraction * self.jitter(interval, count) if m.leak_rate_hz else 1.0
        slope = (self.lp - old) / dt + self.leak * noisy
        rate = self.shot * (1 - 0.75 * bright)
        word = bits(key(self.seed, NOISE_DRAWS + (interval + 1 << 8)), self.number)
        t, d, found = begin, old - self.base, []
        while True:
            at, sign = self.next_signal(d, slope, t, end)
            noise = t + self.wait / rate if rate else math.inf
            if noise <= min(at, end):
                d, t = d + slope * (noise - t), noise
                word = (word + 0x632BE59BD9B4E019) & MASK
                self.wait = -math.log1p(-uniform(bits(word, 1)))
                if t < self.last + m.refractory_period_s:
                    continue
                sign = 1 if uniform(bits(word, 2)) < self.share else -1
                d = 0.0
            elif at <= end:
                d, self.wait, t = d + slope * (at - t), self.wait - rate * (at - t), at
                d -= self.on if sign > 0 else -self.off
            else:
                break
            self.last = t
            found.append((t, sign))
        self.base = self.lp - (d + slope * (end - t))
        self.wait -= rate * (end - t)
        return found

    def next_signal(self, d: float, slope: float, t: float, end: float) -> tuple[float, int]:
        """The first moment from t on, and when the pixel is free again, at which d is at a threshold or beyond it."""
        free = max(t, self.last + self.m.refractory_period_s)
        thresholds = ((1, self.on), (-1, self.off))
        for sign, threshold in thresholds:
            if sign * (d + slope * (free - t)) >= threshold * (1 - EXACT):
                beyond = sign * d >= threshold * (1 - EXACT)
                return max(free, t if beyond else t + (sign * threshold - d) / slope), sign
        for sign, threshold in thresholds:
            if free <= end and sign * (d + slope * (end - t)) >= threshold * (1 - EXACT):
                return min(max(free, t + (sign * threshold - d) / slope), end), sign
        return math.inf, 0


def defined(frames: np.ndarray, times: list[int], model: DvsModel, seed: int) -> np.ndarray:
    """The events of a clip [n, H, W]; times in µs."""
    height, width = frames.shape[1:]
    pixels = [Pixel(model, seed, number, height * width) for number in range(height * width)]
    found = []
    for index, frame in enumerate(frames):
        begin, end = times[max(0, index - 1)], times[index]
        for number, pixel in enumerate(pixels):
            each = pixel.feed(float(frame.flat[number]), begin / 1e6, end / 1e6, index - 1, height * width)
            stamps = [(min(max(begin + 1, math.ceil(t * 1e6 - 1e-5)), end), sign > 0) for t, sign in each]
            found += [(t, number % width, number // width, sign) for t, sign in stamps]
    return np.array(sorted(found, key=lambda event: (event[0], event[2], event[1])), EVENT)

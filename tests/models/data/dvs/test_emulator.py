"""The event camera: its kernel against its definition, and the closed forms of its equations."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from spikeport.models.data.dvs import emulator
from spikeport.models.data.dvs.counted import event_frames, events_of, frames_of
from spikeport.models.data.dvs.emulator import EVENT, ROOM, Cameras, Emulator
from spikeport.models.data.dvs.model import PRESETS, DvsModel
from spikeport.toolchain.errors import UsageError
from spikeport.toolchain.kernels import threads
from support.dvs_pixels import QUIET, defined
from support.dvs_videos import walking

rng = np.random.default_rng


def changed(**numbers) -> DvsModel:
    return DvsModel(**{**vars(QUIET), **numbers})


def exponentially(levels: np.ndarray) -> np.ndarray:
    """Frames [n, 1, 1] of these log intensities."""
    return np.exp(levels)[:, None, None]


MODELS = st.builds(
    DvsModel,
    pos_thres=st.floats(0.05, 0.6),
    neg_thres=st.floats(0.05, 0.6),
    sigma_thres=st.sampled_from([0.0, 0.03, 0.3]),
    cutoff_hz=st.sampled_from([0.0, 5.0, 300.0]),
    leak_rate_hz=st.sampled_from([0.0, 1.0, 30.0]),
    shot_noise_rate_hz=st.sampled_from([0.0, 20.0, 400.0]),
    refractory_period_s=st.sampled_from([0.0, 0.0005, 0.013, 0.05]),
)


@settings(max_examples=60, deadline=None)
@example(DvsModel(0.5, 0.25, 0, 0, 0, 0.1, 0.1, 20.0, 0.0005), 251, [1, 69, 10156])  # waits for nothing, then noise
@given(MODELS, st.integers(0, 2**31), st.lists(st.integers(1, 60_000), min_size=1, max_size=5))
def test_the_kernel_does_what_the_definition_says(model: DvsModel, seed: int, gaps: list[int]) -> None:
    times = [0, *np.cumsum(gaps).tolist()]
    frames = np.round(rng(seed).random((len(times), 2, 3)) * 255)
    found, expected = events_of(frames, times, model, seed), defined(frames, times, model, seed)
    assert len(found) == len(expected)
    for name in "xyp":
        np.testing.assert_array_equal(
            np.sort(found, order=["y", "x", "t"])[name], np.sort(expected, order=["y", "x", "t"])[name]
        )
    assert np.abs(np.sort(found["t"]) - np.sort(expected["t"])).max(initial=0) <= 1  # µs: roundings of times in s


def test_a_ramp_in_log_intensity_gives_an_event_for_each_threshold_at_its_time() -> None:
    slope, theta, end = 3.1, 0.2, 1.0
    times = np.round(np.linspace(0, end, 31) * 1e6).astype(int)
    events = events_of(exponentially(np.log(30) + slope * times * 1e-6 / 2), times.tolist(), QUIET)
    count = math.floor(slope / 2 * end / theta)
    crossing = (np.arange(count) + 1) * theta / (slope / 2)
    assert len(events) == count
    assert (events["p"] == 1).all()
    np.testing.assert_allclose(events["t"] * 1e-6, crossing, atol=2e-6)
    down = events_of(exponentially(np.log(200) - slope * times * 1e-6 / 2), times.tolist(), changed(neg_thres=0.3))
    assert len(down) == math.floor(slope / 2 / 0.3)
    assert (down["p"] == 0).all()


@settings(max_examples=25, deadline=None)
@given(st.floats(21, 255), st.floats(21, 255), st.floats(0.05, 1.5), st.floats(0.05, 1.5))
def test_a_step_gives_the_whole_thresholds_in_it_evenly(low: float, high: float, on: float, off: float) -> None:
    model = changed(pos_thres=on, neg_thres=off)
    events = events_of(np.array([low, high]).reshape(2, 1, 1), [0, 10_000], model)
    step = math.log(high) - math.log(low)
    theta = on if step > 0 else off
    count = math.floor(abs(step) / theta + 1e-9)
    assert len(events) == count
    shares = (np.arange(count) + 1) * theta / abs(step) if count else []
    np.testing.assert_allclose(events["t"], np.ceil(np.multiply(shares, 10_000)), atol=1)


def test_an_event_has_the_first_whole_microsecond_at_which_it_has_happened() -> None:
    events = events_of(exponentially(np.log(50) + np.array([0.0, 0.8, 0.0])), [0, 7, 14], QUIET)
    assert events["t"].tolist() == [2, 4, 6, 7, 9, 11, 13, 14]  # 1.75, 3.5, 5.25 and 7, and the same again


def test_dark_pixels_are_linear() -> None:
    events = events_of(np.array([0.0, 20.0]).reshape(2, 1, 1), [0, 1000], QUIET)
    assert len(events) == math.floor(math.log(20) / 0.2)
    np.testing.assert_allclose(np.diff(events["t"]), 1000 * 0.2 / math.log(20), atol=1)
    half = events_of(np.array([0.0, 10.0]).reshape(2, 1, 1), [0, 1000], QUIET)
    assert len(half) == math.floor(math.log(20) / 2 / 0.2)


def test_light_that_comes_back_takes_back_its_events() -> None:
    """Also where it is an exact number of thresholds: roundings must not swallow the last one."""
    levels = np.log(25) + 0.2 * np.array([0, 7, 0, 3, 9, 0])
    events = events_of(exponentially(levels), list(range(0, 60, 10)), QUIET)
    signs = [
        np.sum(np.where(events["p"], 1, -1)[(events["t"] > 10 * k) & (events["t"] <= 10 * k + 10)]) for k in range(5)
    ]
    assert signs == [7, -7, 3, 6, -9]


def test_a_moving_bar_gives_each_edge_its_events_once_per_pixel() -> None:
    low, high, width, size = 40.0, 160.0, 3, 24
    frames = np.full((size - width + 1, 4, size), low)
    for k, frame in enumerate(frames):
        frame[:, k : k + width] = high
    times = [1000 * k for k in range(len(frames))]
    events = events_of(frames, times, QUIET)
    per_edge = math.floor(math.log(high / low) / 0.2 + 1e-9)
    on, off = (np.bincount(events["x"][events["p"] == p], minlength=size) / 4 for p in (1, 0))
    np.testing.assert_array_equal(on, [0] * width + [per_edge] * (size - width))
    np.testing.assert_array_equal(off, [per_edge] * (size - width) + [0] * width)
    for x in range(width, size):
        stamps = events["t"][(events["x"] == x) & (events["p"] == 1)]
        assert ((stamps > 1000 * (x - width)) & (stamps <= 1000 * (x - width + 1))).all()


def test_flicker_gives_as_many_on_as_off_in_every_period() -> None:
    levels = np.log(100) + 0.5 * np.sin(2 * np.pi * np.arange(401) / 40)
    events = events_of(exponentially(levels), [250 * k for k in range(401)], QUIET)
    periods = (events["t"] - 1) // 10_000
    on, off = (np.bincount(periods[events["p"] == p], minlength=10)[1:] for p in (1, 0))
    np.testing.assert_array_equal(on, off)
    assert set(on.tolist()) == {2 * math.floor(0.5 / 0.2)}  # the pixel's base is a whole number of thresholds off


def test_events_of_a_walker_give_back_his_pictures() -> None:
    """θ·(ON − OFF) since the first picture is L − L₀: at an event exactly, at a picture up to one threshold."""
    frames, times = walking(25).astype(float), 33_333 * np.arange(25)
    level = np.where(frames <= 20, frames * (math.log(20) / 20), np.log(np.maximum(frames, 1))).reshape(25, -1)
    events = events_of(frames, times.tolist(), QUIET)
    assert len(events) > 5000
    place, sign = events["y"].astype(int) * frames.shape[2] + events["x"], np.where(events["p"], 1, -1)
    base, first = level[0].copy(), 0
    for begin, before, after in zip(times, level, level[1:], strict=False):
        last = first + np.count_nonzero(events["t"][first:] <= begin + 33_333)
        for t, pixel, each in zip(events["t"][first:last], place[first:last], sign[first:last], strict=True):
            base[pixel] += each * 0.2
            slope = (after[pixel] - before[pixel]) / 33_333
            late = (before[pixel] + slope * (t - begin) - base[pixel]) / slope
            assert -1e-5 < late < 1 + 1e-5  # the first whole µs
        assert (np.abs(after - base) < 0.2 * (1 + 1e-9)).all()
        first = last
    assert first == len(events)


@pytest.mark.parametrize("intensity", [0, 30, 255])
def test_the_photoreceptor_answers_a_step_with_its_time_constant(intensity: int) -> None:
    """The time of the k-th event after a step from L₀ to L₁ is −τ·ln(1 − kθ/(L₁ − L₀)), τ = 1/(2π·cutoff·ι)."""
    frames = np.full((4001, 1, 1), float(intensity))
    frames[0] = 120 if intensity != 120 else 60
    start, end = (x * math.log(20) / 20 if x <= 20 else math.log(x) for x in (float(frames[0, 0, 0]), intensity))
    tau = 1 / (2 * math.pi * 100 * (intensity + 20) / 275)
    events = events_of(frames, [10 * k for k in range(4001)], changed(cutoff_hz=100.0))
    shares = np.arange(1, len(events) + 1) * 0.2 / abs(end - start)
    assert len(events) == math.floor(abs(end - start) * (1 - math.exp(-0.04 / tau)) / 0.2)
    np.testing.assert_allclose(events["t"] * 1e-6, -tau * np.log(1 - shares), atol=1.2e-5)


def test_a_still_scene_leaks_at_the_leak_rate() -> None:
    model = changed(leak_rate_hz=2.3, leak_jitter_fraction=0.0, noise_rate_cov_decades=0.0)
    times = [33_333 * k for k in range(91)]
    events = events_of(np.full((91, 5, 5), 77, np.uint8), times, model)
    assert (events["p"] == 1).all()
    expected = np.ceil((np.arange(math.floor(2.3 * times[-1] * 1e-6)) + 1) / 2.3e-6)
    for y in range(5):
        for x in range(5):
            np.testing.assert_allclose(events["t"][(events["x"] == x) & (events["y"] == y)], expected, atol=1)


def test_leak_spreads_log_normally_from_pixel_to_pixel() -> None:
    model = changed(leak_rate_hz=50.0, leak_jitter_fraction=0.1, noise_rate_cov_decades=0.1)
    events = events_of(np.full((21, 40, 40), 77, np.uint8), [200_000 * k for k in range(21)], model)
    rates = np.bincount(events["y"].astype(int) * 40 + events["x"], minlength=1600) / 4.0
    logs = np.log10(rates / 50)
    assert abs(logs.mean()) < 4 * 0.1 / 40
    assert abs(logs.std() - 0.1) < 0.008


@pytest.mark.parametrize("intensity", [0, 200])
def test_shot_noise_is_poisson(intensity: int) -> None:
    """Counts of mean and variance λT, λ = rate·(1 − ¾ι); times uniform; as many ON as OFF."""
    rate, side, end = 40.0, 60, 0.5
    model = changed(shot_noise_rate_hz=rate)
    events = events_of(np.full((6, side, side), intensity, np.uint8), [int(k * end * 2e5) for k in range(6)], model, 7)
    mean = rate * (1 - 0.75 * (intensity + 20) / 275) * end
    counts = np.bincount(events["y"].astype(int) * side + events["x"], minlength=side * side)
    error = math.sqrt(mean / side**2)
    assert abs(counts.mean() - mean) < 4 * error
    assert abs(counts.var() / counts.mean() - 1) < 4 * math.sqrt(2) / side
    assert abs(events["p"].mean() - 0.5) < 2 / math.sqrt(len(events))
    spread = np.bincount((events["t"] - 1) // 25_000, minlength=20)
    assert ((spread - spread.mean()) ** 2 / spread.mean()).sum() < 45  # χ² of 19 degrees: 1 of 1000 is above 43.8


def test_a_pixel_of_a_lower_threshold_is_noisier() -> None:
    events = events_of(
        np.zeros((2, 50, 50), np.uint8), [0, 1_000_000], changed(pos_thres=0.1, neg_thres=0.3, shot_noise_rate_hz=20.0)
    )
    assert abs(events["p"].mean() - 0.5) < 2 / math.sqrt(len(events))  # v2e: thresholds count relative to their mean
    spread = changed(sigma_thres=0.05, shot_noise_rate_hz=20.0)
    camera = Cameras((50, 50), spread, [3])
    events = events_of(np.zeros((2, 50, 50), np.uint8), [0, 1_000_000], spread, 3)
    counts = np.bincount(events["y"].astype(int) * 50 + events["x"], minlength=2500)
    low = 1 / camera._pixel[0] + 1 / camera._pixel[1] > 10
    assert counts[low].mean() > counts[~low].mean() + 2


@settings(max_examples=15, deadline=None)
@given(st.floats(0.0005, 0.02), st.integers(0, 1000))
def test_no_two_events_of_a_pixel_within_the_refractory_time(period: float, seed: int) -> None:
    frames = rng(seed).random((12, 3, 3)) * 255
    model = changed(refractory_period_s=period, shot_noise_rate_hz=100.0, leak_rate_hz=5.0)
    events = events_of(frames, [5000 * k for k in range(12)], model, seed)
    for place in range(9):
        stamps = events["t"][(events["y"].astype(int) * 3 + events["x"]) == place]
        assert (np.diff(stamps) >= math.floor(period * 1e6)).all()
        assert len(stamps) <= 55_000 / (period * 1e6) + 1


def test_events_that_wait_are_not_lost() -> None:
    """Nine thresholds at once and a refractory time of 4 ms: an event every 4 ms, until the picture is caught up."""
    frames = exponentially(np.log(30) + np.array([0.0, 1.9, 1.9, 1.9, 1.9, 1.9]))
    events = events_of(frames, [10_000 * k for k in range(6)], changed(refractory_period_s=0.004))
    first = math.ceil(10_000 * 0.2 / 1.9)
    np.testing.assert_allclose(events["t"], first + 4000 * np.arange(9), atol=1)


def test_the_same_events_whole_frame_by_frame_alone_and_on_any_number_of_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    frames, times = rng(5).integers(0, 256, (4, 9, 140, 130), dtype=np.uint8), [40_000 * k for k in range(9)]
    model = DvsModel(shot_noise_rate_hz=5.0, leak_rate_hz=1.0)
    whole = events_of(frames[2], times, model, 12)
    together = Cameras((130, 140), model, [3, 4, 12, 5])
    beside = [together.feed(frames[:, k], time) for k, time in enumerate(times)]
    t, places, signs = (np.concatenate(each) for each in zip(*beside, strict=True))
    own = places // (140 * 130) == 2
    np.testing.assert_array_equal(whole["t"], t[own])
    np.testing.assert_array_equal(whole["y"].astype(int) * 130 + whole["x"], places[own] % (140 * 130))
    np.testing.assert_array_equal(whole["p"], signs[own])
    for cores in (1, 5):
        monkeypatch.setattr(threads, "thread_count", lambda cores=cores: cores)
        np.testing.assert_array_equal(events_of(frames[2], times, model, 12), whole)
    assert not np.array_equal(events_of(frames[2], times, model, 13), whole)


def test_what_waits_is_forgotten_when_the_light_goes_back_before() -> None:
    """Up by five thresholds in 10 ms and down again, 7 ms refractory: at 16 ms there is nothing left to say."""
    frames = exponentially(np.log(30) + np.array([0.0, 1.0, 0.0, 0.0]))
    events = events_of(frames, [0, 10_000, 20_000, 30_000], changed(refractory_period_s=0.007))
    np.testing.assert_allclose(events["t"], [2000, 9000, 18_000, 25_000], atol=1)
    assert events["p"].tolist() == [1, 1, 0, 0]


def test_events_come_in_order_and_more_of_them_than_there_was_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = rng(0).random((3, 40, 100)) * 255
    events = events_of(frames, [0, 70_000, 140_000], changed(pos_thres=0.01, neg_thres=0.01))
    assert len(events) > 8 * ROOM
    monkeypatch.setattr(emulator, "ROOM", 3 * len(events))
    np.testing.assert_array_equal(
        events_of(frames, [0, 70_000, 140_000], changed(pos_thres=0.01, neg_thres=0.01)), events
    )
    assert events.dtype == EVENT
    assert (np.diff(events["t"]) >= 0).all()
    key = events["t"] * 2**40 + events["y"].astype(np.int64) * 2**20 + events["x"]
    assert (np.diff(key) >= 0).all()


def test_more_noise_than_the_memory_holds_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A video may say that its next picture comes in a thousand years."""
    monkeypatch.setattr(emulator, "MOST_EVENTS", 1 << 14)
    for size, rate in (((1, 1), 1e4), ((150, 150), 4e-9)):  # of one pixel, and of all of them a few
        camera = Emulator(size, changed(leak_rate_hz=rate))
        still = np.full(size, 90, np.uint8)
        camera.feed(still, 0)
        most = max(1 << 14, 64 * still.size)
        with pytest.raises(UsageError, match=rf"more than {most:,} events from 0\.000 s to 30,000,000,000\.000 s"):
            camera.feed(still, 30 * 10**15)


def test_slices_stand_for_frames_in_a_straight_line() -> None:
    levels = rng(1).random((4, 3, 4)) * 2 + math.log(25)
    times = [0, 30_000, 60_000, 90_000]
    model = changed(cutoff_hz=30.0)
    shares = np.linspace(0, 1, 6)[1:]
    between = [levels[:1], *(a + share * (b - a) for a, b in itertools.pairwise(levels) for share in shares)]
    camera, dense = Emulator((4, 3), DvsModel(**{**vars(model), "slices": 5})), Emulator((4, 3), model)
    bright = np.full(12, 0.5)
    sliced = [camera.feed_levels(level, bright, time) for level, time in zip(levels, times, strict=True)]
    given_all = [
        dense.feed_levels(np.asarray(level).reshape(-1), bright, 6000 * k)
        for k, level in enumerate([between[0], *between[1:]])
    ]
    np.testing.assert_array_equal(np.concatenate(sliced), np.concatenate(given_all))


def test_frames_of_many_clips_at_once_are_those_of_each() -> None:
    clips = np.repeat(np.repeat(rng(2).random((3, 9, 6, 5)) * 255, 2, 2), 2, 3)
    times, model = [20_000 * k for k in range(9)], PRESETS["noisy"]
    found = event_frames(clips, times, model, [7, 8, 9], 4, (5, 6))
    assert found.shape == (4, 3, 2, 6, 5)
    for clip in range(3):
        events = events_of(clips[clip], times, model, 7 + clip)
        np.testing.assert_array_equal(found[:, clip], frames_of(events, (0, 160_000), 4, (10, 12), (5, 6)))


def test_what_cannot_be_is_refused() -> None:
    for numbers, message in (
        ({"pos_thres": 0.001}, "pos_thres: 0.001; expected 0.01 to 100"),
        ({"leak_rate_hz": -1.0}, "leak_rate_hz: -1; expected 0 to 10000"),
        ({"cutoff_hz": math.nan}, "cutoff_hz: nan; expected"),
        ({"slices": 0}, "slices: 0; expected 1 to 1000"),
        ({"slices": 10_000}, "slices: 10000; expected 1 to 1000"),
    ):
        with pytest.raises(UsageError, match=message):
            DvsModel(**numbers)
    camera = Emulator((4, 3), QUIET)
    camera.feed(np.zeros((3, 4)), 5)
    with pytest.raises(UsageError, match="a frame at 5 µs; expected one after 5 µs"):
        camera.feed(np.zeros((3, 4)), 5)
    with pytest.raises(UsageError, match=r"frames \[1, 4, 3\]; expected \[1, 3, 4\]"):
        camera.feed(np.zeros((4, 3)), 6)
    for wrong in (-1.0, math.nan, math.inf):
        with pytest.raises(UsageError, match="an intensity below 0, or that is no number"):
            camera.feed(np.full((3, 4), wrong), 6)
    with pytest.raises(UsageError, match="1 × 0 × 4 pixels"):
        Emulator((0, 4), QUIET)


def test_the_presets_are_those_of_v2e() -> None:
    numbers = {name: tuple(vars(preset).values()) for name, preset in PRESETS.items()}
    assert list(vars(DvsModel())) == [
        *("pos_thres", "neg_thres", "sigma_thres", "cutoff_hz", "leak_rate_hz", "leak_jitter_fraction"),
        *("noise_rate_cov_decades", "shot_noise_rate_hz", "refractory_period_s", "slices"),
    ]
    assert numbers == {
        "v2e": (0.2, 0.2, 0.03, 300, 0.01, 0.1, 0.1, 0.001, 0.0005, 1),
        "clean": (0.2, 0.2, 0.02, 0, 0, 0, 0, 0, 0, 1),
        "noisy": (0.2, 0.2, 0.05, 30, 0.1, 0.1, 0.1, 5, 0, 1),
    }


def test_thresholds_spread_normally_and_apart_for_on_and_off() -> None:
    """The k-th ON event of a ramp of slope s is at kθ/s: first times are thresholds, of mean 0.2 and deviation σ."""
    side, end, model = 60, 1_000_000, changed(sigma_thres=0.04)
    firsts = {}
    for sign, levels in ((1, (3.5, 4.5)), (0, (4.5, 3.5))):
        frames = exponentially(np.array(levels)) * np.ones((1, side, side))
        events = events_of(frames, [0, end], model, 11)
        assert (events["p"] == sign).all()
        place, first = np.unique(events["y"].astype(int) * side + events["x"], return_index=True)
        assert len(place) == side**2
        firsts[sign] = events["t"][first] / end
    for thresholds in firsts.values():
        assert abs(thresholds.mean() - 0.2) < 4 * 0.04 / side
        assert abs(thresholds.std() / 0.04 - 1) < 4 / math.sqrt(2) / side
        assert abs(((thresholds - 0.2) ** 3).mean() / 0.04**3) < 4 * math.sqrt(15) / side
    assert abs(np.corrcoef(firsts[0], firsts[1])[0, 1]) < 4 / side

"""The table of `spikeport bench actions` from trainings made by hand."""

import pytest
from rich.console import Console
from spikeport.benchmarks import races
from spikeport.benchmarks.actions.judging import meanings, rows_of, verdicts
from spikeport.benchmarks.actions.trainings import Run
from spikeport.benchmarks.actions.variants import ALONE, TWIN, VARIANTS, WHOLE

CLIPS = 100
RIGHT = {
    WHOLE: (96, 94, 92),
    ALONE[0]: (60, 62, 64),
    ALONE[1]: (80, 85, 75),
    TWIN: (95, 95, 95),
    "without DIB": (94,) * 3,
}
"""By seed; the first clips are right."""


def run(variant, seed, count):
    right = [1] * count + [0] * (CLIPS - count)
    rate = None if variant == TWIN else 0.1 + 0.01 * seed
    found = {"test_accuracy": count / CLIPS, "right": right, "spike_rate": rate, "seconds": 10.0 + seed}
    return Run(variant, seed, found, f"{variant}-{seed}/best.safetensors")


@pytest.fixture(scope="module")
def rows():
    runs = [run(name, seed, count) for name, each in RIGHT.items() for seed, count in enumerate(each)]
    energies = {name: {"paper": 21566.4, "strict": 28604.9} for name in RIGHT} | {
        TWIN: {"paper": 53916.0, "strict": 42907.35}
    }
    return {row["variant"]: row for row in rows_of(runs, energies, dict.fromkeys(RIGHT, 221282))}


def test_a_row_is_means_over_seeds(rows):
    assert list(rows) == [name for name in VARIANTS if name in RIGHT]
    whole, events = rows[WHOLE], rows["events alone"]
    assert whole["mean_accuracy"] == pytest.approx(0.94)
    assert whole["accuracy_spread"] == pytest.approx(0.02)  # n − 1; by n it were 0.0163
    assert "mean_points" not in whole
    assert (events["seeds"], events["accuracies"]) == ([0, 1, 2], [0.80, 0.85, 0.75])
    assert events["spikes"] == pytest.approx(0.11)
    assert events["seconds"] == 33
    assert events["checkpoint"] == "events alone-0/best.safetensors"
    assert (events["paper_nj"], events["strict_nj"], events["weights"]) == (21566.4, 28604.9, 221282)
    assert rows[TWIN]["spikes"] is None


def test_points_are_paired_by_seed_and_by_clip(rows):
    """Clips 95 and 96, and 93 and 94, differ for one seed each: by hand from the 3 × 100 differences."""
    found = rows["without DIB"]
    assert found["mean_points"] == pytest.approx(0)
    # seeds −2, 0, 2 points: M_s = 100 · 0.0008 / 2; clips ∓1/3, two each: M_c = 3 · (4/9) / 99; the rest of 4 is M_r
    seeds, clips, rest = 0.04, 4 / 3 / 99, (4 - 0.08 - 4 / 3) / 198
    assert found["points_error"] == pytest.approx(100 * ((max(seeds, rest) + max(clips, rest) - rest) / 300) ** 0.5)
    assert rows["events alone"]["mean_points"] == pytest.approx(-14)


def test_seeds_are_paired_by_their_number_not_by_their_place(rows):
    shuffled = [run("events alone", seed, RIGHT["events alone"][seed]) for seed in (2, 0, 1)]
    whole = [run(WHOLE, seed, count) for seed, count in enumerate(RIGHT[WHOLE])]
    energies = {name: {"paper": 1.0, "strict": 1.0} for name in (WHOLE, "events alone", "without DIB")}
    found = rows_of([*shuffled, *whole], energies, dict.fromkeys(energies, 1))[1]
    assert found["points_error"] == pytest.approx(rows["events alone"]["points_error"])
    lone = [run(WHOLE, 0, 96), run("without DIB", 0, 94)]
    one = rows_of(lone, energies, dict.fromkeys(energies, 1))[1]
    assert one["accuracy_spread"] is None
    assert one["points_error"] == pytest.approx(100 * (2 * 98 / 100 / 99 / 100) ** 0.5)


def test_what_the_table_says(rows):
    worse = {**rows, "without SSE": {**rows["without DIB"], "variant": "without SSE", "mean_points": -9.0}}
    error = rows["events alone"]["points_error"]
    assert verdicts(list(worse.values())) == [
        f"fusion 94.0%, 14.0 ± {error:.1f} points above events alone",
        "its twin with rectifiers: 95.0%; energy of the twin over the fusion's: 2.50× (paper), 1.50× (strict)",
        "spikes of a neuron in a step: 0.1100 with the bottleneck, 0.1100 without",
        "beside fusion, by more than 2 standard errors: worse: without SSE; not told apart: without DIB",
    ]
    better = {**rows, "without SSE": {**worse["without SSE"], "mean_points": 9.0}}
    assert verdicts(list(better.values()))[-1].endswith("better: without SSE; not told apart: without DIB")
    assert verdicts([row for name, row in rows.items() if name != TWIN]) == []


@pytest.fixture
def shown(rows, monkeypatch):
    """What `spikeport bench actions` shows, at a width or in Markdown."""
    data = {"name": "actions", "rows": list(rows.values()), "notes": meanings(40)}
    monkeypatch.setattr(races, "referred", lambda *_: lambda **_: data)

    def show(width, **how):
        console = Console(width=width)
        with console.capture() as captured:
            console.print(races.raced("actions", quick=False, **how).view, crop=False)
        return captured.get().rstrip("\n").splitlines()

    return show


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_fits(shown, width):
    lines = shown(width)
    assert max(map(len, lines)) <= width
    (events,) = (line for line in lines if line.startswith("events alone"))
    assert " ".join(events.split()) == "events alone 80.0% ± 5.0 -14.0 ± 3.7 0.1100 21.6 28.6 221,282"


def test_the_table_in_markdown(shown):
    lines = shown(80, marked=True)
    assert lines[:2] == [
        "| trained | accuracy | points | spikes | paper µJ | strict µJ | weights |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    assert "| events alone | 80.0% ± 5.0 | -14.0 ± 3.7 | 0.1100 | 21.6 | 28.6 | 221,282 |" in lines
    assert "| relu twin | 95.0% ± 0.0 | +1.0 ± 1.3 |  | 53.9 | 42.9 | 221,282 |" in lines
    assert lines[7] == ""
    assert lines[8:] == [f"- {each}" for each in meanings(40)]

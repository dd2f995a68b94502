"""`spikeport energy` as a user meets it: from a SOURCE to a table and a report, and what bad input is told."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import spikeport
from spikeport.toolchain.graph import Graph, chain
from spikeport.toolchain.graph import nodes as n
from support.command_line import data, run, user_folder

PROFILE = """
title = "ours"
[constants.mac]
value = 2.0
unit = "pJ"
process = "7 nm"
year = 2025
source = "our measurement, lab book 12"
[constants.ac]
value = 0.5
unit = "pJ"
process = "7 nm"
year = 2025
source = "our measurement, lab book 12"
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = user_folder(tmp_path, monkeypatch)
    rng = np.random.default_rng(0)
    np.savez(folder / "set.npz", values=(rng.random((9, 6, 2, 6, 6)) < 0.2), labels=np.array([0, 1, 0, 1, 2, 2]))
    (folder / "ours.toml").write_text(PROFILE)
    return folder


def _network(found: dict, title: str) -> dict:
    return next(each for each in found["networks"] if each["title"] == title)


def _energy(network: dict, rule: str) -> float:
    return next(each["pj"] for each in network["energies"] if each["rule"] == rule)


def test_a_graph_on_a_file_of_values_gets_a_report(here: Path) -> None:
    found = data("energy", "small.graph", "--data", "set.npz", "--against", "twin", "-o", "report", "--passes", "none")
    small = spikeport.load("small.graph")
    with np.load("set.npz") as held:
        counts = spikeport.count(small, held["values"].astype(np.float32))
    mine = _network(found, "small.graph")
    assert _energy(mine, "strict") == pytest.approx(spikeport.energy(counts, "strict").pj)
    assert _energy(mine, "paper") == pytest.approx(spikeport.energy(counts, "paper").pj)
    assert {each["title"] for each in found["networks"]} == {
        "small.graph",
        "ANN twin, one pass",
        "ANN twin, every step",
    }
    assert sorted(path.name for path in Path("report").iterdir()) == [
        "counts.journal", "energy.csv", "energy.json", "energy.tex", "index.html",
    ]  # fmt: skip
    rows = list(csv.DictReader(Path("report/energy.csv").read_text().splitlines()))
    billed = sum(
        float(row["pj_per_sample"]) for row in rows if row["network"] == "small.graph" and row["rule"] == "strict"
    )
    assert billed == pytest.approx(_energy(mine, "strict"))
    written = json.loads(Path("report/energy.json").read_text())
    assert written == {key: value for key, value in found.items() if key != "files"} | {"command": written["command"]}


def test_the_second_report_takes_the_counts_of_the_first(here: Path) -> None:
    first = data("energy", "small.graph", "--data", "set.npz", "--rule", "strict", "-o", "report")
    code, _, said = run("energy", "small.graph", "--data", "set.npz", "--rule", "events", "-o", "report")
    assert code == 0
    assert "6 samples were counted by an earlier run" in said
    again = data("energy", "small.graph", "--data", "set.npz", "--rule", "strict", "-o", "report", "--restart")
    assert _energy(again["networks"][0], "strict") == _energy(first["networks"][0], "strict")
    code, _, said = run("energy", "small.graph", "--made", "poisson:0.5", "-o", "report")
    assert code == 2
    assert "counts.journal" in said
    assert "--restart" in said


def test_passes_run_first_unless_they_are_refused(here: Path) -> None:
    folded = data("energy", "small.graph", "--rule", "strict")
    plain = data("energy", "small.graph", "--rule", "strict", "--passes", "none")
    assert _energy(plain["networks"][0], "strict") > _energy(folded["networks"][0], "strict")
    assert any("by passes (--explain says which" in note for note in folded["notes"])


def test_what_the_passes_did_is_said_when_asked_for(here: Path) -> None:
    said = data("energy", "small.graph", "--rule", "strict", "--explain")["notes"]
    assert any(note.startswith("small: ") and "norm" in note for note in said[1:]), said
    assert len(said) > len(data("energy", "small.graph", "--rule", "strict")["notes"])
    code, out, err = run("energy", "chip.graph", "--passes", "simplify")
    assert (code, out) == (2, "")
    assert err.startswith("error: --passes: 'simplify' for chip.graph, a chip graph")
    call = ("energy", "small.graph", "--rule", "events", "--passes", "simplify", "--against", "chip.graph")
    assert [each["title"] for each in data(*call)["networks"]] == ["small.graph", "chip.graph"]


def test_a_profile_of_ones_own_and_another_value_of_a_constant(here: Path) -> None:
    found = data(
        "energy", "small.graph", "--rule", "paper", "--profile", "ours.toml", "--what-if", "ac=0.25,mac=0", "--data",
        "set.npz",
    )  # fmt: skip
    counts = spikeport.count(spikeport.pipeline("simplify")(spikeport.load("small.graph")).graph, _values())
    base = spikeport.energy(counts, "paper", "ours.toml")
    assert _energy(found["networks"][0], "paper") == pytest.approx(base.pj)
    by_kind = {line.constant.name: line.pj / 6 for line in base.lines}
    totals = {row["constant"]: row["totals"]["small.graph"] for row in found["what_if"]}
    assert totals["ac"] == pytest.approx(base.pj - by_kind["ac"] / 2)
    assert totals["mac"] == pytest.approx(base.pj - by_kind["mac"])


def _values() -> np.ndarray:
    with np.load("set.npz") as held:
        return held["values"].astype(np.float32)


def test_a_module_is_counted_while_it_runs(here: Path) -> None:
    example = data("energy", "networks:with_example", "--road", "module", "--rule", "strict")
    assert example["data"]["description"] == "one call on the example that the factory gave"
    call = ("energy", "networks:steps", "--shape", "6", "--made", "normal:1", "--samples", "3", "--rule", "strict")
    graph, module = data(*call, "--passes", "none"), data(*call, "--road", "module")
    assert _energy(graph["networks"][0], "strict") == pytest.approx(_energy(module["networks"][0], "strict"))


def test_what_no_graph_can_be_made_of_is_counted_in_the_module_and_said(here: Path) -> None:
    found = data("energy", "networks:host", "--shape", "6", "--made", "normal:1", "--rule", "strict")
    assert any("no graph can be made of it" in note for note in found["notes"])
    code, _, said = run("energy", "networks:host", "--shape", "6", "--road", "graph")
    assert code == 2
    assert "refused" in said


def test_one_rule_with_two_profiles_is_told_apart_everywhere(here: Path) -> None:
    asked = ("energy", "small.graph", "--data", "set.npz", "--rule", "strict", "--profile", "45nm-fp32")
    found = data(*asked, "--profile", "45nm-int8", "--what-if", "ac=0.5")
    spread = found["networks"][0]["spread"]
    assert (spread["least_rule"], spread["most_rule"]) == ("strict", "strict")
    assert (spread["least_profile"], spread["most_profile"]) == ("45nm-int8", "45nm-fp32")
    assert [(row["rule"], row["profile"]) for row in found["what_if"]] == [
        ("strict", "45nm-fp32"),
        ("strict", "45nm-int8"),
    ]
    _, shown, _ = run(*asked, "--profile", "45nm-int8")
    assert "(strict · 45nm-int8) to" in " ".join(shown.split())


def test_a_chip_graph_is_billed_by_what_its_chip_does(here: Path) -> None:
    found = data("energy", "chip.graph", "--made", "poisson:0.2", "--samples", "2")
    (network,) = found["networks"]
    assert {each["rule"] for each in network["energies"]} >= {"chip:loihi1", "events"}
    assert _energy(network, "chip:loihi1") > 0
    alone = data("energy", "chip.graph", "--made", "poisson:0.2", "--samples", "2", "--rule", "chip:loihi1")
    assert alone["what_if"] == []
    assert _energy(alone["networks"][0], "chip:loihi1") == _energy(network, "chip:loihi1")


def test_another_network_stands_beside_it(here: Path) -> None:
    found = data("energy", "small.graph", "--data", "set.npz", "--rule", "strict", "--against", "small.graph")
    first, second = found["networks"]
    assert _energy(first, "strict") == _energy(second, "strict")


def test_networks_of_one_name_are_told_apart(here: Path) -> None:
    small = spikeport.load("small.graph")
    other = Path("other")
    other.mkdir()
    for folder, gain in ((Path(), 1.0), (other, 0.0)):
        nodes = dict(small.nodes)
        nodes["conv"] = replace(nodes["conv"], weight=gain * np.asarray(nodes["conv"].weight))
        spikeport.save(Graph(nodes, small.wires, small.dt, "same"), folder / "same.graph")
    call = ("energy", "same.graph", "--data", "set.npz", "--rule", "strict", "--passes", "none", "--what-if", "ac=0.1")
    found = data(*call, "--against", "same.graph", "--against", "other/same.graph", "--against", "twin")
    titles = [each["title"] for each in found["networks"]]
    assert titles == [
        "same.graph", "same.graph (2)", "other/same.graph", "ANN twin, one pass", "ANN twin, every step",
    ]  # fmt: skip
    (row,) = found["what_if"]
    assert list(row["totals"]) == titles
    assert row["totals"]["same.graph"] == row["totals"]["same.graph (2)"] != row["totals"]["other/same.graph"]


def test_factories_of_one_file_are_compared_on_the_samples_of_one_shape(here: Path) -> None:
    call = ("energy", "networks:steps", "--shape", "6", "--made", "normal:1", "--samples", "2", "--rule", "strict")
    found = data(*call, "--against", "networks:one_step", "--against", "networks:host")
    titles = {each["title"]: each for each in found["networks"]}
    assert list(titles)[:3] == ["networks:steps", "networks:one_step", "networks:host"]
    assert titles["networks:host"]["about"] == "on the same samples, in every step, in the running module"
    assert _energy(titles["networks:host"], "strict") > 0


def test_a_module_that_leaves_python_is_one_message(here: Path) -> None:
    text = "import sys, torch\nclass Net(torch.nn.Module):\n    def forward(self, x):\n        sys.exit(7)\n"
    Path("leaving.py").write_text(text + "def make():\n    return Net()\n")
    for road in ("auto", "module"):
        code, out, err = run("energy", "leaving:make", "--shape", "6", "--road", road)
        assert (code, out) == (2, "")
        assert "SystemExit: 7" in err


def test_the_twin_is_explained_once(here: Path) -> None:
    found = data("energy", "small.graph", "--data", "set.npz", "--rule", "strict", "--against", "twin")
    assert [each["about"] for each in found["networks"][1:]] == [
        "the same layers where neurons are ReLUs, every value is real and none is 0; run once for each sample",
        "the same, run once in every step",
    ]


def test_what_it_is_compared_with_is_kept_in_a_journal_too(here: Path) -> None:
    spikeport.save(spikeport.pipeline("simplify")(spikeport.load("small.graph")).graph, "other.graph")
    call = (
        "energy", "small.graph", "--data", "set.npz", "--rule", "strict", "--passes", "none", "-o", "report",
        "--against", "other.graph",
    )  # fmt: skip
    first = data(*call)
    journals = {path: path.stat().st_size for path in Path("report").glob("*.journal")}
    assert len(journals) == 2
    again = data(*call)
    assert {path: path.stat().st_size for path in Path("report").glob("*.journal")} == journals
    assert again["networks"] == first["networks"]


def test_a_network_of_resonators_gets_a_report(here: Path) -> None:
    layers = [
        ("in", n.Input((3,), "spikes")), ("a", n.Affine(np.ones((2, 3)))),
        ("rf", n.ResonateFire(cos=0.9, sin=0.3, threshold=0.1)), ("out", n.Output("sum")),
    ]  # fmt: skip
    spikeport.save(chain(layers, name="rf"), "rf.graph")
    found = data("energy", "rf.graph", "--made", "poisson:0.5", "--samples", "2", "--rule", "events", "-o", "report")
    assert _energy(found["networks"][0], "events") > 0
    assert Path("report/index.html").exists()


def test_a_module_that_decides_by_values_what_it_runs_is_told_so(here: Path) -> None:
    Path("deciding.py").write_text(
        "import torch\nclass Net(torch.nn.Module):\n"
        "    def __init__(self):\n        super().__init__()\n        self.a = torch.nn.Linear(6, 6)\n"
        "    def forward(self, x):\n        return self.a(x) if x.sum() > 0 else torch.relu(self.a(x))\n"
        "def make():\n    return Net()\n"
    )
    values = np.ones((3, 2, 6)) * [[[1.0], [-1.0]]]
    np.save("values.npy", values)
    call = ("energy", "deciding:make", "--shape", "6", "--data", "values.npy", "--rule", "strict", "--road", "module")
    code, out, err = run(*call)
    assert (code, out) == (2, "")
    assert "in one sample other layers than in another" in err
    assert "--samples 1" in err
    assert data(*call, "--samples", "1")["networks"][0]["counts"]["samples"] == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--rule", "nonsense"), "error: rule: 'nonsense'; expected one of paper, strict"),
        (("--profile", "nonsense"), "error: profile: 'nonsense'; expected one of 45nm-fp32"),
        (("--profile", "bare.toml"), "error: profile bare.toml, constants.mac: no source"),
        (("--profile", "negative.toml"), "error: profile negative.toml, constants.mac: value is -2.0"),
        (("--rule", "strict", "--profile", "ours.toml"), "error: profile ours.toml: no constant 'multiply'"),
        (("--data", "nothing.npz"), "error: nothing.npz: there is no such file"),
        (("--data", "empty.npz"), "error: empty.npz"),
        (("--data", "nan.npy"), "error: nan.npy"),
        (("--data", "wide.npy"), "error: wide.npy: values of shape [9,2,2,7,6]; expected [T,B,2,6,6]"),
        (("--what-if", "ac"), "error: --what-if: 'ac'; expected NAME=PICOJOULES, as ac=0.1"),
        (("--what-if", "ac=-1"), "error: --what-if"),
        (("--what-if", "moon=1"), "error: --what-if: 'moon'; expected one of"),
        (("--road", "sea"), "error: --road: 'sea'; expected auto, graph, module"),
        (("--part", "some"), "error: --part: 'some'; expected train, validation, test"),
        (("--persons", "2"), "error: --persons: says nothing without --conventions"),
        (("--restart",), "error: --restart"),
        (("--made", "normal:1e40"), "error: sample 0, in: "),
        (("--infer-from-values",), "error: --infer-from-values: small.graph is a graph"),
        (("--data", "moving_shapes", "--steps", "5"), "error: --steps: with values in steps, as moving_shapes holds"),
        (("--against", "nonsense"), "error: nonsense: is no SOURCE"),
        (("--against", "event_convnet"), "error: --against event_convnet, data"),
        (("--scheduler", "tcp://127.0.0.1:9", "--workers", "2"), "error: --workers"),
        (("--data", "set.npz", "--made", "poisson:0.1"), "error: --made: says nothing beside --data"),
        (("-o", "small.graph/report"), "error: small.graph/report: cannot be a folder"),
    ],
)
def test_bad_input_gets_one_message(here: Path, options: tuple[str, ...], said: str) -> None:
    no_source = PROFILE.replace('source = "our measurement, lab book 12"', "", 1)
    Path("bare.toml").write_text(no_source)
    Path("negative.toml").write_text(PROFILE.replace("2.0", "-2.0"))
    np.savez("empty.npz", values=np.zeros((9, 0, 2, 6, 6)))
    np.save("nan.npy", np.full((9, 2, 2, 6, 6), np.nan))
    np.save("wide.npy", np.zeros((9, 2, 2, 7, 6)))
    code, out, err = run("energy", "small.graph", *options)
    assert code == 2
    assert out == ""
    assert err.startswith(said), err
    assert err.count("\n") == 1
    assert not Path("report").exists()


def test_activations_that_are_no_numbers_are_an_error(here: Path) -> None:
    huge = np.full((2, 2), 1e38)
    weights = {"a": huge, "b": huge * [[1], [-1]], "c": huge, "d": np.ones((2, 2))}
    layers = [("in", n.Input((2,))), *((name, n.Affine(weight)) for name, weight in weights.items())]
    spikeport.save(chain([*layers, ("out", n.Output("sum"))], name="huge"), "huge.graph")
    code, out, err = run("energy", "huge.graph", "--made", "constant:1", "--rule", "strict", "--passes", "none")
    assert (code, out) == (2, "")
    assert "NaN" in err


def test_rules_and_profiles_are_listed_with_their_sources() -> None:
    found = data("rules")
    assert {"paper", "strict", "events", "lemaire", "chip:loihi1"} <= {each["name"] for each in found["rules"]}
    assert all(each["source"] for each in found["rules"])
    constants = [constant for profile in found["profiles"] for constant in profile["constants"]]
    assert all(each["source"] and each["process"] and each["year"] for each in constants)
    code, out, _ = run("rules")
    assert code == 0
    assert "45nm-fp32" in out


def test_one_file_of_events_is_one_sample(here: Path) -> None:
    Path("events.csv").write_text("x,y,t,p\n1,2,0,0\n1,2,500,1\n5,5,2500,1\n")
    (text,) = data("energy", "small.graph", "--input", "events.csv", "--rule", "strict", "--passes", "none")["networks"]
    events = np.zeros((3, 1, 2, 6, 6), np.float32)
    for x, y, t, p in ((1, 2, 0, 0), (1, 2, 0, 1), (5, 5, 2, 1)):
        events[t, 0, p, y, x] = 1
    expected = spikeport.count(spikeport.load("small.graph"), events)
    assert _energy(text, "strict") == pytest.approx(spikeport.energy(expected, "strict").pj)
    (arrays,) = data("energy", "small.graph", "--data", "events.npy", "--rule", "strict", "--steps", "4")["networks"]
    assert arrays["counts"]["steps"] == 4

"""The trainings behind `spikeport bench actions`: done once, kept, gone on with, refused and stopped."""

import json
import signal
import subprocess
import threading
from dataclasses import replace

import pytest
from spikeport.__main__ import app
from spikeport.benchmarks.actions import bench, judging, trainings
from spikeport.benchmarks.actions.processes import Commands, side_by_side
from spikeport.benchmarks.actions.trainings import QUICK, Plan, prepare
from spikeport.benchmarks.actions.variants import WHOLE, Variant
from spikeport.toolchain.errors import FileError, SpikeportError
from support.processes import wait_for
from typer.testing import CliRunner

PLAN = Plan(train=2, validation=1, test=4, epochs=3, seeds=(0, 1))
NAMES = [WHOLE, "without DIB"]


class Told(Commands):
    """Commands that only write what they were asked, and leave what the real ones do; one of them may fail."""

    fails = ""

    def __init__(self, folder):
        super().__init__(folder)
        self.asked = []

    def told(self, *arguments, **_):
        self.asked.append(arguments)
        if arguments[0] == "data":
            (self.folder / "data").mkdir()
            for part in ("train", "validation", "test"):
                (self.folder / "data" / f"{part}.npz").touch()
            return {}
        if self.fails and self.fails in arguments:
            raise SpikeportError("spikeport train", "ended with 2: error: no luck")
        return {"test_accuracy": 0.5, "right": [1, 0, 1, 0], "seconds": 1.0}

    @property
    def trained(self):
        return [each[each.index("-o") + 1] for each in self.asked if each[0] == "train"]


def trained(folder, plan=PLAN, **attributes):
    """All trainings in a folder; what was asked for them, and what was said."""
    commands, said = Told(folder), []
    vars(commands).update(attributes)
    prepare(commands, plan)
    runs = trainings.trainings(commands, plan, NAMES, said.append)
    return commands, runs, said


def test_every_variant_is_trained_with_every_seed_once(tmp_path):
    commands, runs, said = trained(tmp_path / "new" / "folder")
    assert commands.asked[0] == ("data", "synth", "-o", "data", "--train=2", "--validation=1", "--test=4")
    assert [(run.variant, run.seed, run.checkpoint) for run in runs] == [
        (name, seed, f"{place}-{seed}/best.safetensors")
        for name, place in zip(NAMES, ("fusion", "without-DIB"), strict=True)
        for seed in (0, 1)
    ]
    given = ("train", "spiking_fusion", "--data", "data", "--seed", "1", "--threads", "1", "-o", "without-DIB-1")
    assert (*given, "--config", "dib_one=false", "--config", "dib_two=false", "--epochs", "3") in commands.asked
    assert len(said) == 4
    assert said[-1].startswith("4 of 4, ")
    again, runs_again, _ = trained(tmp_path / "new" / "folder")
    assert again.asked == []
    assert runs_again == runs


def test_what_is_missing_is_done_and_what_was_begun_goes_on(tmp_path):
    trained(tmp_path)
    (tmp_path / "fusion-1.json").unlink()
    (tmp_path / "fusion-1").mkdir()
    (tmp_path / "fusion-1" / "last.safetensors").touch()
    (tmp_path / "data" / "test.npz").unlink()
    (tmp_path / "data" / "train.npz").unlink()
    (tmp_path / "data" / "validation.npz").rename(tmp_path / "data" / "kept")
    (tmp_path / "data").rename(tmp_path / "half")
    commands, _, _ = trained(tmp_path)
    assert [each[:2] for each in commands.asked] == [("data", "synth"), ("train", "spiking_fusion")]
    assert commands.asked[1][-1] == "--resume"
    assert commands.trained == ["fusion-1"]


def test_a_training_that_fails_is_named_and_the_others_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("spikeport.benchmarks.actions.processes.thread_count", lambda: 1)
    with pytest.raises(
        SpikeportError, match=r"^without DIB with seed 0, spikeport train: ended with 2: error: no luck"
    ):
        trained(tmp_path, fails="without-DIB-0")
    assert {each.name for each in tmp_path.glob("*-*.json")} >= {"fusion-0.json", "fusion-1.json"}
    assert not (tmp_path / "without-DIB-0.json").exists()
    commands, runs, _ = trained(tmp_path)
    assert "without-DIB-0" in commands.trained
    assert not {"fusion-0", "fusion-1"} & set(commands.trained)
    assert len(runs) == 4


def test_folders_of_anything_else_are_refused_and_left_as_they_are(tmp_path, monkeypatch):
    trained(tmp_path / "one")
    before = (tmp_path / "one" / "settings.json").read_bytes()
    message = r"one: trainings of other settings or of other code. Take another folder"
    with pytest.raises(FileError, match=message):
        trained(tmp_path / "one", replace(PLAN, epochs=4))
    with monkeypatch.context() as other:
        other.setattr(trainings, "VARIANTS", {WHOLE: Variant("another", ("width=8",))})
        with pytest.raises(FileError, match=message):
            trained(tmp_path / "one")
    with monkeypatch.context() as other:
        other.setattr(trainings, "CODE", ("models",))
        with pytest.raises(FileError, match=message):
            trained(tmp_path / "one")
    assert (tmp_path / "one" / "settings.json").read_bytes() == before
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").touch()
    with pytest.raises(FileError, match=r"home: other files and no settings.json; expected an empty folder, or one of"):
        trained(tmp_path / "home")
    assert [each.name for each in (tmp_path / "home").iterdir()] == ["letter.txt"]


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"test_accuracy": 0.5, "right": [1], "seconds": 1}', "\xff"])
def test_a_result_that_is_none_is_refused_not_trained_over(tmp_path, text):
    trained(tmp_path)
    (tmp_path / "fusion-0.json").write_bytes(text.encode("latin1"))
    with pytest.raises(FileError, match=r"fusion-0.json: not what a training came to. Remove it: the training is done"):
        trained(tmp_path)


def test_code_that_changes_while_it_runs_is_said(tmp_path, monkeypatch):
    def benched(*_, **__):
        monkeypatch.setattr(trainings, "CODE", ("models/data",))
        if fails:
            raise SpikeportError("best.safetensors", "weights of another network")
        return {"notes": []}

    monkeypatch.setattr(bench, "_benched", benched)
    fails = False
    assert bench.bench(folder=tmp_path)["notes"] == ["the code changed while this ran: run it again in another folder"]
    monkeypatch.setattr(trainings, "CODE", ("models",))
    fails = True
    with pytest.raises(SpikeportError, match=r"^the code changed while this ran, best.safetensors: weights of another"):
        bench.bench(folder=tmp_path)


def test_commands_are_real_ones_and_their_failures_are_told(tmp_path):
    commands = Commands(tmp_path)
    assert "rules" in commands.told("rules")
    with pytest.raises(
        SpikeportError, match=r"^spikeport bench nothing: ended with 2: error: bench: 'nothing'; expected"
    ):
        commands.told("bench", "nothing")


def test_ctrl_c_stops_what_runs(tmp_path):
    """The commands in processes of their own get it once, end as at a terminal, and nothing half done is left."""
    commands = Commands(tmp_path)
    many = ("data", "synth", "-o", "data", "--train=100", "--validation=20000", "--test=1")
    failures, here = [], threading.get_ident()

    def press():
        wait_for((tmp_path / "data").exists)
        signal.pthread_kill(here, signal.SIGINT)

    timer = threading.Thread(target=press)
    timer.start()

    def job():
        try:
            commands.told(*many)
        except SpikeportError as error:
            failures.append(str(error))
            raise

    with pytest.raises(KeyboardInterrupt):
        side_by_side({"one": job}, lambda *_: None, commands.stop)
    timer.join()
    (failure,) = failures
    assert "ended with 130: stopped" in failure
    assert {each.name for each in (tmp_path / "data").iterdir()} <= {"train.npz"}


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_a_command_that_runs_alone_ends_with_us(tmp_path, error, monkeypatch):
    """Also where a signal ends this process in another way than Ctrl-C."""
    begun, before = [], subprocess.Popen.communicate

    def interrupted(process, *given):
        if not begun:
            begun.append(process)
            raise error
        return before(process, *given)

    monkeypatch.setattr(subprocess.Popen, "communicate", interrupted)
    with pytest.raises(error):
        Commands(tmp_path).told("data", "synth", "-o", "data")
    assert begun[0].poll() is not None


def test_whatever_ends_us_ends_what_runs_side_by_side():
    stopped = []

    def told(*_):
        raise SystemExit(143)

    with pytest.raises(SystemExit):
        side_by_side({"one": lambda: 1}, told, lambda: stopped.append(True))
    assert stopped == [True]


class InProcess(Commands):
    """The real commands without processes of their own, which would have to load everything again."""

    def told(self, *arguments, **_):
        done = CliRunner().invoke(app, [*arguments, "--json"], prog_name="spikeport")
        assert done.exit_code == 0, done.stderr
        return json.loads(done.stdout)


def test_all_of_it_on_a_small_network(tmp_path, monkeypatch):
    small = {
        "streams": "events", "width": 4, "cross": 8, "heads": 2, "state": 2, "maps": 2, "code": 8,
        "event_width": 8, "patch": 16,
    }  # fmt: skip
    fields = tuple(f"{key}={value}" for key, value in small.items())
    variants = {WHOLE: Variant("small", fields), "events alone": Variant("smaller", (*fields, "width=2"))}
    for module in (trainings, judging):
        monkeypatch.setattr(module, "VARIANTS", variants)
    monkeypatch.setattr(bench, "QUICK", replace(QUICK, train=16, validation=4, test=4))
    monkeypatch.setattr(bench, "QUICK_COUNTED", 1)
    monkeypatch.setattr(bench, "Commands", InProcess)
    monkeypatch.setattr("spikeport.benchmarks.actions.processes.thread_count", lambda: 1)
    monkeypatch.chdir(tmp_path)
    found = bench.bench(quick=True, folder=tmp_path)
    assert json.loads(json.dumps(found)) == found
    assert [row["variant"] for row in found["rows"]] == list(variants)
    whole, alone = found["rows"]
    assert whole["weights"] > alone["weights"] > 0
    assert alone["mean_points"] == pytest.approx(100 * (alone["mean_accuracy"] - whole["mean_accuracy"]))
    assert all(row["paper_nj"] > 0 and row["strict_nj"] > 0 for row in found["rows"])
    assert all((tmp_path / row["checkpoint"]).exists() for row in found["rows"])
    assert found["notes"][-1].startswith("16 clips to learn from, 4 to choose by, 4 to test on; seeds 0; ")
    kept = {each: each.stat().st_mtime_ns for each in tmp_path.rglob("*.safetensors")}
    assert bench.bench(quick=True, folder=tmp_path)["rows"] == found["rows"]
    assert {each: each.stat().st_mtime_ns for each in tmp_path.rglob("*.safetensors")} == kept

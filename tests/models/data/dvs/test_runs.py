"""`spikeport data events`: videos to events, end to end, broken off and gone on with."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import typer
from click.testing import Result
from spikeport.models.data.dvs import convert
from spikeport.models.data.dvs.commands import register
from spikeport.models.data.dvs.counted import counts_of, events_of, frames_of
from spikeport.models.data.dvs.files import load_events
from spikeport.models.data.dvs.model import PRESETS
from spikeport.models.data.dvs.video import Account, pictures
from spikeport.models.data.dvs.voxels import voxels_of
from spikeport.toolchain.kernels.dvs_area import area_mean
from support.dvs_videos import encoded, walking
from typer.testing import CliRunner

APP = typer.Typer()
register(APP)
APP.command("nothing")(lambda: None)


def events(*arguments: object) -> Result:
    return CliRunner().invoke(APP, ["events", *map(str, arguments)])


def data(*arguments: object) -> dict:
    done = events(*arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A textured clip of two seconds, as a phone would have made it."""
    return encoded(
        tmp_path_factory.mktemp("videos") / "walk.mp4", walking(60), codec="libx264", pix="yuv420p", sound=False
    )


def intensities(path: Path) -> tuple[np.ndarray, list[int]]:
    found = list(pictures(path, Account()))
    return np.stack([each.table[each.values] for each in found]), [each.time for each in found]


def test_a_clip_end_to_end(tmp_path: Path, walk: Path) -> None:
    said = data(walk, "-o", tmp_path / "out", "--seed", 3, "--frames", 16, "--voxels", 4, "--frame-size", "16x12")
    frames, times = intensities(walk)
    expected = events_of(frames, times, PRESETS["v2e"], 3)
    found, about = load_events(tmp_path / "out" / "walk.h5")
    np.testing.assert_array_equal(found, expected)
    (row,) = said["videos"]
    assert (row["events"], row["on"], row["pictures"]) == (len(expected), expected["p"].sum(), 60)
    assert about["size"] == [64, 48]
    assert about["settings"]["model"] == vars(PRESETS["v2e"])
    assert len(about["source"]["sha256"]) == 64
    assert abs(expected["p"].mean() - 0.5) < 0.05  # what gets brighter gets darker again
    stretch = (0, times[-1])
    with np.load(row["frames"]) as file:
        assert file["events"].shape == (16, 1, 2, 12, 16)
        np.testing.assert_array_equal(file["events"][:, 0], frames_of(expected, stretch, 16, (64, 48), (16, 12)))
    with np.load(row["voxels"]) as file:
        grid = voxels_of([expected], stretch, 4, (64, 48), (16, 12))
        np.testing.assert_allclose(file["events"][:, 0], grid, atol=1e-4)
    moved = counts_of(expected, stretch, 1, (64, 48)).sum((0, 1))
    assert moved[16:33].sum() > 20 * moved[:8].sum()  # where the figure walks; above it there is only grain


def test_another_size_is_a_mean_of_the_pictures_or_their_middle(tmp_path: Path, walk: Path) -> None:
    frames, times = intensities(walk)
    for fit, part in (("stretch", frames), ("crop", frames[:, :, 8:56])):
        data(walk, "-o", tmp_path / fit, "--size", "20x20", "--fit", fit, "--preset", "clean", "--form", "npz")
        table = np.unique(part)
        small = np.stack([area_mean(np.searchsorted(table, each), table, (20, 20)) for each in part])
        found, about = load_events(tmp_path / fit / "walk.npz")
        np.testing.assert_array_equal(found, events_of(small, times, PRESETS["clean"], 0))
        assert about["size"] == [20, 20]


def test_finished_videos_are_skipped_and_others_made_anew(tmp_path: Path, walk: Path) -> None:
    first = data(walk, "-o", tmp_path, "--fps", 8)
    assert not first["videos"][0]["skipped"]
    with np.load(first["videos"][0]["frames"]) as file:
        assert len(file["events"]) == 16
    before = (tmp_path / "walk.h5").stat().st_mtime_ns
    assert data(walk, "-o", tmp_path, "--fps", 8)["videos"] == [{**first["videos"][0], "skipped": True}]
    assert (tmp_path / "walk.h5").stat().st_mtime_ns == before
    (tmp_path / "walk.frames.npz").unlink()
    assert not data(walk, "-o", tmp_path, "--fps", 8)["videos"][0]["skipped"]
    (tmp_path / "walk.h5").write_text("my thesis")
    done = events(walk, "-o", tmp_path)
    assert done.exit_code == 2
    assert "walk.h5: is there and holds no events of ours" in done.output
    assert (tmp_path / "walk.h5").read_text() == "my thesis"


@pytest.mark.parametrize("form", ["h5", "npz"])
def test_the_same_video_gives_the_same_bytes(
    tmp_path: Path, walk: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data(walk, "-o", tmp_path / "one", "--form", form, "--size", "8x6", "--frames", 2)
    monkeypatch.setattr(time, "time", lambda: 10**9)
    data(walk, "-o", tmp_path / "other", "--form", form, "--size", "8x6", "--frames", 2)
    for name in (f"walk.{form}", "walk.frames.npz"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()


def test_what_lies_beside_events_is_made_of_them(tmp_path: Path, walk: Path) -> None:
    """Also where a run was killed between the renaming of two files, or made a file of events alone."""
    out, other = tmp_path / "out", tmp_path / "other"
    first = data(walk, "-o", out, "--frames", 4, "--frame-size", "8x6")["videos"][0]
    whole = Path(first["frames"]).read_bytes()
    second = data(walk, "-o", other, "--frames", 2, "--frame-size", "8x6")["videos"][0]
    Path(second["frames"]).replace(first["frames"])
    again = data(walk, "-o", out, "--frames", 4, "--frame-size", "8x6")["videos"][0]
    assert not again["skipped"]
    assert Path(again["frames"]).read_bytes() == whole
    alone = data(walk, "-o", out, "--seed", 1)["videos"][0]
    assert not alone["skipped"]
    assert "frames" not in alone
    assert [each.name for each in out.iterdir()] == ["walk.h5"]


def test_broken_videos_are_named_and_the_rest_is_made(tmp_path: Path, walk: Path) -> None:
    (tmp_path / "noise.mp4").write_bytes(bytes(range(256)) * 20)
    cut = encoded(tmp_path / "cut.mkv", walking(60), codec="mpeg4", pix="yuv420p")
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    out = tmp_path / "out"
    done = events(tmp_path / "noise.mp4", cut, tmp_path / "none.mp4", walk, "-o", out)
    assert done.exit_code == 2
    assert "3 of 4 videos: refused for 3 reasons:" in done.output
    for text in ("noise.mp4: cannot be read as a video", "it is cut off", "none.mp4: there is no such file"):
        assert text in done.output
    assert "Traceback" not in done.output
    assert sorted(each.name for each in out.iterdir()) == ["walk.h5"]
    alone = events(cut, "-o", tmp_path / "new")
    assert alone.exit_code == 2
    assert alone.output.count("cut.mkv: ends after") == 1
    assert not (tmp_path / "new").exists()


def test_a_folder_is_all_videos_in_it(tmp_path: Path, walk: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "a.MP4").symlink_to(walk)
    (tmp_path / "notes.txt").touch()
    out = tmp_path / "out"
    assert [each["file"] for each in data(tmp_path, "-o", out)["videos"]] == [str(out / "below" / "a.h5")]
    assert "below/a.h5" in events(tmp_path, "-o", out).output
    done = events(out, "-o", out)
    assert done.exit_code == 2
    assert "out: no video in it; expected files that end in .mp4" in done.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--preset", "fancy"], "--preset: 'fancy'; expected v2e, clean, noisy"),
        (["--pos-thres", "0"], "--pos-thres: 0; expected 0.01 to 100"),
        (["--refractory-period", "-1"], "--refractory-period: -1; expected 0 to 1e+06"),
        (["--size", "12"], "--size: '12'; expected width and height, as in 346x260"),
        (["--frame-size", "4x4"], "--frame-size: a size of no frames; expected --frames, --fps or --voxels beside it"),
        (["--form", "csv"], "--form: 'csv'; expected h5 or npz"),
        (["--fit", "wide"], "--fit: 'wide'; expected stretch or crop"),
        (["--frames", "3", "--fps", "2"], "--fps: a rate beside --frames"),
        (["--fps", "0"], "--fps: 0; expected a positive number"),
        (["--frames", "99999999"], "--frames: 99999999 of 64 × 48; expected at most"),
    ],
)
def test_options_that_cannot_be(tmp_path: Path, walk: Path, options: list[str], message: str) -> None:
    done = events(walk, "-o", tmp_path / "out", *options)
    assert done.exit_code == 2
    assert message in done.output
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_two_videos_of_one_name_are_refused(tmp_path: Path, walk: Path) -> None:
    done = events(walk, "elsewhere/walk.avi", "-o", tmp_path / "out")
    assert done.exit_code == 2
    assert "expected names that differ before the suffix" in done.output


def test_a_run_that_fails_leaves_what_was_there(tmp_path: Path, walk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data(walk, "-o", tmp_path)
    before = (tmp_path / "walk.h5").read_bytes()
    monkeypatch.setattr(convert, "_extras", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    done = events(walk, "-o", tmp_path, "--seed", 5)
    assert done.exit_code == 2
    assert "No space left on device" in done.output
    assert [each.name for each in tmp_path.iterdir()] == ["walk.h5"]
    assert (tmp_path / "walk.h5").read_bytes() == before


COMMAND = """
import sys, time, typer
from spikeport.models.data.dvs import runs
from spikeport.models.data.dvs.commands import register
slow = runs._progress
def progress(name, tell):
    def so_far(pictures, events):
        if name.startswith("late") and pictures == 3:
            print("here", flush=True, file=sys.stderr)
            time.sleep(60)
    return so_far
if len(sys.argv) > 1 and sys.argv.pop(1) == "slow":
    runs._progress = progress
app = typer.Typer()
register(app)
app.command("nothing")(lambda: None)
app()
"""


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_a_killed_run_leaves_no_half_file_and_goes_on(tmp_path: Path, walk: Path, ending: int) -> None:
    late = tmp_path / "late.mp4"
    late.write_bytes(walk.read_bytes())
    out = tmp_path / "out"
    arguments = ["events", str(walk), str(late), "-o", str(out), "--frames", "4", "--json"]
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "slow", *arguments], stderr=subprocess.PIPE, text=True, cwd=tmp_path
    )
    assert process.stderr is not None
    while "here" not in process.stderr.readline():
        assert process.poll() is None
    os.kill(process.pid, ending)
    process.wait(30)
    process.stderr.close()
    shown = [each.name for each in out.iterdir() if not each.name.startswith(".")]
    assert sorted(shown) == ["walk.frames.npz", "walk.h5"]
    if ending == signal.SIGINT:
        assert process.returncode == 130
        assert len(list(out.iterdir())) == 2
    rows = data(*arguments[1:-1])["videos"]
    assert [row["skipped"] for row in rows] == [True, False]
    assert sorted(each.name for each in out.iterdir()) == sorted([*shown, "late.frames.npz", "late.h5"])
    np.testing.assert_array_equal(load_events(out / "late.h5")[0], load_events(out / "walk.h5")[0])


def test_memory_does_not_grow_with_the_video(tmp_path: Path) -> None:
    """Peak memory for 100 pictures and for 1000, each in a process of its own: the same within 4 MB."""
    peaks = []
    for count in (100, 1000):
        frames = np.tile(walking(100, 96, 64), (count // 100, 1, 1))
        path = encoded(tmp_path / f"v{count}.avi", frames, codec="mpeg4", pix="yuv420p", fps=25)
        done = subprocess.run([sys.executable, "-c", PEAK, str(path)], capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout))
    assert peaks[1] < peaks[0] + 4e6, peaks


PEAK = """
import sys
from pathlib import Path
from spikeport.models.data.dvs.convert import Ask, made_of
path = Path(sys.argv[1])
made_of(path, path.parent, Ask(form="npz", frames=8), lambda pictures, events: None)
line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(int(line.split()[1]) * 1024)
"""

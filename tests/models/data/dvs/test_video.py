"""Videos: exact brightness, true times, turned pictures, and every broken file named."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from spikeport.models.data.dvs import video
from spikeport.models.data.dvs.video import Account, Picture, pictures
from spikeport.toolchain.errors import FileError, UsageError
from support.dvs_videos import encoded, turned, walking


def read(path: Path, account: Account | None = None) -> list[Picture]:
    return list(pictures(path, account or Account()))


def seen(path: Path) -> np.ndarray:
    return np.stack([picture.table[picture.values] for picture in read(path)])


@pytest.fixture(scope="module")
def grey() -> np.ndarray:
    source = np.random.default_rng(0)
    frames = source.integers(0, 256, (4, 12, 20), dtype=np.uint8)
    frames[0].flat[:240] = np.arange(240)
    return frames


def test_grey_is_taken_as_it_is(tmp_path: Path, grey: np.ndarray) -> None:
    np.testing.assert_array_equal(seen(encoded(tmp_path / "v.mkv", grey)), grey)
    limited = np.clip(255 * (grey.astype(float) - 16) / 219, 0, 255)
    np.testing.assert_allclose(seen(encoded(tmp_path / "l.mkv", grey, full=False)), limited, atol=1e-9)


def test_the_luma_of_a_video_is_the_brightness_in_its_own_range(tmp_path: Path, grey: np.ndarray) -> None:
    planes = np.concatenate([grey, np.full((4, 6, 20), 90, np.uint8)], axis=1)
    limited = np.clip(255 * (grey.astype(float) - 16) / 219, 0, 255)
    yuv = {"pix": "yuv420p", "given": "yuv420p"}
    np.testing.assert_allclose(seen(encoded(tmp_path / "l.mkv", planes, **yuv)), limited)
    encoded(tmp_path / "f.mkv", planes, full=True, **yuv)
    np.testing.assert_array_equal(seen(tmp_path / "f.mkv"), grey)


def test_ten_bits_are_not_rounded_to_eight(tmp_path: Path) -> None:
    deep = np.random.default_rng(1).integers(0, 1024, (3, 12, 20), dtype=np.uint16)
    encoded(tmp_path / "d.mkv", deep, pix="gray10le", given="gray10le")
    np.testing.assert_allclose(seen(tmp_path / "d.mkv"), deep * (255 / 1023), atol=1e-9)


def test_red_green_and_blue_are_weighted(tmp_path: Path) -> None:
    colours = np.random.default_rng(2).integers(0, 256, (3, 12, 20, 3), dtype=np.uint8)
    encoded(tmp_path / "c.mkv", colours, pix="bgr0", given="rgb24")
    np.testing.assert_allclose(seen(tmp_path / "c.mkv"), colours @ np.array([0.299, 0.587, 0.114]), atol=1e-9)


def test_packed_luma_is_that_of_its_plane(tmp_path: Path, grey: np.ndarray) -> None:
    packed = np.stack([grey, np.full_like(grey, 90)], axis=-1)
    encoded(tmp_path / "p.nut", packed, codec="rawvideo", pix="yuyv422", given="yuyv422")
    np.testing.assert_allclose(seen(tmp_path / "p.nut"), np.clip(255 * (grey.astype(float) - 16) / 219, 0, 255))


def test_times_are_those_of_the_pictures_and_sound_is_left_aside(tmp_path: Path, grey: np.ndarray) -> None:
    encoded(tmp_path / "v.mkv", grey, times=[40, 57, 140, 141])
    assert [picture.time for picture in read(tmp_path / "v.mkv")] == [0, 17_000, 100_000, 101_000]
    encoded(tmp_path / "s.mkv", grey, sound=True)
    assert len(read(tmp_path / "s.mkv")) == 4


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_pictures_are_turned_as_the_video_asks(tmp_path: Path, degrees: int) -> None:
    frames = np.repeat(np.repeat(np.arange(12, dtype=np.uint8).reshape(3, 4) * 20 + 16, 16, 0), 16, 1)[None]
    upright = encoded(tmp_path / "v.mp4", np.repeat(frames, 3, 0), codec="mpeg4", pix="yuv420p")
    before = seen(upright)
    turned(upright, degrees)
    np.testing.assert_array_equal(seen(upright), np.rot90(before, -degrees // 90, axes=(1, 2)))


def test_pictures_turned_by_halves_are_refused(tmp_path: Path) -> None:
    path = encoded(tmp_path / "v.mp4", walking(3), codec="mpeg4", pix="yuv420p")
    turned(path, 45)
    with pytest.raises(FileError, match=r"pictures turned by -?45°; expected 0, 90, 180 or 270"):
        read(path)


def broken(folder: Path) -> dict[str, str]:
    """Files that are no whole videos, and what is said of them."""
    whole = encoded(folder / "whole.mp4", walking(20), codec="mpeg4", pix="yuv420p").read_bytes()
    long = encoded(folder / "long.mkv", walking(60), codec="mpeg4", pix="yuv420p").read_bytes()
    noise = np.random.default_rng(0).bytes(4000)
    files = {
        "empty.mp4": (b"", "cannot be read as a video (Invalid data found"),
        "noise.mp4": (noise, "cannot be read as a video (Invalid data found"),
        "text.mp4": (b"this is no video\n" * 200, "cannot be read as a video ("),
        "picture.txt": (b"\x1b[31mhello\n" * 200, ""),
        "list.m3u8": (b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nwhole.mp4\n#EXT-X-ENDLIST\n", ""),
        "list.ffconcat": (b"ffconcat version 1.0\nfile whole.mp4\n", ""),
        "cut.mp4": (whole[: len(whole) // 2], "cannot be read as a video (Invalid data found"),
        "cut.mkv": (long[: len(long) // 2], ": it is cut off; expected a whole video"),
    }
    for name, (content, _) in files.items():
        (folder / name).write_bytes(content)
    encoded(folder / "one.mkv", walking(1))
    (folder / "folder.mp4").mkdir()
    said = {name: message for name, (_, message) in files.items()}
    return said | {
        "one.mkv": "one picture; expected at least two",
        "folder.mp4": "is a folder",
        "none.mp4": "there is no such file",
    }


def test_broken_files_are_named(tmp_path: Path) -> None:
    for name, message in broken(tmp_path).items():
        with pytest.raises(FileError) as caught:
            read(tmp_path / name)
        assert str(caught.value).startswith(f"{tmp_path / name}: "), name
        assert message in str(caught.value), (name, str(caught.value))
        assert "\n" not in str(caught.value)


def test_changed_bytes_end_in_pictures_or_in_a_message(tmp_path: Path) -> None:
    """In a process of its own: a decoder written in C reads them."""
    encoded(tmp_path / "v.mp4", walking(8), codec="mpeg4", pix="yuv420p")
    encoded(tmp_path / "v.mkv", walking(8), codec="libx264", pix="yuv420p")
    done = subprocess.run([sys.executable, "-c", MUTATE, str(tmp_path)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) == 120


MUTATE = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
from pathlib import Path
import numpy as np
from spikeport.models.data.dvs.video import Account, pictures
from spikeport.toolchain.errors import FileError
rng, done = np.random.default_rng(0), 0
for name in ("v.mp4", "v.mkv"):
    content = (Path(sys.argv[1]) / name).read_bytes()
    changed = Path(sys.argv[1]) / f"changed{Path(name).suffix}"
    for _ in range(60):
        edited = bytearray(content)
        for _ in range(int(rng.integers(1, 6))):
            edited[int(rng.integers(len(edited)))] = int(rng.integers(256))
        changed.write_bytes(bytes(edited))
        try:
            for picture in pictures(changed, Account()):
                picture.table[picture.values]
        except FileError:
            pass
        done += 1
print(done)
"""


def test_without_pyav_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(UsageError, match=r"PyAV is not installed; expected the extra 'video'\. Run: pip install"):
        read(tmp_path / "v.mp4")


def test_pictures_that_are_not_later_are_counted_and_left_out() -> None:
    reading = video._Reading("v", account := Account())
    assert [reading.takes(time) for time in (0, 10, 10, 5, 30)] == [True, True, False, False, True]
    assert account.said() == ["2 pictures are not later than the one before and are left out"]
    reading.check_size(np.zeros((3, 4)))
    with pytest.raises(FileError, match="picture 3 is 5 × 3; expected 4 × 3, as those before"):
        reading.check_size(np.zeros((3, 5)))

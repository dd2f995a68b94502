"""Files that appear whole or not at all."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from spikeport.toolchain.errors import FileError
from spikeport.toolchain.writing import files_whole, folder_whole, sweep, write_whole, written_whole


def test_the_file_appears_when_the_block_ends(tmp_path: Path) -> None:
    place = tmp_path / "net.graph"
    with written_whole(place) as draft:
        draft.write_text("new")
        assert draft.parent == tmp_path
        assert draft.suffix == ".graph"
        assert not place.exists()
    assert place.read_text() == "new"
    assert os.listdir(tmp_path) == ["net.graph"]


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), SystemExit(1)])
def test_nothing_is_left_and_the_old_file_stays_when_the_block_raises(tmp_path: Path, error: BaseException) -> None:
    place = tmp_path / "net.graph"
    place.write_text("old")

    def write() -> None:
        with written_whole(place) as draft:
            draft.write_text("half")
            raise error

    with pytest.raises(type(error)):
        write()
    assert place.read_text() == "old"
    assert os.listdir(tmp_path) == ["net.graph"]


def test_text_and_bytes_are_written_as_they_are(tmp_path: Path) -> None:
    write_whole(tmp_path / "text", "β = 0.9\n")
    write_whole(str(tmp_path / "bytes"), b"\x00\r\n")
    assert (tmp_path / "text").read_bytes() == "β = 0.9\n".encode()
    assert (tmp_path / "bytes").read_bytes() == b"\x00\r\n"


def test_a_new_file_has_the_mode_of_any_new_file_and_an_old_one_keeps_its_own(tmp_path: Path) -> None:
    mask = os.umask(0o027)
    try:
        write_whole(tmp_path / "new", "")
    finally:
        os.umask(mask)
    (tmp_path / "old").touch()
    (tmp_path / "old").chmod(0o604)
    write_whole(tmp_path / "old", "x")
    assert oct((tmp_path / "new").stat().st_mode)[-3:] == "640"
    assert oct((tmp_path / "old").stat().st_mode)[-3:] == "604"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    write_whole(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


def test_places_where_no_file_can_be_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    cases = {
        tmp_path: "is a folder; expected the name of a file. Add a file name to it",
        Path("/dev/null"): "is a device or a pipe; expected the name of a plain file. Choose another name",
        tmp_path / "pipe": "is a device or a pipe",
        tmp_path / "no" / "net": f"the folder {tmp_path / 'no'} does not exist. Make it first, or choose another",
    }
    for place, message in cases.items():
        with pytest.raises(FileError) as caught:
            write_whole(place, "x")
        assert str(caught.value).startswith(f"{place}: {message}")
    assert os.listdir(tmp_path) == ["pipe"]


def test_a_full_disk_is_a_message(tmp_path: Path) -> None:
    def write() -> None:
        with written_whole(tmp_path / "net"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(FileError, match="cannot be written: No space left on device"):
        write()
    assert os.listdir(tmp_path) == []


def test_a_missing_input_inside_the_block_is_not_blamed_on_the_output(tmp_path: Path) -> None:
    def write() -> None:
        with written_whole(tmp_path / "net"):
            Path("/nowhere/at/all").read_bytes()

    with pytest.raises(FileNotFoundError):
        write()


def test_a_file_name_too_long_is_a_message(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="File name too long"):
        write_whole(tmp_path / ("n" * 300), "x")
    assert os.listdir(tmp_path) == []


def kill_within(writer: str, place: Path) -> None:
    """Runs a command that is killed for good in the middle of writing."""
    code = (
        f"import os, sys, signal; from spikeport.toolchain.writing import {writer}\n"
        f"with {writer}(sys.argv[1]) as draft:\n"
        "    draft.write_text('half'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(place)], check=False)
    assert done.returncode == -signal.SIGKILL


def test_a_killed_command_leaves_the_old_file(tmp_path: Path) -> None:
    """The old file is whole; what is left beside it is hidden."""
    place = tmp_path / "net.graph"
    place.write_text("old")
    kill_within("written_whole", place)
    assert place.read_text() == "old"
    assert all(name.startswith(".") for name in os.listdir(tmp_path) if name != "net.graph")
    assert len(os.listdir(tmp_path)) == 2
    mine = {".net.other.graph", ".net.personal.graph", f".net.spikeport-draft.{os.getpid()}.abcd_123.graph"}
    for name in mine:
        (tmp_path / name).touch()
    sweep(place)
    assert set(os.listdir(tmp_path)) == {*mine, "net.graph"}, "what lives, or is none of ours, stays"
    sweep(tmp_path / "nowhere" / "net.graph")


def test_what_a_killed_command_left_of_several_files_goes_when_they_are_written_again(tmp_path: Path) -> None:
    """But not what another one, which lives, is writing at that moment."""
    place = tmp_path / "net.graph"
    kill_within("files_whole", place)
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".net.spikeport-draft.")
    mine = tmp_path / ".net.spikeport-draft.backup"
    mine.mkdir()
    with files_whole(place) as draft:
        assert not left.exists()
        with files_whole(place) as other:
            other.write_text("other")
        draft.write_text("last")
        (draft.parent / "net.more").write_text("beside")
    mine.rmdir()
    assert {each.name: each.read_text() for each in tmp_path.iterdir()} == {"net.graph": "last", "net.more": "beside"}


def test_a_folder_without_permission_is_known_before_the_work() -> None:
    code = (
        "import os; from spikeport.toolchain.writing import FileError, check_place\n"
        "if os.getuid() == 0: os.setuid(65534)\n"  # to whom the root of the file system does not belong
        "try: check_place('/run.npz')\n"
        "except FileError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "/run.npz: nothing may be written to the folder /. Choose another\n"


def test_a_folder_is_replaced_only_where_it_holds_nothing_else(tmp_path: Path) -> None:
    """Names are whole names, ends begin with a point, and a folder or a link is never taken for a file of ours."""
    place, kinds = tmp_path / "data", ("train.npz", ".graph")
    place.mkdir()
    for name in ("train.npz", "old.graph"):
        (place / name).touch()
    with folder_whole(place, kinds) as draft:
        (draft / "train.npz").write_text("new")
    assert {each.name: each.read_text() for each in place.iterdir()} == {"train.npz": "new"}
    theirs = {
        "mytrain.npz": Path.touch,
        "thesis.graph": Path.mkdir,
        "linked.graph": lambda path: path.symlink_to("train.npz"),
    }
    for name, make in theirs.items():
        make(place / name)
        with pytest.raises(FileError, match=f"holds '{name}'"), folder_whole(place, kinds):
            pass
        (place / name).rmdir() if name == "thesis.graph" else (place / name).unlink()
    with pytest.raises(FileError, match=r"holds 'late\.txt'"), folder_whole(place, kinds):
        (place / "late.txt").touch()
    assert sorted(os.listdir(place)) == ["late.txt", "train.npz"]
    assert os.listdir(tmp_path) == ["data"]

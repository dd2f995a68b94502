"""Files that appear whole or not at all: written beside their place, flushed to the disk, then renamed into it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .errors import FileError

DRAFT = ".spikeport-draft."
"""What the name of a hidden draft has behind the file's name; then, of a file, its process, and eight letters drawn."""


@contextlib.contextmanager
def written_whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Gives a path to write to, in the folder of `path`; the file there takes the place of `path` when the block ends.

    The given path keeps the suffix of `path`, because some writers choose the format by it. When the block raises,
    nothing of it is left and an older file at `path` stays as it was. A link is followed, an older file's mode kept.

    Args:
        path: where the file shall be in the end.

    Raises:
        FileError: when no file can be written there.
    """
    with _explained(Path(path)):
        place = _place(Path(path))
        draft = _draft(place)
        try:
            yield draft
            _finish(draft, place)
        finally:
            draft.unlink(missing_ok=True)


@contextlib.contextmanager
def folder_whole(path: str | os.PathLike[str], kinds: tuple[str, ...]) -> Iterator[Path]:
    """Gives an empty folder to write to, beside `path`; it takes the place of `path` when the block ends.

    Args:
        path: where the folder shall be in the end. An older one there is replaced, if it holds nothing but such files.
        kinds: the names of the files in it, or how they end: with a point in front.

    Raises:
        FileError: when no folder can be there, or an older one holds something else.
    """
    place = Path(path).resolve()
    with _explained(Path(path)):
        _check_older(Path(path), place, kinds)
        draft = Path(tempfile.mkdtemp(prefix=f".{place.name[:64]}.", dir=place.parent))
        try:
            yield draft
            draft.chmod(0o777 & ~_umask())
            for each in draft.iterdir():
                _flush(each)
            _check_older(Path(path), place, kinds)
            _swap(draft, place)
            _flush(place.parent)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


@contextlib.contextmanager
def files_whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Gives a path of the same name in an empty folder; it and what else lies there then take their places.

    The file itself comes last, so that whoever finds it finds what belongs to it. When the block raises, nothing is
    left of it; what a process left that was killed meanwhile goes when the same file is written again.

    Args:
        path: where the file shall be in the end.

    Raises:
        FileError: when no file can be written there.
    """
    with _explained(Path(path)):
        place = _place(Path(path))
        with _draft_folder(place) as folder:
            yield folder / place.name
            others = sorted(each for each in folder.iterdir() if each.name != place.name)
            for each in [*others, folder / place.name]:
                _finish(each, _place(place.parent / each.name))


@contextlib.contextmanager
def _draft_folder(place: Path) -> Iterator[Path]:
    """An empty folder beside `place`, locked while the block runs; those that nobody locks any more go."""
    prefix = f".{place.stem[:64]}{DRAFT}"
    for left in _drafts(place, "[a-z0-9_]{8}"):
        _remove_left(place.parent / left[0])
    folder, lock = _new_folder(prefix, place.parent)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _new_folder(prefix: str, parent: Path) -> tuple[Path, int]:
    """A new folder, and the handle that locks it: the system lets go of it when the process ends, however it does."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        with contextlib.suppress(FileNotFoundError):  # another process took it for one that was left
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            with contextlib.suppress(OSError):  # a file system without locks: there nothing is taken for left
                fcntl.flock(lock, fcntl.LOCK_EX)
            if folder.exists():
                return folder, lock
            os.close(lock)


def _drafts(place: Path, end: str) -> list[re.Match[str]]:
    """Names beside `place` of drafts of it, which end so."""
    name = re.compile(f"{re.escape(f'.{place.stem[:64]}{DRAFT}')}{end}")
    plain = (each.name for each in place.parent.iterdir() if not each.is_symlink())
    return [found for found in map(name.fullmatch, plain) if found]


def _remove_left(folder: Path) -> None:
    """Takes a draft away whose process was killed: nobody locks it any more."""
    with contextlib.suppress(OSError):
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)


def _check_older(path: Path, place: Path, kinds: tuple[str, ...]) -> None:
    if place.exists() and not place.is_dir():
        raise FileError(str(path), "is a file", "the name of a folder", "choose another name")
    _check_parent(path, place)
    held = list(place.iterdir()) if place.exists() else []
    others = [each.name for each in held if each.is_symlink() or not (each.is_file() and _is_of(each.name, kinds))]
    if others:
        raise FileError(str(path), f"holds '{others[0]}'", f"nothing but {', '.join(kinds)}", "move it away first")


def _is_of(name: str, kinds: tuple[str, ...]) -> bool:
    return any(name.endswith(kind) if kind.startswith(".") else name == kind for kind in kinds)


def _swap(draft: Path, place: Path) -> None:
    """The draft in the place of an older folder, which goes only once the new one is there."""
    if not place.exists():
        draft.replace(place)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{place.name[:64]}.old.", dir=place.parent))
    place.replace(aside)
    try:
        draft.replace(place)
    except OSError:
        aside.replace(place)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def check_place(path: str | os.PathLike[str]) -> None:
    """Raises a FileError when no file can be at `path`; for a command to know before it works for minutes."""
    with _explained(Path(path)):
        place = _place(Path(path))
    if not os.access(place.parent, os.W_OK):
        raise FileError(str(path), f"nothing may be written to the folder {place.parent}", fix="choose another")


def write_whole(path: str | os.PathLike[str], content: bytes | str) -> None:
    """Writes `content` to `path`, whole or not at all; text as UTF-8."""
    with written_whole(path) as draft:
        draft.write_bytes(content.encode() if isinstance(content, str) else content)


def sweep(path: str | os.PathLike[str]) -> None:
    """Removes drafts of `path` that were left by processes that were killed while they wrote; to be called before."""
    place = Path(path).resolve()
    with _explained(Path(path)):
        if place.parent.is_dir():
            for draft in _drafts(place, rf"([0-9]+)\.[a-z0-9_]{{8}}{re.escape(place.suffix)}"):
                if not _lives(int(draft[1])):
                    (place.parent / draft[0]).unlink(missing_ok=True)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True


def _place(path: Path) -> Path:
    """Where the file really goes, after following links; refused unless a plain file can be there."""
    place = path.resolve()
    if place.is_dir():
        raise FileError(str(path), "is a folder", "the name of a file", "add a file name to it")
    if place.exists() and not place.is_file():
        raise FileError(str(path), "is a device or a pipe", "the name of a plain file", "choose another name")
    _check_parent(path, place)
    return place


def _check_parent(path: Path, place: Path) -> None:
    if not place.parent.is_dir():
        raise FileError(str(path), f"the folder {place.parent} does not exist", fix="make it first, or choose another")


def _draft(place: Path) -> Path:
    """An empty file beside `place` with the mode that the final file shall have; its name says whose it is."""
    prefix = f".{place.stem[:64]}{DRAFT}{os.getpid()}."
    handle, name = tempfile.mkstemp(prefix=prefix, suffix=place.suffix, dir=place.parent)
    os.close(handle)
    Path(name).chmod(stat.S_IMODE(place.stat().st_mode) if place.exists() else 0o666 & ~_umask())
    return Path(name)


def _umask() -> int:
    """The mask of this process, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _finish(draft: Path, place: Path) -> None:
    """Puts the draft into its place once its bytes are on the disk: a crash leaves the old file or the new one."""
    _flush(draft)
    draft.replace(place)
    _flush(place.parent)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turns what the operating system says about this very file (no space, no permission) into a message."""
    try:
        yield
    except OSError as error:
        if error.filename is not None and Path(os.fsdecode(error.filename)).parent not in _folders(path):
            raise
        raise FileError(str(path), f"cannot be written: {error.strerror or error}") from error


def _folders(path: Path) -> tuple[Path, ...]:
    """The folders in which this file and its draft may lie, as a message of the system may write them."""
    with contextlib.suppress(OSError):
        return path.parent, path.absolute().parent, path.resolve().parent
    return path.parent, path.absolute().parent

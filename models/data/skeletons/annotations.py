"""Pose files of pyskl and MMAction, and older pairs of an array and a file of labels: pickles, read as plain values.

    {"split": {"xsub_train": [name, …], "xsub_val": […], …},
     "annotations": [{"frame_dir": name, "label": 0, "total_frames": L, "keypoint": [M, L, V, 3], …}, …]}

Poses in pictures have (x, y) in "keypoint", and "keypoint_score" [M, L, V] and "img_shape" (height, width) beside it;
they become (2x/width − 1, 2y/height − 1, score).

The older pairs are train_data_joint.npy [N, 3, L, V, M] and train_label.pkl (names, labels), and the same for val.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ....toolchain.errors import FileError, UsageError
from .bodies import motion
from .layouts import LAYOUTS, Layout
from .pickled_arrays import Broken, Pickled, text_of
from .pickles import read_pickle
from .recordings import FARTHEST, Array
from .sets import NTU_NAME
from .sources import Item, Source, check_count, checked, names_for

TESTS = ("val", "test")
"""What the other side of a split is called."""
MOST_CLASSES = 10_000
_EXPECTED = "split and annotations, as pyskl and MMAction write them"


def annotation_source(path: Path, split: str | None) -> Source:
    """The recordings in a pose file, on both sides of one of its splits."""
    held = read_pickle(path)
    if not isinstance(held, dict) or not isinstance(held.get("annotations"), list):
        raise FileError(str(path), "no annotations in it", _EXPECTED)
    check_count(str(path), len(held["annotations"]))
    bad: list[FileError] = []
    found = _by_name(path, held["annotations"], bad)
    split, *sides = _sides(path, held.get("split"), split)
    layout = _layout(path, found)
    items = [
        Item(name, found[name]["label"], training, _subject(name), partial(_poses, path, found[name], layout))
        for training, names in zip((True, False), sides, strict=True)
        for name in names
        if name in found
    ]
    absent = sum(name not in found for names in sides for name in names)
    said = (f"left out: {absent} names of the split without an annotation",) if absent else ()
    classes = max((item.label for item in items), default=-1) + 1
    names = names_for(classes, layout, items[0].name if items else "")
    about = f"{path.name}, split {split or 'its own'}"
    return Source(items, layout, layout.persons, names, about, tuple(bad), said)


def _by_name(path: Path, annotations: list[Any], bad: list[FileError]) -> dict[str, Mapping[str, Any]]:
    """Annotations with names and labels; the others are bad."""
    found: dict[str, Mapping[str, Any]] = {}
    for number, each in enumerate(annotations):
        name = each.get("frame_dir") if isinstance(each, dict) else None
        if not isinstance(name, str):
            bad.append(FileError(f"{path}, annotation {number}", "no name in it", "a dict with frame_dir"))
        elif type(each.get("label")) is not int or not 0 <= each["label"] < MOST_CLASSES:
            bad.append(FileError(_where(path, each), "no label", "a whole number from 0 on"))
        else:
            found[name] = each
    return found


def _where(path: Path, annotation: Mapping[str, Any]) -> str:
    name = annotation["frame_dir"][:60]
    return f"{path}, {name if name.isprintable() else ascii(name)}"


def _sides(path: Path, splits: object, split: str | None) -> tuple[str, list[str], list[str]]:
    """The split's name, the names to train on, and those to test on."""
    if not isinstance(splits, dict) or not all(isinstance(names, list) for names in splits.values()):
        raise FileError(str(path), "no split in it", _EXPECTED)
    known = {
        str(name).removesuffix("train").removesuffix("_"): (name, other)
        for name in splits
        if str(name).endswith("train")
        for other in (str(name).removesuffix("train") + end for end in TESTS)
        if other in splits
    }
    chosen = next(iter(known)) if split is None and len(known) == 1 else split
    if chosen not in known:
        found = "none chosen" if split is None else f"'{split}'"
        raise UsageError("--split", found, f"one that {path.name} has: {', '.join(known) or 'none'}")
    first, second = (list(dict.fromkeys(n for n in splits[part] if isinstance(n, str))) for part in known[chosen])
    both = set(first) & set(second)
    if both:
        found = f"{len(both):,} names on both sides of split {chosen}"
        raise FileError(str(path), found, "recordings to test on that nobody trains on")
    return chosen, first, second


def _subject(name: str) -> int | None:
    found = NTU_NAME.fullmatch(name)
    return int(found["subject"]) if found else None


def _layout(path: Path, found: Mapping[str, Mapping[str, Any]]) -> Layout:
    points = next((_points(path, each) for each in found.values()), None)
    if points is None or points.shape[2] not in LAYOUTS:
        what = "no annotation" if points is None else f"{points.shape[2]} joints"
        raise FileError(str(path), what, f"skeletons of {', '.join(map(str, LAYOUTS))} joints")
    return LAYOUTS[points.shape[2]]


def _points(path: Path, annotation: Mapping[str, Any], key: str = "keypoint") -> Array:
    """An array of an annotation."""
    held = annotation.get(key)
    wanted = 4 if key == "keypoint" else 3
    if not isinstance(held, Pickled) or held.values.ndim != wanted or held.values.dtype.kind not in "iuf":
        form = "[persons, frames, joints, 2 or 3]" if wanted == 4 else "[persons, frames, joints]"
        raise FileError(_where(path, annotation), f"no {key}", f"an array {form}")
    return held.values


def _poses(path: Path, annotation: Mapping[str, Any], layout: Layout) -> Array:
    where = _where(path, annotation)
    points = _points(path, annotation)
    if points.shape[2] != len(layout.joints) or points.shape[3] not in (2, 3):
        raise FileError(where, f"keypoint of shape {list(points.shape)}", f"[persons, frames, {len(layout.joints)}, 3]")
    if points.shape[3] == 2:
        points = _with_scores(where, points, _points(path, annotation, "keypoint_score"), annotation.get("img_shape"))
    if not (np.abs(points.astype(np.float64)) <= FARTHEST).all():  # also when they are NaN
        raise FileError(where, "points that are not finite, or out of this world", "metres or pixels")
    if annotation.get("total_frames", points.shape[1]) != points.shape[1]:
        raise FileError(where, f"keypoint of {points.shape[1]} frames", f"{annotation['total_frames']}, as it says")
    ranked = sorted(range(len(points)), key=lambda person: -motion(points[person].astype(np.float64)))
    poses = np.zeros((points.shape[1], 3, points.shape[2], layout.persons))
    for place, person in enumerate(ranked[: layout.persons]):
        poses[..., place] = points[person].transpose(0, 2, 1)
    return checked(where, poses)


def _with_scores(where: str, points: Array, scores: Array, picture: object) -> Array:
    """(2x/width − 1, 2y/height − 1, score); a person who is all zeros in a frame stays so."""
    sizes = picture if isinstance(picture, tuple | list) and len(picture) == 2 else ()
    if not sizes or not all(type(size) is int and 0 < size < 10**6 for size in sizes):
        raise FileError(where, "no img_shape", "(height, width), for poses in a picture")
    if scores.shape != points.shape[:3]:
        raise FileError(where, f"keypoint_score of shape {list(scores.shape)}", f"{list(points.shape[:3])}")
    places = 2 * points.astype(np.float32) / np.array([sizes[1], sizes[0]], np.float32) - 1
    made = np.concatenate([places, scores[..., None].astype(np.float32)], axis=3)
    return np.where(points.any(axis=(2, 3), keepdims=True), made, np.float32(0))


def read_labels(path: Path) -> tuple[list[str], list[int]]:
    """The names and labels in an older label file, a pair of lists."""
    held = read_pickle(path)
    if not (isinstance(held, tuple | list) and len(held) >= 2):
        raise FileError(str(path), "no pair of lists", "names and labels")
    names, labels = (_listed(path, part) for part in held[:2])
    good = all(type(label) is int and 0 <= label < MOST_CLASSES for label in labels)
    if not good or not all(isinstance(name, str) for name in names) or len(names) != len(labels):
        raise FileError(str(path), "no names and labels of one length", "texts, and whole numbers from 0 on")
    return names, labels


def _listed(path: Path, held: object) -> list[Any]:
    if isinstance(held, Pickled) and held.values.ndim == 1:
        try:
            return text_of(held.values) if held.values.dtype.kind in "US" else held.values.tolist()
        except Broken as error:
            raise FileError(str(path), str(error), "names and labels") from error
    if not isinstance(held, list | tuple):
        raise FileError(str(path), "no pair of lists", "names and labels")
    return list(held)


def labelled_source(folder: Path) -> Source:
    """The recordings in pairs of an array and a file of labels; their own split."""
    items: list[Item] = []
    shapes = set()
    for part in ("train", "val"):
        names, labels = read_labels(folder / f"{part}_label.pkl")
        check_count(f"{folder}, {part}_label.pkl", len(names))
        array = _array(folder, part, len(names))
        shapes.add(array.shape[3:])
        items += [
            Item(Path(name).stem, label, part == "train", _subject(Path(name).stem), partial(_row, array, n, folder))
            for n, (name, label) in enumerate(zip(names, labels, strict=True))
        ]
    if len(shapes) > 1:
        raise FileError(str(folder), "arrays of other joints or persons", "the same in both parts")
    (joints, persons), classes = shapes.pop(), max((item.label for item in items), default=-1) + 1
    class_names = names_for(classes, LAYOUTS[joints], items[0].name if items else "")
    return Source(items, LAYOUTS[joints], persons, class_names, f"{folder.name}, its own split")


def _array(folder: Path, part: str, count: int) -> Array:
    files = [file for file in (folder / f"{part}_data_joint.npy", folder / f"{part}_data.npy") if file.is_file()]
    if not files:
        raise FileError(str(folder), f"no {part}_data_joint.npy", f"the recordings of {part}_label.pkl")
    try:
        array: Array = np.load(files[0], mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise FileError(str(files[0]), "cannot be read", "an array of real numbers") from error
    if array.ndim != 5 or array.shape[:2] != (count, 3) or array.shape[3] not in LAYOUTS or array.dtype.kind not in "f":
        raise FileError(str(files[0]), f"shape {list(array.shape)}", f"[{count}, 3, frames, joints, persons]")
    return array


def _row(array: Array, number: int, folder: Path) -> Array:
    return checked(f"{folder}, recording {number}", array[number].transpose(1, 0, 2, 3))

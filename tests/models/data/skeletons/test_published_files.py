"""The files of the published codes: .npz, pose .pkl, arrays with label files, and NW-UCLA's .json."""

import json
import pickle
import zipfile

import numpy as np
import pytest
from spikeport.models.data.skeletons.annotations import annotation_source, labelled_source, read_labels
from spikeport.models.data.skeletons.bodies import Persons
from spikeport.models.data.skeletons.folders import folder_source, read_ucla
from spikeport.models.data.skeletons.layouts import COCO, NTU, UCLA
from spikeport.models.data.skeletons.packed import packed_source
from spikeport.models.data.skeletons.runs import open_source
from spikeport.models.data.skeletons.sets import SETS
from spikeport.toolchain.errors import FileError, UsageError
from support.walkers import walker


def rows(count, width=150, length=20):
    """Recordings [N, L, M·V·3], the last frames empty."""
    made = np.random.default_rng(count).normal(size=(count, length, width)).astype(np.float32)
    made[:, length - 4 :] = 0
    return made


def packed(path, **changes):
    held = {"x_train": rows(4), "y_train": np.eye(60)[[0, 3, 59, 3]], "x_test": rows(2), "y_test": np.eye(60)[[1, 2]]}
    np.savez(path, **{name: each for name, each in {**held, **changes}.items() if each is not None})
    return path


def test_rows_become_poses(tmp_path):
    with packed_source(packed(tmp_path / "NTU60_CS.npz")) as source:
        assert [item.label for item in source.items] == [0, 3, 59, 3, 1, 2]
        assert [item.training for item in source.items] == [True] * 4 + [False] * 2
        assert source.class_names == SETS["ntu60"].class_names
        assert (source.layout, source.persons) == (NTU, 2)
        for index in (0, 2, 1):  # backwards too
            expected = rows(4)[index].reshape(20, 2, 25, 3).transpose(0, 3, 2, 1)
            np.testing.assert_array_equal(source.items[index].read(), expected)
        assert source.items[5].read().shape == (20, 3, 25, 2)


@pytest.mark.parametrize(("width", "layout", "persons"), [(150, NTU, 2), (75, NTU, 1), (60, UCLA, 1)])
def test_widths_tell_layouts(tmp_path, width, layout, persons):
    names = {"x_train": rows(4, width), "x_test": rows(2, width), "y_train": np.arange(4), "y_test": np.array([1, 7])}
    with packed_source(packed(tmp_path / "a.npz", **names)) as source:
        assert (source.layout, source.persons) == (layout, persons)
        assert source.class_names[7] == "class 7"
        assert len(source.class_names) == 8
        assert source.items[0].read().shape == (20, 3, len(layout.joints), persons)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x_test": None}, "no x_test in it; expected a .npz file with x_train, y_train, x_test and y_test"),
        ({"y_train": np.eye(60)[:3]}, r"y_train of shape \[3, 60\]; expected \[4\] or \[4, classes\]"),
        ({"y_train": np.ones((4, 60))}, "y_train has a row without exactly one class"),
        ({"y_train": np.zeros((4, 60))}, "y_train has a row without exactly one class"),
        ({"y_test": np.array([0.5, 1])}, "y_test has values that are no labels"),
        ({"y_test": np.array([-1, 1])}, "y_test has values that are no labels"),
        ({"y_test": np.array([np.nan, 1])}, "y_test has values that are no labels"),
        ({"x_train": rows(4, 99)}, r"99 and 150 values in a frame; expected one of 150 \(2 × ntu\)"),
        ({"x_train": rows(4, 99), "x_test": rows(2, 99)}, "99 values in a frame"),
        ({"x_train": rows(4)[0]}, r"x_train of shape \[20, 150\]; expected \[recordings, frames, values\]"),
        ({"x_train": np.asfortranarray(rows(4))}, "column by column; expected real numbers, row by row"),
        ({"x_train": rows(4).astype(complex)}, "x_train of type complex"),
        ({"x_train": np.array([None] * 4)}, "x_train of type object"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, changes, message):
    with pytest.raises(FileError, match=message):
        packed_source(packed(tmp_path / "a.npz", **changes))


def test_bad_rows_are_named(tmp_path):
    x = rows(4)
    x[1, 3, 7], x[2] = np.nan, 0
    with packed_source(packed(tmp_path / "a.npz", x_train=x)) as source:
        with pytest.raises(FileError, match=r"x_train\[1\]: places that are not finite"):
            source.items[1].read()
        with pytest.raises(FileError, match=r"x_train\[2\]: nobody in any frame"):
            source.items[2].read()
        assert source.items[3].read().any()


def test_an_announced_giant_is_refused_or_never_made(tmp_path):
    path = tmp_path / "a.npz"
    packed(path)
    for shape, message in (
        ((4, 10**9, 150), "for a recording"),
        ((10**12, 20, 150), "000 recordings; expected at most"),
    ):
        text = str({"descr": "<f4", "fortran_order": False, "shape": shape}).ljust(117) + "\n"
        with zipfile.ZipFile(path) as old, zipfile.ZipFile(tmp_path / "b.npz", "w") as new:
            for name in old.namelist():
                data = b"\x93NUMPY\x01\x00\x76\x00" + text.encode() if name == "x_train.npy" else old.read(name)
                new.writestr(name, data)
        with pytest.raises(FileError, match=message):
            packed_source(tmp_path / "b.npz")


def test_mutated_npz_files_are_file_errors(tmp_path):
    small = {"x_train": rows(2, 60, 6), "x_test": rows(1, 60, 6), "y_train": np.arange(2), "y_test": np.arange(1)}
    good = packed(tmp_path / "a.npz", **small).read_bytes()
    source, path, refused = np.random.default_rng(0), tmp_path / "b.npz", 0
    for _ in range(200):
        data = bytearray(good)
        for _ in range(source.integers(1, 20)):
            data[source.integers(len(data))] = source.integers(256)
        path.write_bytes(bytes(data[: source.integers(len(data)) if source.random() < 0.1 else None]))
        try:
            with packed_source(path) as opened:
                for item in opened.items:
                    item.read()
        except FileError:
            refused += 1
    assert refused > 150


def annotation(name, label=3, persons=1, length=9, seed=0, **changes):
    points = np.random.default_rng(seed).normal(size=(persons, length, 25, 3)).astype(np.float16)
    return {"frame_dir": name, "label": label, "total_frames": length, "keypoint": points, **changes}


def posed(path, annotations, split=None):
    names = [each["frame_dir"] for each in annotations if split is None]
    split = split or {"xsub_train": names[:2], "xsub_val": names[2:]}
    path.write_bytes(pickle.dumps({"split": split, "annotations": annotations}))
    return path


NAMES = [f"S001C001P{p:03}R001A004" for p in (1, 2, 3)]


def test_annotations_become_poses(tmp_path):
    made = [annotation(name, persons=n + 1, seed=n) for n, name in enumerate(NAMES)]
    made[2]["keypoint"][1] *= 5
    source = annotation_source(posed(tmp_path / "ntu60_3danno.pkl", made), "xsub")
    assert [(item.name, item.training, item.subject) for item in source.items] == [
        (NAMES[0], True, 1), (NAMES[1], True, 2), (NAMES[2], False, 3),
    ]  # fmt: skip
    assert source.class_names == SETS["ntu60"].class_names
    poses = source.items[0].read()
    np.testing.assert_array_equal(poses[..., 0], made[0]["keypoint"][0].transpose(0, 2, 1).astype(np.float32))
    assert not poses[..., 1].any()
    three = source.items[2].read()
    np.testing.assert_array_equal(three[..., 0], made[2]["keypoint"][1].transpose(0, 2, 1).astype(np.float32))


def test_poses_in_pictures_have_scores(tmp_path):
    points = np.random.default_rng(0).uniform(1, 1000, (1, 5, 17, 2)).astype(np.float32)
    points[0, 2] = 0
    scores = np.random.default_rng(1).uniform(size=(1, 5, 17)).astype(np.float32)
    extra = {"keypoint": points, "keypoint_score": scores, "img_shape": (1080, 1920), "total_frames": 5}
    source = annotation_source(posed(tmp_path / "a.pkl", [annotation(name, **extra) for name in NAMES]), None)
    poses = source.items[0].read()
    assert source.layout is COCO
    np.testing.assert_allclose(poses[0, 0, :, 0], points[0, 0, :, 0] / 960 - 1, atol=1e-6)
    np.testing.assert_allclose(poses[0, 1, :, 0], points[0, 0, :, 1] / 540 - 1, atol=1e-6)
    np.testing.assert_allclose(poses[0, 2, :, 0], scores[0, 0])
    assert not poses[2].any()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"keypoint": [1, 2]}, "no keypoint; expected an array"),
        ({"keypoint": np.ones((1, 9, 25))}, "no keypoint"),
        ({"keypoint": np.ones((1, 9, 20, 3))}, r"keypoint of shape \[1, 9, 20, 3\]"),
        ({"keypoint": np.ones((1, 9, 25, 4))}, r"keypoint of shape \[1, 9, 25, 4\]"),
        ({"keypoint": np.full((1, 9, 25, 3), np.nan)}, "points that are not finite"),
        ({"keypoint": np.full((1, 9, 25, 3), 1e300)}, "points that are not finite, or out of this world"),
        ({"keypoint": np.zeros((1, 9, 25, 3))}, "nobody in any frame"),
        ({"keypoint": np.zeros((0, 9, 25, 3))}, "nobody in any frame"),
        ({"keypoint": np.ones((1, 9, 25, 2))}, "no keypoint_score"),
        ({"total_frames": 8}, "keypoint of 9 frames; expected 8, as it says"),
        ({"keypoint": np.ones((1, 9, 25, 2)), "keypoint_score": np.ones((1, 9, 25))}, "no img_shape"),
    ],
)
def test_bad_annotations_are_named_when_they_are_read(tmp_path, changes, message):
    made = [annotation(NAMES[0]), annotation(NAMES[1], **changes), annotation(NAMES[2])]
    source = annotation_source(posed(tmp_path / "a.pkl", made), "xsub")
    with pytest.raises(FileError, match=f"{NAMES[1]}: {message}"):
        source.items[1].read()
    assert source.items[2].read().any()


def test_annotations_without_names_or_labels_are_bad_from_the_start(tmp_path):
    made = [annotation(NAMES[0]), annotation(NAMES[1], label=-1), annotation(NAMES[2]), {"label": 3}, 7]
    split = {"xsub_train": NAMES[:2], "xsub_val": [NAMES[2], "nobody"]}
    source = annotation_source(posed(tmp_path / "a.pkl", made, split), None)
    assert [item.name for item in source.items] == [NAMES[0], NAMES[2]]
    assert [str(error).split(": ")[1].split(";")[0] for error in source.bad] == [
        "no label",
        "no name in it",
        "no name in it",
    ]
    assert source.said == ("left out: 2 names of the split without an annotation",)


@pytest.mark.parametrize(
    ("held", "error", "message"),
    [
        ([], FileError, "no annotations in it"),
        ({"annotations": 3}, FileError, "no annotations in it"),
        ({"annotations": [], "split": {}}, UsageError, "--split: 'xsub'; expected one that a.pkl has: none"),
        ({"annotations": [], "split": 3}, FileError, "no split in it"),
        ({"annotations": [], "split": {"xsub_train": [], "xsub_val": []}}, FileError, "no annotation"),
    ],
)
def test_other_pickles_are_refused(tmp_path, held, error, message):
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(held))
    with pytest.raises(error, match=message):
        annotation_source(tmp_path / "a.pkl", "xsub")


def test_a_split_must_be_chosen_where_there_are_several(tmp_path):
    split = {f"{name}_train": NAMES[:2] * 2 for name in ("xsub", "xview")} | {
        f"{name}_val": NAMES[2:] for name in ("xsub", "xview")
    }
    path = posed(tmp_path / "a.pkl", [annotation(name) for name in NAMES], split)
    with pytest.raises(UsageError, match=r"--split: none chosen; expected one that a.pkl has: xsub, xview"):
        annotation_source(path, None)
    assert [item.name for item in annotation_source(path, "xview").items] == NAMES  # each once
    split["xsub_val"] = NAMES[1:]
    posed(path, [annotation(name) for name in NAMES], split)
    with pytest.raises(FileError, match="1 names on both sides of split xsub; expected recordings to test on that"):
        annotation_source(path, "xsub")


def test_label_files_of_old(tmp_path):
    for labels in ([5, 2], np.array([5, 2])):
        (tmp_path / "l.pkl").write_bytes(pickle.dumps((["a", "b"], labels)))
        assert read_labels(tmp_path / "l.pkl") == (["a", "b"], [5, 2])
    for held in (["a"], 3, (["a"], [1, 2]), (["a"], [-1]), ([1], [1]), (["a"], [True]), (["a"], "x")):
        (tmp_path / "l.pkl").write_bytes(pickle.dumps(held))
        with pytest.raises(FileError, match=r"names and labels|no pair of lists"):
            read_labels(tmp_path / "l.pkl")


def test_arrays_with_label_files(tmp_path):
    data = np.random.default_rng(0).normal(size=(2, 3, 6, 25, 2)).astype(np.float32)
    for part in ("train", "val"):
        np.save(tmp_path / f"{part}_data_joint.npy", data)
        (tmp_path / f"{part}_label.pkl").write_bytes(
            pickle.dumps(([f"{name}.skeleton" for name in NAMES[:2]], [3, 61]))
        )
    source = labelled_source(tmp_path)
    assert [(item.name, item.subject) for item in source.items[:2]] == [(NAMES[0], 1), (NAMES[1], 2)]
    assert len(source.class_names) == 120
    np.testing.assert_array_equal(source.items[1].read(), data[1].transpose(1, 0, 2, 3))
    np.save(tmp_path / "val_data_joint.npy", data[:1])
    with pytest.raises(FileError, match=r"val_data_joint.npy: shape \[1, 3, 6, 25, 2\]; expected \[2, 3, frames"):
        labelled_source(tmp_path)
    np.save(tmp_path / "val_data_joint.npy", np.array([None]))
    with pytest.raises(FileError, match="cannot be read"):
        labelled_source(tmp_path)
    (tmp_path / "val_data_joint.npy").unlink()
    with pytest.raises(FileError, match=r"no val_data_joint\.npy"):
        labelled_source(tmp_path)


def test_ucla_files(tmp_path):
    places = np.random.default_rng(0).normal(size=(7, 20, 3))
    path = tmp_path / "a02_s03_e00_v03.json"
    path.write_text(json.dumps({"file_name": path.stem, "skeletons": places.tolist(), "label": 2}))
    np.testing.assert_array_equal(read_ucla(path)[..., 0], places.transpose(0, 2, 1).astype(np.float32))
    source = folder_source(tmp_path, SETS["nw-ucla"], "xview", Persons())
    assert [(item.label, item.training, item.subject) for item in source.items] == [(1, False, 3)]
    assert (source.layout, source.persons) == (UCLA, 1)


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "3", "[" * 100_000, '{"skeletons": 3}', '{"skeletons": []}', '{"skeletons": [[[1, 2, 3]]]}',
        '{"skeletons": [[1], [1, 2]]}', json.dumps({"skeletons": [[["1", "2", "3"]] * 20]}), '{"x": 1}', "\x00",
        json.dumps({"skeletons": [[[1, 2, float("nan")]] * 20]}), json.dumps({"skeletons": [[[0, 0, 0]] * 20]}),
        json.dumps({"skeletons": [[[True, True, True]] * 20]}), '{"skeletons": [[[' + "9" * 5000 + "]]]}",
        json.dumps({"skeletons": [[[10**400, 1, 1]] * 20]}), "\xff",
    ],
)  # fmt: skip
def test_broken_ucla_files_are_refused(tmp_path, text):
    (tmp_path / "a.json").write_bytes(text.encode("latin1"))
    with pytest.raises(FileError, match=r"a\.json"):
        read_ucla(tmp_path / "a.json")


def test_what_is_opened_depends_on_what_it_is(tmp_path):
    persons = Persons()
    assert open_source(packed(tmp_path / "a.npz"), "ntu60", None, persons).persons == 2
    with pytest.raises(UsageError, match=r"--split: xsub with a file that has its own. Leave it out"):
        open_source(tmp_path / "a.npz", "ntu60", "xsub", persons)
    with pytest.raises(FileError, match="there is no such file or folder"):
        open_source(tmp_path / "no", "ntu60", None, persons)
    (tmp_path / "a.txt").touch()
    with pytest.raises(FileError, match=r"'\.txt' is no suffix of recordings"):
        open_source(tmp_path / "a.txt", "ntu60", None, persons)
    (tmp_path / "b.json").touch()
    with pytest.raises(FileError, match=r"b\.json: is a single recording; expected a folder of recordings"):
        open_source(tmp_path / "b.json", "ntu60", None, persons)
    with pytest.raises(FileError, match=r"no \.skeleton file in it; expected recordings of ntu60"):
        open_source(tmp_path, "ntu60", None, persons)


def test_the_walker_is_about_as_large_as_a_person():
    assert 1 < np.ptp(walker()[0, 1, :, 0]) < 2.5

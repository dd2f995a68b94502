"""NTU's text files: what is written is read, every oddity is named by its line, and nothing else ever comes out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from spikeport.models.data.skeletons.bodies import Persons, read_poses
from spikeport.models.data.skeletons.recording_files import recording_of, write_recording, write_skeleton
from spikeport.models.data.skeletons.recordings import Recording, read_recording
from spikeport.toolchain.errors import FileError, UsageError
from support.walkers import walker

AS_THEY_ARE = Persons(order="id", ghosts=True, fill="zeros")
PLACES = st.floats(-50, 50, width=32).map(lambda value: 0.5 if value == 0 else value)


def text_of(bodies=(1, 1), joints=25, width=12):
    """A file by hand: so many bodies in each frame."""
    joint = " ".join(["0.1", "-0.25", "3e0", *["1"] * (width - 4), "2"])
    lines = [str(len(bodies))]
    for count in bodies:
        lines.append(str(count))
        for body in range(count):
            lines += [f"7205759403792793{body} 0 1 1 0 0 0 0.01 -0.2 2", str(joints), *[joint] * joints]
    return "\n".join(lines) + "\n"


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "S001C001P001R001A001.skeleton"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@settings(deadline=None, max_examples=25)
@given(
    poses=st.tuples(st.integers(1, 4), st.integers(1, 3)).flatmap(
        lambda size: arrays.arrays(np.float32, (size[0], 3, 25, size[1]), elements=PLACES, fill=st.just(1.25))
    ),
    absent=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=6),
)
def test_what_is_written_is_read_to_the_last_bit(tmp_path_factory, poses, absent):
    for frame, person in absent:
        poses[frame % len(poses), :, :, person % poses.shape[3]] = 0
    path = tmp_path_factory.mktemp("files") / "a.skeleton"
    write_skeleton(path, poses)
    if poses.any():
        kept = poses[..., poses.any(axis=(0, 1, 2))]
        persons = Persons(count=kept.shape[3], order="id", ghosts=True, fill="zeros")
        np.testing.assert_array_equal(read_poses(path, persons), kept)
    else:
        with pytest.raises(FileError, match="no body in any of its"):
            read_poses(path)


def test_a_recording_is_written_and_read_whole(tmp_path):
    source = np.random.default_rng(0)
    joints = source.normal(size=(3, 25, 12)).astype(np.float32).astype(float)
    flags = source.normal(size=(3, 9)).astype(np.float32).astype(float)
    ids = (2**56 + 1, 2**56 + 2)  # float64 cannot tell them apart
    given_ = Recording(4, ids, np.array([0, 0, 2]), np.array([0, 1, 1]), flags, joints)
    write_recording(tmp_path / "a.skeleton", given_)
    found = read_recording(tmp_path / "a.skeleton")
    assert (found.frames, found.ids) == (4, ids)
    for name in ("frame", "body", "flags", "joints"):
        np.testing.assert_array_equal(np.float32(getattr(found, name)), np.float32(getattr(given_, name)))


def test_pictures_are_written_beside_places(tmp_path):
    poses, pictures = walker(3, 2), np.random.default_rng(0).normal(size=(3, 4, 25, 2)).astype(np.float32)
    write_skeleton(tmp_path / "a.skeleton", poses, pictures)
    found = read_recording(tmp_path / "a.skeleton")
    np.testing.assert_array_equal(np.float32(found.joints[1, :, 3:7]), pictures[0, :, :, 1].T)
    assert (found.joints[..., 11] == 2).all()


@pytest.mark.parametrize("poses", [np.zeros((2, 3, 20, 1)), np.zeros((2, 3, 25)), np.full((1, 3, 25, 1), np.nan)])
def test_only_poses_are_written(poses):
    with pytest.raises(UsageError, match=r"poses: shape .* finite numbers \[T, 3, 25, M\]"):
        recording_of(poses)


@pytest.mark.parametrize("change", [lambda t: t.replace("\n", "\r\n"), lambda t: t + "\n \n", lambda t: t.rstrip("\n")])
def test_line_ends_and_empty_last_lines_do_not_matter(written, change):
    assert read_recording(written(change(text_of()))).joints.shape == (2, 25, 12)


def test_the_columns_are_x_y_z_first(written):
    found = read_poses(written(text_of((0, 1))), AS_THEY_ARE)
    np.testing.assert_allclose(found[1, :, 7, 0], [0.1, -0.25, 3.0])
    assert not found[0].any()
    assert not found[..., 1].any()


def test_what_kinect_does_not_know_beside_the_place_may_be_nan(written):
    lines = text_of((1,)).splitlines()
    lines[5] = "0.5 0.5 0.5 NaN -inf nan inf 1 1 1 1 0"
    assert np.isnan(read_recording(written("\n".join(lines))).joints[0, 1, 3])


def changed(place, line):
    lines = text_of((1, 2)).splitlines()
    lines[place : place + 1] = [line]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"is empty; expected a \.skeleton file"),
        ("\n\n", r"line 1: an empty line; expected the number of frames"),
        ("hello", r"line 1: 'hello'; expected the number of frames, at most 100000"),
        ("-1\n", r"line 1: '-1'; expected the number of frames"),
        ("1e3\n", r"line 1: '1e3'"),
        ("\x1b[2J\n", r"line 1: '\?\[2J'"),
        ("99999999999999999999\n", r"line 1: '99999999999999999999'"),
        ("999999\n0\n", r"line 1: '999999'; expected the number of frames, at most 100000"),
        ("50000\n0\n", r"line 2: the file ends in frame 2 of 50000; expected at least 3 lines"),
        ("0\n", r"no body in any of its 0 frames"),
        ("3\n0\n0\n0\n", r"no body in any of its 3 frames; expected a skeleton\. Leave this file out"),
        ("1\n60\n" + "1\n" * 20, r"line 4: 1 joints; expected 25"),
        ("1\n60\n7 0\n25\n", r"line 4: the file ends in frame 1 of 1; expected at least 29 lines"),
        ("1\n1\n7 0\n2500000\n", r"line 4: '2500000'; expected the number of joints"),
        ("1\n65\n", r"line 2: '65'; expected the number of bodies, at most 64"),
        (text_of((1,), joints=20), r"line 4: 20 joints; expected 25"),
        (text_of((1, 1, 1), joints=20), r"line 4: 20 joints; expected 25"),
        (text_of((1,), width=11), r"line 5: '0\.1 .*'; expected the 12 numbers of a joint"),
        (text_of((1,), width=13), r"line 5: '0\.1 .*'; expected the 12 numbers of a joint"),
        (text_of()[:300], r"the file ends in frame 1 of 2"),
        (text_of() + "1\n", r"line 58: '1'; expected nothing behind the 2 frames it announces"),
        (changed(10, "0.1 0.2 three 1 1 1 1 1 1 1 1 2"), r"line 11: '0\.1 0\.2 three .*'; expected the 12 numbers"),
        (changed(10, ""), r"line 11: an empty line; expected the 12 numbers"),
        (changed(10, "nan 0 0 1 1 1 1 1 1 1 1 2"), r"line 11: the place 'nan 0 0 .*'; expected three finite numbers"),
        (changed(10, "0 inf 0 1 1 1 1 1 1 1 1 2"), r"line 11: the place"),
        (changed(10, "0 0 1e39 1 1 1 1 1 1 1 1 2"), r"line 11: the place"),
        (changed(2, "72 0 1 1 0 0 0 0.01 2"), r"line 3: '72 0 .*'; expected a body's id and 9 numbers"),
        (changed(2, "7.5 0 1 1 0 0 0 0.01 -0.2 2"), r"line 3: '7\.5'; expected the id of a body"),
        (changed(57, "72057594037927930 0 1 1 0 0 0 0.01 -0.2 2"), r"line 58: body 72057594037927930 for the second"),
    ],
)
def test_what_is_wrong_is_named_by_its_line(written, text, message):
    with pytest.raises(FileError, match=message):
        read_recording(written(text))


def test_a_missing_file_a_folder_and_a_giant_are_refused(tmp_path):
    with pytest.raises(FileError, match="does not exist"):
        read_recording(tmp_path / "no.skeleton")
    with pytest.raises(FileError, match="is a folder"):
        read_recording(tmp_path)
    with (tmp_path / "big.skeleton").open("wb") as file:
        file.truncate(65 << 20)  # takes no room on the disk
    with pytest.raises(FileError, match="has 68,157,440 bytes"):
        read_recording(tmp_path / "big.skeleton")
    (tmp_path / "lines.skeleton").write_bytes(b"\n" * 2_000_001)
    with pytest.raises(FileError, match="more than 2000000 lines"):
        read_recording(tmp_path / "lines.skeleton")


def mutated(data: bytes, source: np.random.Generator) -> bytes:
    """Some bytes overwritten, taken out, doubled or put in."""
    made = bytearray(data)
    for _ in range(source.integers(1, 4)):
        at, end = sorted(source.integers(0, len(made) + 1, 2).tolist())
        end = min(end, at + int(source.integers(1, 200)))
        kind = source.integers(4)
        piece = bytes(made[at:end])
        word = [b"nan", b"-", b"\n", b"\0", b"1e999", b"99999999999", b" ", bytes([source.integers(256)])]
        made[at:end] = (b"", piece * 2, word[source.integers(len(word))], bytes(source.integers(48, 58, len(piece))))[
            kind
        ]
    return bytes(made)


def test_500_mutations_give_a_recording_or_a_file_error(tmp_path):
    good = text_of((1, 0, 2, 3)).encode()
    source, path, messages = np.random.default_rng(1), tmp_path / "a.skeleton", []
    for _ in range(500):
        path.write_bytes(mutated(good, source))
        try:
            found = read_poses(path)
            assert found.shape[1:] == (3, 25, 2)
            assert np.isfinite(found).all()
        except FileError as error:
            messages.append(str(error))
    assert 200 < len(messages) < 500
    assert all(message.isprintable() for message in messages)

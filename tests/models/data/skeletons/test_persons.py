"""Which bodies become persons, and what stands where they were not seen."""

import numpy as np
import pytest
from spikeport.models.data.skeletons.bodies import Persons, filled, motion, poses_of, read_poses
from spikeport.models.data.skeletons.recording_files import recording_of, write_skeleton
from spikeport.toolchain.errors import FileError, UsageError
from support.walkers import walker


def three(frames=30):
    """Three who are upright; the second sways most, the third hardly."""
    poses = np.concatenate([walker(frames, 1, seed)[..., :1] for seed in (1, 2, 3)], axis=3)
    middle = poses.mean(axis=0, keepdims=True)
    return (middle + (poses - middle) * np.array([1.0, 3.0, 0.1])).astype(np.float32)


def kept(poses, **choices):
    return poses_of(recording_of(poses), Persons(**choices))


def test_the_two_who_move_most_stay_and_the_first_of_them_comes_first():
    poses = three()
    np.testing.assert_array_equal(kept(poses), poses[..., [1, 0]])
    np.testing.assert_array_equal(kept(poses, order="id"), poses[..., [0, 1]])
    np.testing.assert_array_equal(kept(poses, count=1), poses[..., [1]])
    np.testing.assert_array_equal(kept(poses, count=3), poses[..., [1, 0, 2]])


def test_ranked_by_frames_the_longest_stay_and_equals_go_by_id():
    poses = three()
    poses[20:, :, :, 0] = 0
    np.testing.assert_array_equal(kept(poses, by="frames"), poses[..., [1, 2]])


def test_motion_is_the_variance_of_all_joints():
    places = np.arange(2 * 2 * 3).reshape(2, 2, 3).astype(float)
    assert motion(places) == pytest.approx(3 * np.var([0, 3, 6, 9]))


def test_ghosts_go_unless_nobody_else_is_there():
    poses = three()
    poses[11:, :, :, 1] = 0  # moves most, but is seen in 11 frames
    np.testing.assert_array_equal(kept(poses), poses[..., [0, 2]])
    np.testing.assert_array_equal(kept(poses, ghosts=True)[..., 0], poses[..., 1])
    np.testing.assert_array_equal(kept(poses[:11])[..., 0], poses[:11, ..., 1])
    wide = three()
    wide[:, 0, :, 1] *= 4  # like a table
    np.testing.assert_array_equal(kept(wide), wide[..., [0, 2]])
    np.testing.assert_array_equal(kept(wide[..., [1]])[..., 0], wide[..., 1])


def test_a_body_is_a_table_from_so_many_wide_frames_on():
    for share, stays in ((0.69, True), (0.70, False)):
        poses = three(100)
        poses[: int(share * 100), 0, :, 1] *= 4
        assert (kept(poses)[..., 0] == poses[..., 1]).all() == stays


def gap():
    """Somebody who moves by one a frame, first seen in frame 1, not in 3 to 5, last in 7."""
    poses = np.ones((9, 3, 25, 1), np.float32) * np.arange(10, 19)[:, None, None, None]
    poses[[0, 3, 4, 5, 8]] = 0
    return poses


@pytest.mark.parametrize(
    ("fill", "expected"),
    [
        ("linear", [0, 11, 12, 13, 14, 15, 16, 17, 0]),
        ("hold", [0, 11, 12, 12, 12, 12, 16, 17, 0]),
        ("zeros", [0, 11, 12, 0, 0, 0, 16, 17, 0]),
        ("drop", [11, 12, 16, 17]),
    ],
)
def test_gaps_are_filled_as_asked(fill, expected, tmp_path):
    np.testing.assert_allclose(filled(gap(), fill)[:, 1, 7, 0], expected, rtol=1e-6)
    write_skeleton(tmp_path / "a.skeleton", gap())
    np.testing.assert_allclose(read_poses(tmp_path / "a.skeleton", Persons(fill=fill))[:, 1, 7, 0], expected, rtol=1e-6)


def test_a_gap_of_one_person_is_filled_beside_another_and_what_is_given_stays():
    both = np.concatenate([gap(), np.ones((9, 3, 25, 1), np.float32)], axis=3)
    before = both.copy()
    made = filled(both, "linear")
    np.testing.assert_array_equal(both, before)
    np.testing.assert_allclose(made[4, :, :, 0], 14)
    assert (made[..., 1] == 1).all()
    assert filled(both, "drop").shape == both.shape


def test_bodies_at_the_origin_alone_are_nobody(tmp_path):
    write_skeleton(tmp_path / "a.skeleton", gap())
    text = (tmp_path / "a.skeleton").read_text()
    lines = ["0 0 0 " + line.split(" ", 3)[3] if len(line.split()) == 12 else line for line in text.splitlines()]
    (tmp_path / "a.skeleton").write_text("\n".join(lines))
    with pytest.raises(FileError, match="only bodies whose joints are all at 0"):
        read_poses(tmp_path / "a.skeleton")


def test_unknown_fillings_are_refused():
    with pytest.raises(UsageError, match="--fill: 'spline'; expected one of linear, hold, zeros, drop"):
        Persons(fill="spline")

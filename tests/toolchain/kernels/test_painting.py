"""The rasteriser's closed forms against minima that are searched for, and its pictures against the sums they are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeport.toolchain.errors import UsageError
from spikeport.toolchain.kernels import raster
from spikeport.toolchain.kernels.raster import FACE, LIMB, NUMBERS, paint

SIZE = 20
FINE = np.linspace(0, 1, 801)
PLACES = st.floats(2, SIZE - 2)
RADII = st.floats(0.3, 6)
LIMBS = st.tuples(PLACES, PLACES, st.floats(-9, 9), RADII, PLACES, PLACES, st.floats(-9, 9), RADII)


def painted(form, kind, value=1.0, depth=True):
    forms = np.zeros((1, 1, 1, NUMBERS))
    forms[0, 0, 0, : len(form)] = form
    picture = np.zeros((1, 1, 1, SIZE, SIZE), np.float32)
    colour, there = np.full((1, 1, 1), value, np.float32), np.ones((1, 1), bool)
    depths = paint(forms, np.array([kind]), colour, there, picture, depth)
    return picture[0, 0, 0], depths[0, 0] if depth else None


def swept(limb):
    """Share covered and nearest surface of a ball that goes from one end to the other, in 801 places."""
    ax, ay, az, ar, bx, by, bz, br = limb
    x, y, z, r = (a + FINE * (b - a) for a, b in ((ax, bx), (ay, by), (az, bz), (ar, br)))
    rows, columns = np.mgrid[:SIZE, :SIZE] + 0.5
    away = np.hypot(columns[..., None] - x, rows[..., None] - y)
    inside = np.maximum(r * r - away * away, 0)
    surface = np.where(away <= r, z - np.sqrt(inside), np.inf)
    return np.clip(0.5 - (away - r).min(-1), 0, 1), surface.min(-1)


@settings(deadline=None, max_examples=25)
@given(LIMBS)
def test_a_limb_is_what_a_ball_sweeps(limb):
    picture, depth = painted(limb, LIMB)
    share, surface = swept(limb)
    np.testing.assert_allclose(picture, share, atol=1e-2)  # the search goes in steps
    deep = share > 0.9  # at the rim a surface falls off steeply
    np.testing.assert_allclose(depth[deep], surface[deep], atol=0.08)
    assert (depth[deep] <= surface[deep] + 1e-4).all()
    assert np.isinf(depth[share < 0.49]).all()


def test_a_face_is_a_plane_between_its_edges():
    corners = np.array([(4, 5, 1), (18, 5, 3), (18, 15, 5), (4, 15, 3)], float)
    for order in (slice(None), slice(None, None, -1)):
        picture, depth = painted(corners[order].reshape(-1), FACE)
        wanted = np.zeros((SIZE, SIZE))
        wanted[5:15, 4:18] = 1
        assert np.array_equal(picture, wanted)
        rows, columns = np.nonzero(wanted)
        np.testing.assert_allclose(
            depth[rows, columns], 1 + 2 * (columns + 0.5 - 4) / 14 + 2 * (rows + 0.5 - 5) / 10, atol=1e-5
        )
        assert np.isinf(depth[wanted == 0]).all()


def test_half_a_pixel_is_half_covered():
    picture, _ = painted(np.array([(4.5, 5, 0), (18, 5, 0), (18, 15, 0), (4.5, 15, 0)], float).reshape(-1), FACE)
    np.testing.assert_allclose(picture[5:15, 4], 0.5)


def test_the_list_decides_what_hides_what_and_the_depth_map_what_is_near():
    forms = np.zeros((1, 1, 2, NUMBERS))
    for place, z in enumerate((-5.0, 5.0)):  # the nearer one is painted first
        forms[0, 0, place, :8] = (12, 12, z, 5, 12, 12, z, 5)
    picture = np.zeros((1, 1, 1, SIZE, SIZE), np.float32)
    colours = np.array([[[0.25], [0.75]]], np.float32)
    depth = paint(forms, np.full(2, LIMB), colours, np.ones((1, 2), bool), picture, True)
    assert picture[0, 0, 0, 12, 12] == 0.75
    assert depth[0, 0, 12, 12] < -9.5
    hidden = np.zeros_like(picture)
    paint(forms, np.full(2, LIMB), colours, np.array([[True, False]]), hidden)
    assert hidden[0, 0, 0, 12, 12] == 0.25


def test_forms_outside_of_the_picture_are_cut_off():
    picture, depth = painted((-50, -50, 0, 3, -40, 80, 0, 3), LIMB)
    assert not picture.any()
    assert np.isinf(depth).all()
    picture, _ = painted((-2, 12, 0, 4, 60, 12, 0, 4), LIMB)
    assert (picture[12] == 1).all()


def test_pieces_do_not_matter(monkeypatch):
    source = np.random.default_rng(0)
    forms = source.uniform(2, 20, (2, 9, 5, NUMBERS))
    colours, there = source.random((2, 5, 3), np.float32), source.random((2, 5)) < 0.8
    made = []
    for smallest in (1, 1 << 30):
        monkeypatch.setattr("spikeport.toolchain.kernels.threads.SMALLEST_PIECE", smallest)
        picture = np.zeros((2, 9, 3, SIZE, SIZE), np.float32)
        made.append((picture, raster.paint(forms, np.array([0, 1, 0, 1, 0]), colours, there, picture, True)))
    assert all(np.array_equal(one, other) for one, other in zip(*made, strict=True))


def test_pictures_must_be_what_can_be_painted_in_place():
    forms, colours, there = np.zeros((1, 1, 1, NUMBERS)), np.zeros((1, 1, 1), np.float32), np.ones((1, 1), bool)
    with pytest.raises(UsageError, match="pictures of float64"):
        paint(forms, np.zeros(1, int), colours, there, np.zeros((1, 1, 1, 4, 4)))

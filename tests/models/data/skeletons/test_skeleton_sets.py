"""Names, classes and official splits of the public sets."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spikeport.models.data.skeletons.layouts import COCO, LAYOUTS, NTU, UCLA
from spikeport.models.data.skeletons.missing import MISSING
from spikeport.models.data.skeletons.sets import SETS, data_set, is_missing
from spikeport.toolchain.errors import FileError, UsageError

NTU60, NTU120, NWUCLA = SETS["ntu60"], SETS["ntu120"], SETS["nw-ucla"]
NUMBERS = st.integers(1, 999)


@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS)
def test_names_say_set_up_camera_subject_replication_and_action(setup, camera, subject, replication, action):
    text = f"S{setup:03}C{camera:03}P{subject:03}R{replication:03}A{action:03}"
    name = NTU120.named(f"/some/folder/{text}.skeleton")
    assert (name.text, name.setup, name.camera) == (text, setup, camera)
    assert (name.subject, name.replication, name.action) == (subject, replication, action)
    assert NTU60.holds(name) == (setup <= 17 and action <= 60)
    assert NTU120.holds(name) == (setup <= 32 and action <= 120)


def test_ucla_names_have_ten_of_twelve_actions():
    name = NWUCLA.named("a12_s09_e04_v03.json")
    assert (name.action, name.subject, name.replication, name.camera, name.setup) == (12, 9, 4, 3, 0)
    assert NWUCLA.label(name) == 9
    assert NWUCLA.class_names[9] == "carry"
    assert not NWUCLA.holds(NWUCLA.named("a07_s01_e00_v01"))
    assert [NWUCLA.split("xview")(NWUCLA.named(f"a01_s01_e00_v0{view}")) for view in (1, 2, 3)] == [True, True, False]


@pytest.mark.parametrize(
    "text", ["S001C001P001R001", "S01C001P001R001A001", "xS001C001P001R001A001", "S٠٠١C001P001R001A001", ""]
)
def test_other_names_are_refused(text):
    with pytest.raises(FileError, match=r"no name of a recording of ntu60; expected SsssCcccPpppRrrrAaaa, such as"):
        NTU60.named(f"{text}.skeleton")


def named(**changes):
    parts = {"s": 1, "c": 1, "p": 1, "r": 1, "a": 1, **changes}
    return NTU120.named("".join(f"{key.upper()}{value:03}" for key, value in parts.items()))


def test_the_official_splits():
    trains = [p for p in range(1, 41) if NTU60.split("xsub")(named(p=p))]
    assert trains == [1, 2, 4, 5, 8, 9, 13, 14, 15, 16, 17, 18, 19, 25, 27, 28, 31, 34, 35, 38]
    more = [p for p in range(1, 107) if NTU120.split("xsub")(named(p=p))]
    assert len(more) == 53
    assert more[:20] == trains
    assert more[20:38] == [45, 46, 47, 49, 50, 52, 53, 54, 55, 56, 57, 58, 59, 70, 74, 78, 80, 81]
    assert more[38:] == [82, 83, 84, 85, 86, 89, 91, 92, 93, 94, 95, 97, 98, 100, 103]
    assert [NTU60.split("xview")(named(c=c)) for c in (1, 2, 3)] == [False, True, True]
    assert [s for s in range(1, 33) if NTU120.split("xset")(named(s=s))] == list(range(2, 33, 2))
    assert (list(NTU60.splits), list(NTU120.splits), list(NWUCLA.splits)) == (
        ["xsub", "xview"],
        ["xsub", "xset"],
        ["xview"],
    )


def test_unknown_sets_and_splits_are_refused():
    with pytest.raises(UsageError, match="--set: 'ntu'; expected one of ntu60, ntu120, nw-ucla"):
        data_set("ntu")
    with pytest.raises(UsageError, match="--split: 'xset' for ntu60; expected one of xsub, xview"):
        NTU60.split("xset")


def test_302_and_535_recordings_are_known_to_be_incomplete():
    names = [NTU120.named(name) for name in MISSING]
    assert sum(map(NTU60.holds, names)) == 302
    assert sum(map(NTU120.holds, names)) == len(names) == 535
    digest = hashlib.sha256("\n".join(sorted(MISSING)).encode()).hexdigest()
    assert digest == "58d30a6fdf262ab9fe1b51b74fb64f51a5b0107ab9eaa9fb3382d55c7b7d6884"  # of the authors' two lists
    assert is_missing(named(s=1, c=2, p=5, r=2, a=8))
    assert is_missing(named(s=32, c=3, p=67, r=2, a=77))
    assert not is_missing(named())


def test_classes_are_named_in_the_order_of_their_numbers():
    assert (len(NTU60.class_names), len(NTU120.class_names), len(NWUCLA.class_names)) == (60, 120, 10)
    assert NTU120.class_names[:60] == NTU60.class_names
    expected = {
        1: "drink water",
        43: "falling",
        60: "walking apart from each other",
        115: "take a photo of other person",
    }
    assert {number: NTU120.class_names[number - 1] for number in expected} == expected
    assert all(name == name.strip() and name for each in SETS.values() for name in each.class_names)
    assert len(set(NTU120.class_names)) == 120


@pytest.mark.parametrize("layout", [NTU, UCLA, COCO], ids=lambda layout: layout.name)
def test_layouts_are_trees(layout):
    assert len(set(layout.joints)) == len(layout.parents)
    for joint in range(len(layout.parents)):
        way = [joint]
        while way[-1] != layout.root:
            way.append(layout.parents[way[-1]])
            assert len(way) <= len(layout.parents)
    assert LAYOUTS[len(layout.joints)] is layout


def test_hands_hang_on_arms_and_feet_on_legs():
    for layout in (NTU, UCLA):
        for side in ("left", "right"):
            arm = [layout.joints.index(f"{side} {part}") for part in ("hand", "wrist", "elbow", "shoulder")]
            leg = [layout.joints.index(f"{side} {part}") for part in ("foot", "ankle", "knee", "hip")]
            assert [layout.parents[joint] for joint in (*arm[:3], *leg[:3])] == [*arm[1:], *leg[1:]]

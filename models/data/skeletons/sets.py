"""The public data sets: what the names of their files say, and their official splits into training and test."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ....toolchain.errors import FileError, UsageError
from .actions import NTU_ACTIONS, UCLA_ACTIONS
from .layouts import NTU, UCLA, Layout
from .missing import MISSING


@dataclass(frozen=True)
class Name:
    """What the name of a recording says.

    Args:
        text: the name, without folder and suffix.
        setup: the set-up of the cameras; 0 where the set has but one.
        camera: the camera or view.
        subject: who does it.
        replication: which time it is.
        action: the action's number in the set.
    """

    text: str
    setup: int
    camera: int
    subject: int
    replication: int
    action: int


NTU_NAME = re.compile(
    r"S(?P<setup>\d{3})C(?P<camera>\d{3})P(?P<subject>\d{3})R(?P<replication>\d{3})A(?P<action>\d{3})", re.ASCII
)
UCLA_NAME = re.compile(r"a(?P<action>\d{2})_s(?P<subject>\d{2})_e(?P<replication>\d{2})_v(?P<camera>\d{2})", re.ASCII)

NTU60_SUBJECTS = frozenset({1, 2, 4, 5, 8, 9, 13, 14, 15, 16, 17, 18, 19, 25, 27, 28, 31, 34, 35, 38})
"""Who trains in the cross-subject split of NTU RGB+D."""

NTU120_SUBJECTS = NTU60_SUBJECTS | {
    *(45, 46, 47, 49, 50, 52, 53, 54, 55, 56, 57, 58, 59, 70, 74, 78, 80, 81, 82, 83, 84, 85, 86, 89),
    *(91, 92, 93, 94, 95, 97, 98, 100, 103),
}  # fmt: skip
"""Who trains in the cross-subject split of NTU RGB+D 120."""

Split = Callable[[Name], bool]
"""Whether a recording is one to train on."""


@dataclass(frozen=True)
class DataSet:
    """A public data set.

    Args:
        name: what users call it.
        pattern: of the names of its files, with groups named as the fields of `Name`.
        form: how such a name looks, for messages.
        suffix: of its files.
        layout: its skeletons.
        actions: what its actions are called, by their numbers; their order is the labels'.
        setups: the largest number of a set-up; files of later ones belong to a larger set.
        splits: its official splits by name.
    """

    name: str
    pattern: re.Pattern[str]
    form: str
    suffix: str
    layout: Layout
    actions: Mapping[int, str]
    setups: int
    splits: Mapping[str, Split]

    @property
    def class_names(self) -> tuple[str, ...]:
        """What its labels stand for."""
        return tuple(self.actions.values())

    def named(self, path: str | Path) -> Name:
        """What the name of a file says; a FileError when it says nothing."""
        found = self.pattern.fullmatch(Path(path).stem)
        if found is None:
            fix = "rename or move the file"
            raise FileError(str(path), f"no name of a recording of {self.name}", self.form, fix)
        return Name(found[0], **{"setup": 0, **{key: int(text) for key, text in found.groupdict().items()}})

    def holds(self, name: Name) -> bool:
        """Whether the recording is part of this set."""
        return name.setup <= self.setups and name.action in self.actions

    def label(self, name: Name) -> int:
        """The place of its action among the classes."""
        return list(self.actions).index(name.action)

    def split(self, name: str) -> Split:
        """The split of this name."""
        if name not in self.splits:
            raise UsageError("--split", f"'{name}' for {self.name}", f"one of {', '.join(self.splits)}")
        return self.splits[name]


def is_missing(name: Name) -> bool:
    """Whether the authors of the set say to leave this recording out, because its skeletons are not complete."""
    return name.text in MISSING


_NTU_FORM = "SsssCcccPpppRrrrAaaa, such as S001C002P003R002A013"
_NUMBERED = dict(enumerate(NTU_ACTIONS, 1))

SETS: Mapping[str, DataSet] = {
    each.name: each
    for each in (
        DataSet(
            "ntu60",
            NTU_NAME,
            _NTU_FORM,
            ".skeleton",
            NTU,
            {number: text for number, text in _NUMBERED.items() if number <= 60},
            17,
            {"xsub": lambda n: n.subject in NTU60_SUBJECTS, "xview": lambda n: n.camera in (2, 3)},
        ),
        DataSet(
            "ntu120",
            NTU_NAME,
            _NTU_FORM,
            ".skeleton",
            NTU,
            _NUMBERED,
            32,
            {"xsub": lambda n: n.subject in NTU120_SUBJECTS, "xset": lambda n: n.setup % 2 == 0},
        ),
        DataSet(
            "nw-ucla",
            UCLA_NAME,
            "aNN_sNN_eNN_vNN, such as a01_s01_e00_v01",
            ".json",
            UCLA,
            UCLA_ACTIONS,
            0,
            {"xview": lambda n: n.camera in (1, 2)},
        ),
    )
}
"""By name."""


def data_set(name: str) -> DataSet:
    """The data set of this name, or a UsageError that lists them."""
    if name not in SETS:
        raise UsageError("--set", f"'{name}'", f"one of {', '.join(SETS)}")
    return SETS[name]

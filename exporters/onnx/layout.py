"""Where the batch lies among the axes of a tensor.

ONNX has no batch: it is an axis like any other, and exporters move it about, as [T, N, E], and fold it with others, as
[N·heads, T, d] and [T·N, E]. A graph's signals have none. So each tensor of the file that is a signal has a `Layout`:
its sizes, the axis in which the batch lies, and how many values are folded with it there, before and after:

    tensor of the file   [s_0, …, before · N · after, …]
    signal of the graph  [s_0, …, before,    after,   …]      those of size 1 left out
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...toolchain.graph.nodes.base import need, shown

MIXED = "work that does not mix the samples of a batch"
NO_BATCH = "read it with --batch-axis none if its first axis is no batch"


@dataclass(frozen=True)
class Layout:
    """The axes of a tensor that every sample of a batch has its part of.

    Args:
        sizes: of the axes; that of the batch's axis is what is folded with it, before · after.
        batch: the axis in which the batch lies; None where every sample has a whole tensor.
        before: the values folded into the batch's axis before it.
        after: the values folded into the batch's axis behind it.
    """

    sizes: tuple[int, ...]
    batch: int | None = None
    before: int = 1
    after: int = 1

    def __str__(self) -> str:
        sizes = [str(n) for n in self.sizes]
        if self.batch is not None:
            sizes[self.batch] = f"{self.before}·N·{self.after}" if self.folded else "N"
        return "[" + ",".join(sizes) + "]"

    @property
    def rank(self) -> int:
        """How many axes."""
        return len(self.sizes)

    @property
    def folded(self) -> bool:
        """Whether the batch shares its axis."""
        return self.before * self.after > 1

    def pieces(self, axis: int) -> tuple[int, ...]:
        """What a sample has of an axis: its size, or what is folded with the batch."""
        if axis != self.batch:
            return (self.sizes[axis],)
        return tuple(n for n in (self.before, self.after) if n > 1)

    @property
    def sample(self) -> tuple[int, ...]:
        """The shape of one sample."""
        return tuple(n for axis in range(self.rank) for n in self.pieces(axis))

    def dims(self, batch: int) -> tuple[int, ...]:
        """The tensor's sizes for a batch of so many."""
        return tuple(n * batch if axis == self.batch else n for axis, n in enumerate(self.sizes))

    def axis(self, axis: int) -> int:
        """An axis counted from the front."""
        found, expected = f"axis {axis}", f"one of the {self.rank} axes of {self}"
        need(-self.rank <= axis < self.rank, "axis", found, expected)
        return axis % self.rank

    def place(self, axis: int, what: str = "work") -> int:
        """Where an axis of the tensor lies in a sample; the batch's lies nowhere."""
        axis = self.axis(axis)
        need(axis != self.batch, "batch", f"{what} along axis {axis} of {self}, which is the batch", MIXED, NO_BATCH)
        return sum(len(self.pieces(k)) for k in range(axis))

    def with_size(self, axis: int, size: int) -> Layout:
        """The same with another size of one axis, not the batch's."""
        axis = self.axis(axis)
        return replace(self, sizes=(*self.sizes[:axis], size, *self.sizes[axis + 1 :]))

    def without(self, axes: Sequence[int]) -> Layout:
        """The same without some axes, not the batch's."""
        gone = {self.axis(axis) for axis in axes}
        sizes = tuple(n for axis, n in enumerate(self.sizes) if axis not in gone)
        batch = None if self.batch is None else self.batch - sum(axis < self.batch for axis in gone)
        return replace(self, sizes=sizes, batch=batch)

    def unsqueezed(self, axes: Sequence[int]) -> Layout:
        """With axes of size 1 put in at these places of the result."""
        rank = self.rank + len(axes)
        need(all(-rank <= a < rank for a in axes), "axes", f"{tuple(axes)}", f"among {rank} axes")
        put = {a % rank for a in axes}
        need(len(put) == len(axes), "axes", f"{tuple(axes)}", "each axis once")
        old = iter(range(self.rank))
        order = [None if a in put else next(old) for a in range(rank)]
        batch = None if self.batch is None else order.index(self.batch)
        return replace(self, sizes=tuple(1 if a is None else self.sizes[a] for a in order), batch=batch)

    def permuted(self, axes: Sequence[int]) -> tuple[Layout, tuple[int, ...]]:
        """With the axes in another order; and the order of the axes of a sample."""
        need(sorted(axes) == list(range(self.rank)), "perm", f"{tuple(axes)}", f"each of {self.rank} axes once")
        moved = replace(
            self,
            sizes=tuple(self.sizes[a] for a in axes),
            batch=None if self.batch is None else list(axes).index(self.batch),
        )
        starts = [sum(len(self.pieces(k)) for k in range(a)) for a in range(self.rank)]
        return moved, tuple(starts[a] + k for a in axes for k in range(len(self.pieces(a))))

    def reshaped(self, dims: Sequence[int], batch: int) -> Layout:
        """The layout of the same values as a tensor of other sizes, for a batch of so many.

        The batch has as many values before and behind it as it had; the first axis that may hold it alone does, or else
        the first that may hold it with others.
        """
        if self.batch is None:
            need(math.prod(dims) == math.prod(self.sizes), "shape", shown(dims), f"{math.prod(self.sizes)} values")
            return Layout(tuple(dims))
        ahead = math.prod(self.sizes[: self.batch]) * self.before
        behind = self.after * math.prod(self.sizes[self.batch + 1 :])
        found: list[Layout] = []
        for axis, size in enumerate(dims):
            outer, inner = math.prod(dims[:axis]), math.prod(dims[axis + 1 :])
            if outer < 1 or inner < 1 or ahead % outer or behind % inner:
                continue
            before, after = ahead // outer, behind // inner
            if size == before * batch * after:
                sizes = (*dims[:axis], before * after, *dims[axis + 1 :])
                found.append(Layout(sizes, axis, before, after))
        expected = f"the {ahead} values before a batch and the {behind} behind it kept apart"
        need(bool(found), "batch", f"{self} made {shown(dims)}", expected, NO_BATCH)
        return next((layout for layout in found if not layout.folded), found[0])


def joint(layouts: Sequence[Layout]) -> Layout:
    """The layout that tensors have together, by ONNX's rule: axes from the last, those of size 1 stretched."""
    need(bool(layouts), "inputs", "constants alone", "at least one signal")
    rank = max(layout.rank for layout in layouts)
    shown_all = " and ".join(map(str, layouts))
    places = {layout.batch - layout.rank for layout in layouts if layout.batch is not None}
    folds = {(layout.before, layout.after) for layout in layouts if layout.batch is not None}
    need(len(places) <= 1 and len(folds) <= 1, "batch", f"{shown_all}, with the batch in different places", MIXED)
    batch = rank + places.pop() if places else None
    before, after = folds.pop() if folds else (1, 1)
    sizes = []
    for axis in range(rank):
        each = [layout.sizes[k] for layout in layouts if (k := axis - rank + layout.rank) >= 0 and k != layout.batch]
        many = {n for n in each if n != 1}
        if axis == batch:
            need(not many, "batch", f"{shown_all}, with numbers of their own for the samples", MIXED, NO_BATCH)
            many = {before * after}
        need(len(many) <= 1, "inputs", f"shapes {shown_all}", "shapes that broadcast")
        sizes.append(many.pop() if many else 1)
    return Layout(tuple(sizes), batch, before, after)


def laid_on(own: Layout, target: Layout) -> tuple[int, ...]:
    """The shape a sample of `own` has when its axes are put under those of `target`, which it broadcasts to."""
    shape: list[int] = []
    for axis in range(target.rank):
        k = axis - target.rank + own.rank
        if axis == target.batch:
            shape += target.pieces(axis) if k >= 0 and k == own.batch else [1] * len(target.pieces(axis))
        else:
            shape.append(own.sizes[k] if k >= 0 else 1)
    return tuple(shape)

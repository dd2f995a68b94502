"""The calls of a model in an order in which they can run, with the functions it defines put in place of their calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush

from ...toolchain.errors import FileError
from ...toolchain.graph.nodes.base import brief
from .building import tidy
from .messages import AttributePart, FunctionPart, NodePart
from .opening import DEEPEST, STANDARD, Opened, domain_of, versions

MOST_STEPS = 100_000


@dataclass(frozen=True, eq=False)
class Step:
    """A call of an operator.

    Args:
        label: what it is called.
        operator: its type.
        domain: the domain of its type.
        version: of the operators of that domain.
        inputs: names of values; empty where one is left out.
        outputs: names of values.
        attributes: by name.
    """

    label: str
    operator: str
    domain: str
    version: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, AttributePart]

    @property
    def where(self) -> str:
        """What messages call it."""
        return f"node '{self.label}' ({brief(self.operator)})"


@dataclass(frozen=True)
class _Scope:
    """Where a node stands: in the model itself, or in a call of a function."""

    prefix: str
    names: Mapping[str, str]
    attributes: Mapping[str, AttributePart]
    opsets: Mapping[str, int]
    depth: int = 0

    def named(self, name: str) -> str:
        """A value's name outside."""
        return self.names.get(name, self.prefix + name) if name and self.depth else name


def steps_of(model: Opened) -> list[Step]:
    """All calls of the model, in order."""
    found: list[Step] = []
    for step in _walk(model, model.graph.nodes, _Scope("", {}, {}, model.opsets)):
        found.append(step)
        if len(found) > MOST_STEPS:
            raise FileError("nodes", f"more than {MOST_STEPS}", "a network that a graph can hold")
    return _sorted(found, {tensor.name for tensor in model.graph.initialisers})


def _walk(model: Opened, nodes: Sequence[NodePart], scope: _Scope) -> Iterator[Step]:
    for index, node in enumerate(nodes):
        step = _step(node, scope, index)
        function = model.functions.get((step.domain, node.operator, node.overload))
        if function is None:
            yield step
            continue
        if scope.depth >= DEEPEST:
            raise FileError(step.where, f"functions more than {DEEPEST} deep", "a model that comes to an end")
        yield from _walk(model, function.nodes, _inside(step, function, scope.depth + 1))


def _step(node: NodePart, scope: _Scope, index: int) -> Step:
    domain = domain_of(node.domain)
    fallback = tidy(node.outputs[0] if node.outputs else "", f"{node.operator.lower()}_{index}")
    label = tidy(scope.prefix + node.name if node.name else "", tidy(scope.prefix + fallback, "node"))
    attributes = {}
    for each in node.attributes:
        bound = scope.attributes.get(each.reference) if each.reference else each
        if bound is not None:
            attributes[each.name] = replace(bound, name=each.name)
    inputs, outputs = (tuple(map(scope.named, names)) for names in (node.inputs, node.outputs))
    version = scope.opsets.get(domain, 0)
    return Step(label, node.operator, domain, version, inputs, outputs, attributes)


def _inside(step: Step, function: FunctionPart, depth: int) -> _Scope:
    """The scope of a call: what the function calls its inputs and outputs, and what it is called outside."""
    for kind, names, given in (("inputs", function.inputs, step.inputs), ("outputs", function.outputs, step.outputs)):
        if len(given) > len(names):
            raise FileError(step.where, f"{len(given)} {kind}", f"at most {len(names)}, as the function has")
    known = {**dict.fromkeys(function.inputs, ""), **dict(zip(function.inputs, step.inputs, strict=False))}
    known.update((inner, outer) for inner, outer in zip(function.outputs, step.outputs, strict=False) if outer)
    attributes = {**{each.name: each for each in function.defaults}, **step.attributes}
    unknown = set(step.attributes) - set(function.attributes) - {each.name for each in function.defaults}
    if unknown:
        raise FileError(step.where, f"attribute '{brief(min(unknown))}'", "those of the function")
    opsets = {STANDARD: step.version, **versions(function.opsets)}
    return _Scope(f"{step.label}/", known, attributes, opsets, depth)


def _sorted(steps: Sequence[Step], given: set[str]) -> list[Step]:
    """The steps so that each comes behind what it reads; the order of the file where that does."""
    makers: dict[str, int] = {}
    for index, step in enumerate(steps):
        for name in filter(None, step.outputs):
            if name in makers or name in given:
                raise FileError(step.where, f"makes '{brief(name)}', which is made already", "each name once")
            makers[name] = index
    waits = [{makers[name] for name in step.inputs if name in makers} for step in steps]
    readers: dict[int, list[int]] = {}
    for index, sources in enumerate(waits):
        for source in sources:
            readers.setdefault(source, []).append(index)
    return _kahn(steps, waits, readers)


def _kahn(steps: Sequence[Step], waits: list[set[int]], readers: Mapping[int, list[int]]) -> list[Step]:
    open_ = [len(sources) for sources in waits]
    ready = [index for index, count in enumerate(open_) if count == 0]
    heapify(ready)
    order = []
    while ready:
        index = heappop(ready)
        order.append(steps[index])
        for reader in readers.get(index, ()):
            open_[reader] -= 1
            if open_[reader] == 0:
                heappush(ready, reader)
    if len(order) < len(steps):
        stuck = next(index for index, count in enumerate(open_) if count)
        raise FileError(steps[stuck].where, "waits for what follows from itself", "a graph without cycles")
    return order

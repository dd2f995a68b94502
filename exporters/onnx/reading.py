"""Reads the ONNX file of a stranger into a graph.

The batch. A graph's signals are those of one sample; in ONNX the batch is an axis. So there is a rule, and an option:

- `batch="first"`: the first axis of every input is the batch, whatever size the file gives it. No operator may mix the
  samples: what sums over the batch, reshapes across it or has numbers of its own for a sample is refused. Where the
  size is open, all shapes are worked out for two sizes, and what comes out different is known to depend on the batch.
  An input whose first axis is fixed while another's is open is the same whole tensor for every sample.
- `batch="none"`: no axis is the batch. One sample is a whole tensor, as the file has it, and all its sizes are fixed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...toolchain.errors import FileError, GraphError, Refused, SpikeportError, UsageError
from ...toolchain.graph import Graph
from ...toolchain.graph.nodes import Input, Output
from ...toolchain.graph.nodes.base import brief, need
from .building import Building, tidy
from .call import Call
from .folding import FOLDS, fold
from .layout import Layout
from .messages import TensorPart, ValuePart
from .opening import STANDARD, Opened, open_model
from .operators import INPUTS, MANY, OPERATORS
from .steps import Step, steps_of
from .tensors import array_of, type_name
from .values import BATCHES, LOST, Constant, Lost, Signal, Value, known

BATCH = ("first", "none")
CARRIES = {
    "bool": "spikes",
    "uint8": "int[0,255]",
    "int8": "int[-128,127]",
    "uint16": "int[0,65535]",
    "int16": "int[-32768,32767]",
}
"""What inputs of these types promise to carry; all others are real numbers."""
RUNTIME = "export it without ONNX Runtime's own operators: not optimised, and quantised with QuantFormat.QDQ"
REAL = ("float32", "float64", "float16", "bfloat16")
MOST_REASONS = 30


@dataclass(frozen=True, eq=False)
class Read:
    """What was read.

    Args:
        graph: the network.
        remarks: what a user has to know of it.
    """

    graph: Graph
    remarks: tuple[str, ...] = ()


def read_foreign(path: str | Path, *, batch: str = "first", sizes: Mapping[str, int] | None = None) -> Read:
    """An ONNX file as a graph.

    Args:
        path: the file.
        batch: "first": the first axis of every input is the batch; "none": a sample is a whole tensor.
        sizes: for axes that the file leaves open, their sizes by the names it gives them.

    Raises:
        FileError: when the file is no ONNX model, or a broken one.
        Refused: with every reason why a graph cannot say it.
    """
    if batch not in BATCH:
        raise UsageError("--batch-axis", f"'{batch}'", " or ".join(BATCH))
    model = open_model(path)
    try:
        return _Reading(model, tidy(Path(path).stem, "network"), batch, sizes or {}).read()
    except Refused as error:
        raise Refused(str(path), error.reasons) from None
    except SpikeportError as error:
        raise FileError(f"{path}, {error.where}", error.found, error.expected, error.fix) from None


class _Reading:
    """One file on its way."""

    def __init__(self, model: Opened, name: str, batch: str, sizes: Mapping[str, int]) -> None:
        self.model = model
        self.steps = steps_of(model)
        self.tensors = {tensor.name: tensor for tensor in model.graph.initialisers}
        need(len(self.tensors) == len(model.graph.initialisers), "initialisers", "a name twice", "each name once")
        self.inputs = [_Port(value, sizes) for value in model.graph.inputs if value.name not in self.tensors]
        self.batch = batch
        self.building = Building(name, self._batches(), model.size)
        self.building.builder.notes["onnx"] = brief(f"opset {model.opsets.get(STANDARD, 0)} {model.producer}".strip())
        self.values: dict[str, Value] = {}
        self.reasons: list[SpikeportError] = []
        self.wanted: frozenset[str] = frozenset()

    def read(self) -> Read:
        """The graph."""
        outputs = [value.name for value in self.model.graph.outputs]
        need(bool(outputs), "outputs", "none", "at least one")
        need(bool(self.inputs), "inputs", "none", "at least one")
        names = [each.name for each in self.inputs] + outputs
        made = {name for step in self.steps for name in step.outputs}
        for each in self.inputs:
            need(each.name not in made, f"input '{brief(each.name)}'", "made by a node, too", "each name once")
        need(len(set(outputs)) == len(outputs), "outputs", "a name twice", "each name once")
        self.building.reserved = {tidy(name, "value") for name in names}
        for each in self.inputs:
            self._take(each)
        live = self._live(outputs)
        for step in live:
            self._run(step)
        if self.reasons:
            raise Refused("", self.reasons[:MOST_REASONS])
        for name in outputs:
            self._hand_out(name)
        return Read(self.building.graph(), tuple(self.building.remarks))

    def _batches(self) -> tuple[int, int]:
        """The sizes that the batch has."""
        if self.batch == "none":
            return (1, 1)
        first = [each.sizes[0] for each in self.inputs if each.sizes]
        if None in first:
            return BATCHES
        fixed = {n for n in first if n is not None} or {1}
        fix = "read it with --batch-axis none if their first axis is no batch"
        need(len(fixed) == 1, "inputs", f"first axes of {sorted(fixed)}", "one size of the batch", fix)
        size = fixed.pop()
        return (size, size)

    def _take(self, port: _Port) -> None:
        """An input becomes a node."""
        sizes = list(port.sizes)
        batched = self.batch == "first" and bool(sizes) and sizes[0] in (None, *self.building.batches)
        if self.batch == "first" and not batched:
            self.building.remark(
                f"input '{port.name}' has no batch in the file: every sample has a whole one of its own"
            )
        if batched:
            sizes[0] = 1
        whole = tuple(n for n in sizes if n is not None)
        found = f"shape {port}"
        fix = (
            f"tell it: --size {port.open_name(batched)}=…" if port.open_name(batched) else "export it with fixed sizes"
        )
        need(len(whole) == len(sizes), f"input '{port.name}'", found, "sizes that are fixed, but for the batch", fix)
        layout = Layout(whole, 0 if batched else None)
        node = Input(layout.sample, CARRIES.get(port.kind, "graded"))
        self.values[port.name] = self.building.take(tidy(port.name, "input"), node, layout, port.kind)

    def _live(self, outputs: Sequence[str]) -> list[Step]:
        """The steps that an output follows from."""
        wanted, live = set(outputs), []
        for step in reversed(self.steps):
            if wanted.intersection(step.outputs):
                live.append(step)
                wanted.update(step.inputs)
        self.wanted = frozenset(wanted - {""})
        if len(live) < len(self.steps):
            self.building.remark(f"{len(self.steps) - len(live)} nodes that no output follows from were left out")
        return live[::-1]

    def _value(self, name: str, where: str) -> Value | None:
        """What a name stands for."""
        if not name:
            return None
        if name not in self.values:
            tensor = self.tensors.get(name)
            if tensor is None:
                raise GraphError(where, f"reads '{brief(name)}', which nothing makes", "a name that is there")
            self.values[name] = self._initialiser(tensor)
        return self.values[name]

    def _initialiser(self, tensor: TensorPart) -> Value:
        try:
            return known(array_of(tensor, self.model.folder))
        except SpikeportError as error:
            self.reasons.append(
                type(error)(
                    f"initialiser '{brief(tensor.name)}', {error.where}", error.found, error.expected, error.fix
                )
            )
            return LOST

    def _run(self, step: Step) -> None:
        """One step; where it cannot be, its reason is noted and what follows from it is passed over."""
        try:
            inputs = [self._value(name, step.where) for name in step.inputs]
            while inputs and inputs[-1] is None:
                inputs.pop()
            lost = any(isinstance(value, Lost) for value in inputs)
            found = [LOST] * len(step.outputs) if lost else self._results(step, inputs)
        except SpikeportError as error:
            where = step.where if error.where == step.where else f"{step.where}, {error.where}"
            self.reasons.append(GraphError(where, error.found, error.expected, error.fix))
            found = [LOST] * len(step.outputs)
        self.values.update(zip(step.outputs, found, strict=False))

    def _results(self, step: Step, inputs: Sequence[Value | None]) -> list[Value]:
        known_domain = step.domain == STANDARD
        fix = RUNTIME if step.domain == "com.microsoft" else ""
        need(known_domain, "domain", f"'{brief(step.domain)}'", "ONNX's own operators, or functions of the model", fix)
        wanted = [name in self.wanted for name in step.outputs]
        call = Call(
            self.building, step.label, step.operator, step.version, inputs, step.attributes, wanted, self.model.folder
        )
        values = self._called(call)
        call.check_all_read()
        for name, used, value in zip(step.outputs, wanted, [*values, *[None] * len(wanted)], strict=False):
            need(not used or value is not None, "outputs", f"'{brief(name)}' is read", f"only the first {len(values)}")
        return [LOST if value is None else value for value in values]

    def _called(self, call: Call) -> Sequence[Value | None]:
        row = OPERATORS.get(call.operator)
        listed = row is not None or call.operator in FOLDS
        need(listed, "operator", f"'{brief(call.operator)}'", "one of those that docs/onnx.md lists")
        least, most = INPUTS.get(call.operator, (1, 1))
        count = len(call.inputs)
        asked = f"{least}" if least == most else f"at least {least}" if most == MANY else f"{least} to {most}"
        need(least <= count <= most, "inputs", f"{count}", f"{asked} for {call.operator}")
        must = call.inputs if most == MANY else call.inputs[:least]
        need(None not in must, "inputs", "one that is left out", f"the first {len(must)}")
        if call.operator in FOLDS and all(value is None or isinstance(value, Constant) for value in call.inputs):
            return fold(call)
        if row is None:
            raise GraphError("inputs", "a signal", f"constants for {call.operator}")
        found = row(call)
        return found if isinstance(found, list) else [found]

    def _hand_out(self, name: str) -> None:
        value = self._value(name, f"output '{brief(name)}'")
        where = f"output '{brief(name)}'"
        need(isinstance(value, Signal), where, "a constant: it follows from no input", "an output that does")
        if isinstance(value, Signal):
            layout = value.layout
            first = layout.batch == 0 and not layout.folded
            if not first and self.batch == "first":
                self.building.remark(f"output '{name}' is {layout} in the file; here a sample is {list(layout.sample)}")
            self.building.hand_out(tidy(name, "output"), Output(), value)


class _Port:
    """An input of the model, as the file declares it."""

    def __init__(self, value: ValuePart, sizes: Mapping[str, int]) -> None:
        self.name = value.name
        where = f"input '{brief(value.name)}'"
        tensor = value.type.tensor if value.type is not None else None
        if tensor is None or tensor.shape is None:
            raise GraphError(where, "no tensor with a shape", "a tensor and its shape", "export it with shapes")
        self.kind = type_name(tensor.element)
        need(self.kind in (*REAL, *CARRIES), where, f"values of type {self.kind}", f"{', '.join((*REAL, *CARRIES))}")
        self._parts = tensor.shape.sizes
        self.sizes = [sizes.get(part.name) if part.value is None else part.value for part in self._parts]
        need(all(n is None or n >= 1 for n in self.sizes), where, f"shape {self}", "sizes of at least 1")

    def __str__(self) -> str:
        sizes = [brief(part.name) or "?" if part.value is None else str(part.value) for part in self._parts]
        return "[" + ",".join(sizes) + "]"

    def open_name(self, batched: bool) -> str:
        """The name of a size that is open and is not the batch's."""
        rest = list(zip(self.sizes, self._parts, strict=True))[1 if batched else 0 :]
        return next((brief(part.name) for n, part in rest if n is None and part.name), "")

"""ONNX's own cases of all operators that are read, through reader and reference: `python -m support.onnx_cases`.

A case is a model of one call, inputs, and what has to come out. It is read in up to four ways: with all inputs as
signals, or with all but the first as constants, as exporters have weights; each with the first axis as the batch and
without a batch. It is passed where at least one way is read and every way that is read gives what has to come out;
refused where none is read. Prints the table of `docs/onnx.md`.
"""

from __future__ import annotations

import collections
import functools
import re
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper
from spikeport.exporters.onnx.folding import FOLDS
from spikeport.exporters.onnx.opening import OLDEST
from spikeport.exporters.onnx.operators import OPERATORS
from spikeport.exporters.onnx.reading import read_foreign
from spikeport.toolchain.errors import Refused, SpikeportError
from spikeport.toolchain.simulate import simulate

UNCHANGED = {"Not"}
"""Operators whose cases name a version older than those that are read, and which are in these as they were."""
HALF = {onnx.TensorProto.FLOAT16: (1e-2, 1e-3), onnx.TensorProto.BFLOAT16: (2e-2, 1e-2)}


@dataclass(frozen=True)
class Outcome:
    """How a case went: passed, refused or failed; and what was said."""

    case: str
    operators: tuple[str, ...]
    word: str
    said: str = ""


@functools.cache
def cases() -> tuple[Any, ...]:
    """The cases of all models that consist of operators we read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from onnx.backend.test.loader import load_model_tests

        found = load_model_tests(kind="node")
    return tuple(case for case in found if _ours(case.model))


def _ours(model: onnx.ModelProto | None) -> bool:
    if model is None or any(opset.domain not in ("", "ai.onnx") for opset in model.opset_import):
        return False
    kinds = {node.op_type for node in model.graph.node}
    return bool(kinds) and kinds <= set(OPERATORS) | set(FOLDS) and bool(kinds & set(OPERATORS))


def outcome(case: Any, folder: Path) -> Outcome:
    """The case, in every way it can be read."""
    kinds = tuple(sorted({node.op_type for node in case.model.graph.node}))
    wrong, refusals, read = [], [], 0
    for fixed, batch in ((False, "none"), (True, "none"), (False, "first"), (True, "first")):
        if fixed and len(case.model.graph.input) < 2:
            continue
        for number, (inputs, outputs) in enumerate(case.data_sets):
            try:
                said = _tried(case, folder / "case.onnx", inputs, outputs, fixed=fixed, batch=batch)
            except SpikeportError as error:
                reason = error.reasons[0] if isinstance(error, Refused) else error
                refusals.append(str(reason).replace(f"{folder / 'case.onnx'}, ", ""))
                continue
            except Exception as error:  # whatever a bug says: the case failed
                said = f"{type(error).__name__}: {error}"
            read += 1
            if said:
                wrong.append(f"{'weights' if fixed else 'signals'}, batch {batch}, set {number}: {said}")
    if wrong:
        return Outcome(case.name, kinds, "failed", wrong[0])
    # the ways with weights as constants refuse for the better reasons
    return Outcome(case.name, kinds, "passed") if read else Outcome(case.name, kinds, "refused", _reason(refusals))


def _reason(refusals: list[str]) -> str:
    late = [text for text in refusals if "a signal; expected a constant" not in text]
    return (late or refusals)[0]


def _tried(case: Any, path: Path, inputs: list[Any], outputs: list[Any], *, fixed: bool, batch: str) -> str:
    """What is wrong with what comes out; empty where nothing is."""
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    names = [value.name for value in model.graph.input]
    if any(isinstance(x, list) or x is None for x in (*inputs, *outputs)):
        raise SpikeportError("values", "sequences and optional values", "tensors")
    if fixed:
        for name, value in list(zip(names, inputs, strict=True))[1:]:
            model.graph.initializer.append(_tensor(value, name))
        names = names[:1]
    if {each.op_type for each in model.graph.node} <= UNCHANGED:
        model.opset_import[0].version = max(model.opset_import[0].version, OLDEST)
    path.write_bytes(model.SerializeToString())
    found = read_foreign(path, batch=batch)
    given = dict(zip(names, inputs, strict=False))
    return _compared(case, found, given, outputs, batch)


def _tensor(value: Any, name: str) -> onnx.TensorProto:
    if isinstance(value, onnx.TensorProto):
        tensor = onnx.TensorProto()
        tensor.CopyFrom(value)
        tensor.name = name
        return tensor
    return numpy_helper.from_array(np.asarray(value), name)


def _compared(case: Any, found: Any, given: dict[str, Any], outputs: list[Any], batch: str) -> str:
    graph = found.graph
    rows = {}
    for place, value in zip(graph.inputs, given.values(), strict=True):
        x = numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else np.asarray(value)
        shape = graph.nodes[place].shape
        whole = batch == "none" or x.shape == shape
        dtype = np.float64 if x.dtype == np.float64 else np.float32
        rows[place] = (x[None, None] if whole else x[None]).astype(dtype)
    if any("in the file; here a sample" in text for text in found.remarks):
        return ""  # the batch is not the first axis of an output: compared without a batch
    sizes = {x.shape[1] for x in rows.values()}
    rows = {k: np.broadcast_to(x, (1, max(sizes), *x.shape[2:])) for k, x in rows.items()}
    dtype = np.float64 if any(x.dtype == np.float64 for x in rows.values()) else np.float32
    with np.errstate(all="ignore"):
        trace = simulate(graph, {k: x.astype(dtype) for k, x in rows.items()})
    rtol, atol = _tolerance(case)
    for name, value, wanted in zip(graph.outputs, case.model.graph.output, outputs, strict=True):
        y = np.asarray(trace.outputs[name][0])
        y = y[0] if batch == "none" else y
        right = np.asarray(numpy_helper.to_array(wanted) if isinstance(wanted, onnx.TensorProto) else wanted)
        right = right.astype(np.float64)
        if y.shape != right.shape:
            return f"{value.name}: shape {y.shape}, not {right.shape}"
        if not np.allclose(y, right, rtol, atol, equal_nan=True):
            worst = np.nanmax(np.abs(y - right))
            return f"{value.name}: off by {worst:.3g}"
    return ""


def _tolerance(case: Any) -> tuple[float, float]:
    kinds = {value.type.tensor_type.elem_type for value in (*case.model.graph.input, *case.model.graph.output)}
    for kind, (rtol, atol) in HALF.items():
        if kind in kinds:
            return rtol, atol
    return max(case.rtol, 1e-5), max(case.atol, 2e-6)


def outcomes() -> Iterator[Outcome]:
    """Every case."""
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None  # some four thousand files
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        for case in cases():
            yield outcome(case, Path(folder))


PAGE = Path(__file__).parents[2] / "docs" / "onnx.md"
START, END = "<!-- generated: cases -->\n", "<!-- /generated -->"
_NAMED = re.compile(r"^(node|input|output) '[^']*'")


def reason(text: str) -> str:
    """Why a case is refused, without the names that are the case's alone."""
    return _NAMED.sub(r"\1", " ".join(text.split())).split(". ")[0].replace("|", "·")


def table(found: Sequence[Outcome]) -> str:
    """The section of the page: a row for each operator, and every reason with its cases."""
    counts: dict[str, collections.Counter[str]] = {name: collections.Counter() for name in sorted(OPERATORS)}
    for each in found:
        for name in set(each.operators) & set(counts):
            counts[name][each.word] += 1
    rows = [f"| {name} | {c['passed']} | {c['refused'] or ''} |" for name, c in counts.items()]
    total = collections.Counter(each.word for each in found)
    reasons = collections.Counter(reason(each.said) for each in found if each.word == "refused")
    lines = [f"| {text} | {count} |" for text, count in sorted(reasons.items(), key=lambda item: (-item[1], item[0]))]
    summary = f"{len(OPERATORS)} operators; cases: " + ", ".join(
        f"{total[word]} {word}" for word in ("passed", "refused", "failed")
    )
    return "\n".join(
        [
            *(summary, "", "| operator | cases passed | refused |", "|---|---:|---:|", *rows, ""),
            *("| why a case is refused | cases |", "|---|---:|", *lines, ""),
        ]
    )


def page(text: str, found: Sequence[Outcome]) -> str:
    """The page with its section as it is now."""
    before, rest = text.split(START)
    return f"{before}{START}{table(found)}{END}{rest.split(END)[1]}"


def main() -> None:
    """Prints what was not passed; with --write it writes the page."""
    found = list(outcomes())
    for each in found:
        if each.word != "passed":
            print(f"{each.word:8} {each.case}: {each.said}")
    print(dict(collections.Counter(each.word for each in found)))
    if "--write" in sys.argv:
        PAGE.write_text(page(PAGE.read_text(), found))


if __name__ == "__main__":
    main()

"""torch modules as ONNX by torch's own exporter, checked against the module: for what cannot be traced into a graph."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ...toolchain.errors import FileError
from ...toolchain.graph.nodes.base import Array, brief
from ...toolchain.writing import files_whole

if TYPE_CHECKING:
    import torch
    from onnxruntime import InferenceSession

INSIDE = 1_500_000_000
"""More bytes of weights than this lie in a file beside the model."""
TRACES = ("pkg.torch.onnx.stack_trace", "pkg.torch.onnx.fx_node", "pkg.torch.onnx.class_hierarchy", "namespace")
"""What the exporter notes at every node: places in the source on the machine where it ran, which nobody else needs."""
NEAR = 1e-5
"""How far an answer may be off: so much of its largest value, or of 1."""
FATAL = 4
OPEN_AXES = 2
"""The first axes of every input are left open where the module allows it: batch and time, whichever comes first."""


def export(module: Any, example: Any, path: Path) -> tuple[str, ...]:
    """Writes the module, whole or not at all; the arguments are those of `export_module`."""
    import onnx

    args = example if isinstance(example, tuple) else (example,)
    with files_whole(path) as draft, _evaluating(module):
        axes, session = _written(module, args, draft, path)
        try:
            onnx.checker.check_model(str(draft), full_check=True)
        except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
            raise FileError(str(path), f"torch's exporter wrote a broken model: {brief(str(error))}") from error
        worst = _off(session, module, args, path)
    if not worst <= NEAR:
        raise FileError(str(path), f"ONNX Runtime is off by {worst:.2g} on the example", f"at most {NEAR:g}")
    opened = f"open sizes: axis {' and '.join(map(str, axes))}" if axes else "every size is fixed to the example's"
    return (
        f"inputs {_shapes(session)}; {opened}",
        f"ONNX Runtime answers as the module does on the example, off by at most {worst:.1g}",
    )


def _written(module: Any, args: tuple[Any, ...], draft: Path, path: Path) -> tuple[tuple[int, ...], InferenceSession]:
    """Writes the model with the first axes open, as far as that is true, and gives those that are.

    The exporter calls an axis open even where it unrolled a loop over it, so each is tried with another size.
    """
    axes: tuple[int, ...] = tuple(range(OPEN_AXES))
    while True:
        program, opened = _program(module, args, axes, path)
        _without_traces(program)
        every = program.model.graph.initializers.values()
        size = sum(each.const_value.nbytes for each in every if each.const_value is not None)
        program.save(str(draft), external_data=size > INSIDE)
        session = _session(draft)
        true = tuple(axis for axis in axes if opened and _open_indeed(session, module, _longer(args, axis), path))
        if true == axes:
            return axes, session
        axes = true


def _open_indeed(session: InferenceSession, module: Any, args: tuple[Any, ...], path: Path) -> bool:
    """Whether module and model agree on an input of another size."""
    from onnxruntime.capi import onnxruntime_pybind11_state as said

    try:
        return _off(session, module, args, path) <= NEAR
    except (said.InvalidArgument, said.RuntimeException, said.Fail, FileError):
        return False
    except Exception:  # the module is a stranger's: whatever it raises for another size, it does not take that size
        return False


def _longer(args: tuple[Any, ...], axis: int) -> tuple[Any, ...]:
    """The example with one more entry along an axis, the first once more at the end."""
    import torch
    from torch.utils import _pytree

    def longer(value: Any) -> Any:
        fits = isinstance(value, torch.Tensor) and value.ndim > axis
        return torch.cat([value, value.narrow(axis, 0, 1)], axis) if fits else value

    return cast(tuple[Any, ...], _pytree.tree_map(longer, args))


@contextlib.contextmanager
def _evaluating(module: Any) -> Iterator[None]:
    """The module as it answers when it is not trained; each part is then set back to how it was."""
    was = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, training in was:
            part.training = training


def _answers(module: Any, args: tuple[Any, ...]) -> list[Array]:
    """What the module gives for the example: the tensors among it, in order."""
    import torch

    with torch.no_grad():
        return _tensors(module(*args))


def _tensors(values: Any) -> list[Array]:
    import torch
    from torch.utils import _pytree

    return [leaf.detach().cpu().numpy() for leaf in _pytree.tree_leaves(values) if isinstance(leaf, torch.Tensor)]


def _program(
    module: Any, args: tuple[Any, ...], axes: Sequence[int], path: Path
) -> tuple[torch.onnx.ONNXProgram, bool]:
    """The exported module, and whether the axes were left open."""
    import torch
    from torch.utils import _pytree

    def opened(value: Any) -> Any:
        mine = [axis for axis in axes if isinstance(value, torch.Tensor) and axis < value.ndim]
        return dict.fromkeys(mine, torch.export.Dim.AUTO) or None

    failed: Exception | None = None
    for shapes in (_pytree.tree_map(opened, args), None) if axes else (None,):
        try:
            with warnings.catch_warnings(), _quiet():
                # torch's export meets its own deprecation while it copies a tree
                warnings.filterwarnings("ignore", r"`isinstance\(treespec, LeafSpec\)` is deprecated", FutureWarning)
                program = torch.onnx.export(module, args, dynamo=True, dynamic_shapes=shapes, verbose=False)
        except torch.onnx.OnnxExporterError as error:
            failed = error
            continue
        if program is not None:
            return program, shapes is not None
    said = brief(" ".join(str((failed and failed.__cause__) or failed).split()))
    found = f"torch's exporter cannot write it: {said}"
    raise FileError(str(path), found, "a module that torch.export takes") from failed


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without what torch prints and logs when an export fails, whole graphs: the error's own words have the reason."""
    logger = logging.getLogger("torch.fx.experimental.symbolic_shapes")
    was = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        logger.setLevel(was)


def _without_traces(program: torch.onnx.ONNXProgram) -> None:
    """Takes away what the exporter notes of the machine it ran on."""
    for node in program.model.graph.all_nodes():
        for key in TRACES:
            node.metadata_props.pop(key, None)


def _session(draft: Path) -> InferenceSession:
    """The file in ONNX Runtime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = FATAL
    return onnxruntime.InferenceSession(str(draft), options, providers=["CPUExecutionProvider"])


def _off(session: InferenceSession, module: Any, args: Sequence[Any], path: Path) -> float:
    """How far ONNX Runtime is from the module: the largest difference, by the value or by 1."""
    names, given = [each.name for each in session.get_inputs()], _tensors(args)
    if len(names) != len(given):
        raise FileError(str(path), f"{len(given)} tensors for {len(names)} inputs", "an example with every input")
    expected = _answers(module, tuple(args))
    found = session.run(None, dict(zip(names, given, strict=True)))
    if [each.shape for each in found] != [each.shape for each in expected]:
        raise FileError(str(path), "ONNX Runtime gives other shapes than the module", "the module's answers")
    return max((_far(a, b) for a, b in zip(found, expected, strict=True)), default=0.0)


def _far(a: Array, b: Array) -> float:
    off = np.abs(a.astype(np.float64) - b.astype(np.float64))
    return float((off / np.maximum(1, np.abs(b.astype(np.float64)))).max(initial=0))


def _shapes(session: InferenceSession) -> str:
    """The inputs and their sizes, open ones by name."""
    return ", ".join(f"{each.name} [{','.join(map(str, each.shape))}]" for each in session.get_inputs())

"""A model in ONNX Runtime that computes with a graph's own weights, so that they are held once."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..errors import SimulationError
from ..graph.nodes.base import Array
from ..kernels.threads import thread_count
from ..onnx.proto import Built, Elsewhere, write

if TYPE_CHECKING:
    from onnxruntime import SessionOptions

MOST = 2_000_000_000
"""The most bytes that one message of protobuf holds."""
LARGE = 1 << 20
"""Constants of at least so many bytes are not in the message."""
ERRORS_ONLY = 3


class Session:
    """A model in ONNX Runtime, on as many threads as the other backends take, one operation after the other.

    Args:
        built: the model.
        name: of the network, for messages.
    """

    def __init__(self, built: Built, name: str) -> None:
        """ONNX Runtime reads the large constants where they lie; it may hold them once more, laid out as it likes."""
        import onnxruntime

        large = {each: array for each, array in built.constants.items() if array.nbytes >= LARGE}
        rest = built.size - sum(array.nbytes for array in large.values())
        if rest > MOST:
            raise SimulationError(name, f"{rest:,} bytes of small constants", f"at most {MOST:,} for ONNX Runtime")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = thread_count()
        options.inter_op_num_threads = 1
        options.log_severity_level = ERRORS_ONLY
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        self._held = _given(large, built, options)
        content = io.BytesIO()
        write(built, content, Elsewhere("memory", None, LARGE))
        self._session = onnxruntime.InferenceSession(content.getvalue(), options, providers=["CPUExecutionProvider"])

    def run(self, names: Sequence[str], inputs: Mapping[str, Array]) -> list[Array]:
        """The values of these names."""
        found: list[Array] = self._session.run(list(names), dict(inputs))
        return found


def _given(large: Mapping[str, Array], built: Built, options: SessionOptions) -> list[object]:
    """Hands constants to ONNX Runtime, which reads the memory of what comes back.

    Given from outside they make the model whole, but are copied; what is shared as well is read where it lies, and is
    no constant any more: what follows from constants alone would then be worked out in every run.
    """
    from onnxruntime import OrtValue

    values = {name: OrtValue.ortvalue_from_numpy(np.ascontiguousarray(array)) for name, array in large.items()}
    if values:
        options.add_external_initializers(list(values), list(values.values()))
    worked = {name for op in built.block.ops if built.constants.keys() >= set(op.inputs) for name in op.inputs}
    for name in values.keys() - worked:
        options.add_initializer(name, values[name])
    return list(values.values())

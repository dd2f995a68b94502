"""ONNX models in ONNX Runtime as its users run them: from the file's bytes, with its own defaults, nothing of ours."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime

TYPES = {"tensor(float)": np.float32, "tensor(double)": np.float64}


def session(model: onnx.ModelProto | str) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    content = model if isinstance(model, str) else model.SerializeToString()
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def checked(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model, once the checker and the strict inference of shapes have passed it."""
    onnx.checker.check_model(model, full_check=True)
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    return model


def shown(model: onnx.ModelProto, names) -> onnx.ModelProto:
    """The model with some of its values among its outputs."""
    known = {each.name for each in model.graph.output}
    model.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in names if name not in known)
    return model


def stepped(running: onnxruntime.InferenceSession, inputs: dict[str, np.ndarray], start: dict[str, np.ndarray]):
    """Every output of a model of one step, stacked over the steps, with its state handed on by name."""
    state = dict(start)
    names = [each.name for each in running.get_outputs()]
    rows = []
    for t in range(len(next(iter(inputs.values())))):
        found = dict(zip(names, running.run(None, {**{n: x[t] for n, x in inputs.items()}, **state}), strict=True))
        state = {f"state.{name[5:]}": value for name, value in found.items() if name.startswith("next.")}
        rows.append(found)
    return {name: np.stack([row[name] for row in rows]) for name in names}


def zeros(running: onnxruntime.InferenceSession, batch: int) -> dict[str, np.ndarray]:
    """Zeros for every state of a model of one step."""
    return {
        each.name: np.zeros((batch, *each.shape[1:]), TYPES[each.type])
        for each in running.get_inputs()
        if each.name.startswith("state.")
    }

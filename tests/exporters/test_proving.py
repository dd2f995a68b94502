"""What `convert` proves of a file, where rounding decides."""

import numpy as np
from spikeport.exporters.onnx_file import write
from spikeport.exporters.proving import of_onnx
from spikeport.toolchain.graph import chain
from spikeport.toolchain.graph.nodes import IF, Affine, Input, Output


def test_an_onnx_file_is_compared_in_float32_where_float64_comes_to_the_other_side_of_a_threshold(tmp_path):
    """0.4 − 0.3 + 0.2 ≥ 0.3 in one of them alone."""
    weight = np.full((3, 4), 0.1, np.float32)
    neurons = IF(threshold=0.3, reset="subtract", at_least=True)
    graph = chain([("x", Input((4,), "spikes")), ("fc", Affine(weight)), ("if", neurons), ("y", Output())])
    file = tmp_path / "net.onnx"
    write(graph, file)
    x = (np.random.default_rng(0).random((50, 5, 4)) < 0.5).astype(np.float32)
    _, (again, ran) = of_onnx(graph, file, file, {"x": x})
    assert again.exact
    assert ran.exact
    assert ran.said.startswith("equal in all 1,500 values of 2 nodes, 50 steps × 5 samples")
    assert ran.said.endswith(", in float32; float64 comes to the other side of a threshold")
    _, (_, ran) = of_onnx(graph, file, file, {"x": x * 0})
    assert "float64" not in ran.said

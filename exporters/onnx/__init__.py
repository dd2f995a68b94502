"""ONNX files: from strangers into a graph, and our own back into the very graph they were written from."""

"""A graph as an ONNX model: what each node becomes, one step with its state outside, or a whole run."""

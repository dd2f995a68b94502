"""From a graph in floating point to processes in integers: the parts that `quantise` puts together."""

"""Counting operations: of a graph, of a chip graph, of any torch module, while they run."""

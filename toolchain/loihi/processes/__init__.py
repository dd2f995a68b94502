"""The processes of a chip graph, one class for each process of Lava's library and for the joins between their ports."""

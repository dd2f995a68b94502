"""A network in the integers of Loihi: its arithmetic, its limits, its processes, and the way there from a graph."""

"""NIR, the exchange format of the field: what a file holds, its dialects, and the roads to and from a graph."""

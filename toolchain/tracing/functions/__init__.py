"""What torch's functions become in a graph: tables of rows, one file per family."""

"""The figures that published counters print, by name."""

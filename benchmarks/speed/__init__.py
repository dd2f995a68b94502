"""Races: our speed beside the peers', in one process, in turn."""

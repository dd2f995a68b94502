"""Compiled loops over time that the neurons and the simulation share."""

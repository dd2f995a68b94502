"""Counting over data sets: in chunks, on one machine or many, resumable."""

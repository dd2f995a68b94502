"""Data to train on, made from a seed."""

"""Spikeport takes networks trained in PyTorch to neuromorphic chips and proves that they are still the same networks."""

__version__ = "0.1.0"

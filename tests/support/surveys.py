"""Small surveys: a network that counts in no time, on data that has classes."""

from pathlib import Path

import numpy as np
from spikeport.benchmarks.survey.job import Job
from spikeport.benchmarks.survey.run import Survey
from spikeport.benchmarks.survey.sources import DataSpec, open_data
from spikeport.toolchain.graph import Graph, chain
from spikeport.toolchain.graph.nodes import LIF, Affine, Input, Output

INPUTS = 64


def small_network(neurons: int = 5, seed: int = 0) -> Graph:
    weight = np.random.default_rng(seed).normal(size=(neurons, INPUTS)).astype(np.float32)
    nodes = [Input((INPUTS,), "spikes"), ("fc", Affine(weight)), ("lif", LIF(beta=0.9)), Output()]
    return chain(nodes, name="small")


def small_job(samples: int = 100, seed: int = 0, graph: Graph | None = None, data: str | Path = "burst_orders") -> Job:
    graph = graph or small_network()
    spec = DataSpec(str(data), samples=samples, seed=seed)
    return Job(graph, open_data(spec, graph.signals[graph.inputs[0]], graph.dt), source="small")


def same_survey(found: Survey, wanted: Survey) -> None:
    """Every number of every sample, and every class."""
    assert found.table.columns == wanted.table.columns
    np.testing.assert_array_equal(found.table.rows(), wanted.table.rows())
    assert (found.labels is None) == (wanted.labels is None)
    assert wanted.labels is None or found.labels.tolist() == wanted.labels.tolist()
    assert found.total.layers == wanted.total.layers
    assert (found.total.samples, found.total.steps) == (wanted.total.samples, wanted.total.steps)
    assert (found.data_identity, found.class_names) == (wanted.data_identity, wanted.class_names)

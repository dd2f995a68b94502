"""Frameworks that read and write NIR, tried in both directions with the same networks.

Each framework is a `Peer` in a module of its own here; `CASES` are the networks, `outcome` runs one cell of the matrix.
"""

from support.nir_peers.cases import BATCH, CASES, STEPS, Case, Manner, clear, reference, same
from support.nir_peers.judging import Fault, NotThere, Outcome, Peer, PeerError, Way, Word, outcome

__all__ = [
    "BATCH",
    "CASES",
    "STEPS",
    "Case",
    "Fault",
    "Manner",
    "NotThere",
    "Outcome",
    "Peer",
    "PeerError",
    "Way",
    "Word",
    "clear",
    "outcome",
    "reference",
    "same",
]

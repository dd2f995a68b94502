"""The race of the files runs, and its rows have what the table shows."""

from spikeport.benchmarks.speed.store import PEERS, bench_store


def test_every_peer_saves_and_loads() -> None:
    found = bench_store(quick=True)
    assert found["name"] == "store"
    assert [row["case"] for row in found["rows"]] == ["save 1 MB", "load 1 MB"] * len(PEERS)
    for row in found["rows"]:
        assert row["peer"] in PEERS
        assert min(row["ours_s"], row["peer_s"], row["ratio"], row["limit_s"]) > 0

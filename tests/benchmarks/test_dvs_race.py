"""`spikeport bench dvs`, quickly: that it runs and that its rows are what they say."""

from spikeport.benchmarks.speed.dvs import bench


def test_the_race_runs() -> None:
    found = bench(quick=True)
    assert found["name"] == "dvs"
    cases = [row["case"] for row in found["rows"]]
    assert cases[:3] == ["camera, still", "camera, a walker", "camera, all moves"]
    assert cases[3:] == ["a video of 0.3 s, all of it", "0.02 minutes of 96 × 64"]
    still, walker, moving = (row["events"] for row in found["rows"][:3])
    assert still < 100 < walker < moving
    assert all(row["ours_s"] > 0 and row["events"] > 0 for row in found["rows"][1:])
    assert all(50 < row["held_mb"] < 2000 for row in found["rows"][3:])
    assert "Memory from" in found["notes"][1]

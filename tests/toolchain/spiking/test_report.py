"""The account of a conversion, as people and as programs read it."""

import json

from spikeport.toolchain.spiking.report import Point, Sender, SpikingReport, some

SENDERS = (Sender("in.delta", 1.0, 8, 40, 80), Sender("relu", 0.125, 16, 30, 120, 1.0))
CURVE = tuple(Point(step, 0.4 / step, 1 - 0.5 / step, 0.9) for step in range(1, 41))

TEXT = """\
net as if neurons: output error 0.01, within 0.05, on 40 steps of 7 samples
  layer     neurons  threshold  messages  values  messages by values
  in.delta        8          1        40      80              50.0 %
  relu           16      0.125        30     120              25.0 %
  all                                 70     200              35.0 %
  a line

  step   error  accuracy  of the ReLUs
  1     0.4000    50.0 %        90.0 %  ████████████████████████████████
  2     0.2000    75.0 %        90.0 %  ████████████████
  3     0.1333    83.3 %        90.0 %  ███████████
  4     0.1000    87.5 %        90.0 %  ████████
  5     0.0800    90.0 %        90.0 %  ██████
  7     0.0571    92.9 %        90.0 %  █████
  10    0.0400    95.0 %        90.0 %  ███
  15    0.0267    96.7 %        90.0 %  ██
  20    0.0200    97.5 %        90.0 %  ██
  29    0.0138    98.3 %        90.0 %  █
  40    0.0100    98.8 %        90.0 %  █"""


def test_the_text():
    report = SpikingReport("net", "if", 0.05, 7, SENDERS, CURVE, ("a line",))
    assert report.text() == TEXT


def test_the_data_is_plain_and_holds_every_step():
    report = SpikingReport("net", "sigma-delta", 0.05, 7, SENDERS, CURVE)
    data = report.data()
    assert json.loads(json.dumps(data)) == data | {"senders": list(data["senders"]), "curve": list(data["curve"])}
    assert len(data["curve"]) == 40
    assert data["error"] == 0.4
    assert data["within"] is False


def test_few_of_many_steps_are_shown():
    assert some(5) == [0, 1, 2, 3, 4]
    assert some(500)[0] == 0
    assert some(500)[-1] == 499
    assert len(some(500)) <= 12

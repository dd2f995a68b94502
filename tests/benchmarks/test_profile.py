"""Profiles: every constant has a source, what-if says so, memory is priced by its size."""

import pytest
from spikeport.benchmarks.profile import CONSTANTS, PARAMETERS, PROFILES, Constant, Profile, load_profile
from spikeport.toolchain.errors import UsageError


@pytest.mark.parametrize("name", PROFILES)
def test_every_constant_that_ships_has_a_unit_a_process_a_year_and_a_source(name: str) -> None:
    profile = load_profile(name)
    assert profile.name == name
    assert profile.title == PROFILES[name]
    assert profile.constants
    for constant in profile.constants.values():
        assert len(constant.source) > 20
        assert constant.process
        assert 2010 <= constant.year <= 2026
        assert constant.pj > 0
        assert "read" in constant.note, f"{name}.{constant.name} does not say whether its source was read"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("45nm-fp32", {"mac": 4.6, "ac": 0.9, "multiply": 3.7, "add": 0.9}),
        ("45nm-fp16", {"mac": 1.5, "ac": 0.4, "multiply": 1.1, "add": 0.4}),
        ("45nm-int8", {"mac": 0.23, "ac": 0.03, "multiply": 0.2, "add": 0.03}),
        ("45nm-int32", {"mac": 3.2, "ac": 0.1, "multiply": 3.1, "add": 0.1}),
        ("45nm-fp32", {"sram_8k": 10, "sram_32k": 20, "sram_1m": 100, "dram": 1300}),
        ("pasnet", {"mac": 4.6, "ac": 0.1}),
        ("step-sram", {"sram_byte": 24.96}),
        ("loihi1", {"synaptic_event": 23.6, "neuron_active": 81, "neuron_idle": 52, "spike": 1.7}),
        ("loihi1", {"hop_ew": 3.0, "hop_ns": 4.0}),
        ("loihi1-sanafe", {"synapse_conv": 24.0, "synapse_dense": 35.5, "synapse_sparse": 33.6}),
        ("loihi1-sanafe", {"neuron_access": 51.2, "neuron_update": 21.6, "spike_out": 69.3, "axon_out": 111}),
        ("truenorth", {"synaptic_event": 26}),
        ("spinnaker1", {"synaptic_event": 13300, "neuron_update": 26000}),
        ("spinnaker2", {"synaptic_event": 450, "neuron_update": 2190}),
    ],
)
def test_the_constants_are_the_published_ones(name: str, expected: dict[str, float]) -> None:
    profile = load_profile(name)
    assert {key: profile.constant(key).pj for key in expected} == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", [name for name in PROFILES if name.startswith("45nm")])
def test_a_mac_is_a_multiplication_and_an_addition(name: str) -> None:
    profile = load_profile(name)
    parts = profile.constant("multiply").pj + profile.constant("add").pj
    assert profile.constant("mac").pj == pytest.approx(parts)
    assert profile.constant("ac").pj == profile.constant("add").pj


def test_every_constant_that_ships_is_in_the_table_of_names() -> None:
    used = {name for profile in PROFILES for name in load_profile(profile).constants}
    assert {name for name in used if name != "sram_byte" and name.startswith("sram_")} | set(CONSTANTS) >= used
    assert set(CONSTANTS) <= used


@pytest.mark.parametrize(
    ("size", "pj"),
    [(0, 0), (4000, 10 * 4000 / 8192), (8192, 10), (20480, 15), (32768, 20), (2**20, 100), (2**24, 100)],
)
def test_an_access_is_linear_in_the_size_of_the_memory_between_the_published_points(size: int, pj: float) -> None:
    profile = load_profile("45nm-int32")
    assert profile.sram(size).pj == pytest.approx(pj)
    assert profile.replaced(word_share=0.5).sram(size).pj == pytest.approx(pj / 2)
    assert profile.largest == 2**20


def test_a_flat_price_for_a_byte_is_that_of_a_word_whatever_the_size() -> None:
    profile = load_profile("step-sram")
    assert profile.sram(10).pj == profile.sram(10**9).pj == pytest.approx(99.84)
    assert profile.largest == float("inf")


def test_what_if_replaces_the_value_and_the_source() -> None:
    before = load_profile("45nm-fp32")
    after = before.replaced(ac=0.1, weight_bits=4)
    assert after.constant("ac").pj == 0.1
    assert after.constant("ac").source == "what if: given by the user"
    assert "instead of 0.9 pJ, M. Horowitz" in after.constant("ac").note
    assert after.name == "45nm-fp32 with ac=0.1, weight_bits=4"
    assert after.parameter("weight_bits") == 4
    assert (before.constant("ac").pj, before.parameter("weight_bits")) == (0.9, PARAMETERS["weight_bits"][0])
    assert before.replaced() == before


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), 1e13, True, "0.1", None, 10**400])
def test_what_if_refuses_what_is_no_energy(value: object) -> None:
    with pytest.raises(UsageError, match=r"^what if ac: .*expected a number from 0 to 1e\+12"):
        load_profile("45nm-fp32").replaced(ac=value)


def test_what_if_names_what_there_is() -> None:
    with pytest.raises(UsageError, match=r"^what if: 'ca'; expected one of mac, ac, multiply, .*word_share"):
        load_profile("45nm-fp32").replaced(ca=0.1)
    with pytest.raises(UsageError, match="operand_bits is 0; expected at least 1"):
        load_profile("45nm-fp32").replaced(operand_bits=0)


def test_a_missing_constant_says_what_to_add() -> None:
    with pytest.raises(UsageError) as caught:
        load_profile("pasnet").constant("add")
    assert str(caught.value) == (
        "profile pasnet: no constant 'add' among mac, ac. "
        "Add [constants.add] with value, unit, process, year and source to a copy of the profile"
    )


def test_an_unknown_profile_lists_those_there_are() -> None:
    with pytest.raises(UsageError) as caught:
        load_profile("45nm")
    assert str(caught.value).startswith("profile: '45nm'; expected one of 45nm-fp32, 45nm-fp16, ")
    assert str(caught.value).endswith("Or give the path of a .toml file")


def test_a_profile_cannot_be_changed() -> None:
    profile = load_profile("loihi1")
    with pytest.raises(TypeError):
        profile.constants["spike"] = Constant("spike", 0, "", 0, "")  # type: ignore[index]
    mine = {"mac": profile.constant("spike")}
    held = Profile("mine", "mine", mine)
    mine.clear()
    assert held.constants

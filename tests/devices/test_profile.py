"""Device profiles: they load, they name themselves, and their figures can be true."""

from __future__ import annotations

import msgspec
import pytest

from edgeship_devices import DeviceError, Profile, profile, profiles

BOARDS = ("raspberry-pi-4", "raspberry-pi-5", "jetson-orin-nano")
NAMES = (*BOARDS, "generic-x86-64", "generic-aarch64")


def test_the_known_devices_are_there() -> None:
    assert set(NAMES) <= set(profiles())


@pytest.mark.parametrize("name", profiles())
def test_a_profile_has_its_own_name_and_positive_figures(name: str) -> None:
    facts = msgspec.to_builtins(profile(name))
    figures = [value for value in facts.values() if isinstance(value, int | float)]
    assert facts["name"] == name
    assert figures
    assert all(figure > 0 for figure in figures)


@pytest.mark.parametrize("name", BOARDS)
def test_a_board_has_the_figures_that_estimates_need(name: str) -> None:
    board = profile(name)
    assert None not in (board.core, board.cores, board.clock_hz, board.l1d_bytes, board.l2_bytes)
    assert None not in (board.peak_float32_gflops, board.memcpy_mb_per_s, board.memset_mb_per_s)
    assert board.device_tree_models


@pytest.mark.parametrize("name", BOARDS)
def test_a_peak_is_a_whole_number_of_operations_a_cycle(name: str) -> None:
    board = profile(name)
    assert board.peak_float32_gflops and board.cores and board.clock_hz
    a_cycle = board.peak_float32_gflops * 1e9 / (board.cores * board.clock_hz)
    assert a_cycle == pytest.approx(round(a_cycle), rel=1e-3)
    assert round(a_cycle) % 8 == 0


@pytest.mark.parametrize("name", BOARDS)
def test_every_figure_of_a_board_has_its_source_beside_it(name: str) -> None:
    from importlib.resources import files

    text = (files("edgeship_devices") / "profiles" / f"{name}.toml").read_text(encoding="utf-8")
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals and key.strip() in Profile.__struct_fields__ and value.strip()[0].isdigit():
            assert "#" in value, f"{key.strip()} has no source"


def test_an_unknown_device_is_answered_with_those_there_are() -> None:
    with pytest.raises(DeviceError, match=r"no device 'toaster'.*raspberry-pi-4"):
        profile("toaster")


def test_a_profile_takes_no_unknown_field_and_no_figure_below_zero() -> None:
    facts = msgspec.to_builtins(profile("raspberry-pi-4"))
    with pytest.raises(msgspec.ValidationError, match="colour"):
        msgspec.convert({**facts, "colour": "green"}, Profile)
    with pytest.raises(msgspec.ValidationError, match="clock_hz"):
        msgspec.convert({**facts, "clock_hz": -1}, Profile)

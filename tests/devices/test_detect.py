"""Detection, on trees of files as boards show them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edgeship_devices import Machine, detect, profiles
from tests.devices import trees


def test_a_raspberry_pi_4(tmp_path: Path) -> None:
    assert detect(trees.plant(tmp_path, trees.raspberry_pi_4())) == Machine(
        profile="raspberry-pi-4",
        device_tree_model="Raspberry Pi 4 Model B Rev 1.4",
        cpu="Cortex-A72",
        cores=4,
        ram_bytes=3884376 * 1024,
        architecture="aarch64",
        governor="ondemand",
        load_average=(0.08, 0.03, 0.01),
        throttled=True,
        temperature_celsius=82.277,
    )


def test_a_raspberry_pi_5_that_was_throttled_earlier_is_not_throttled_now(tmp_path: Path) -> None:
    machine = detect(trees.plant(tmp_path, trees.raspberry_pi_5()))
    assert (machine.profile, machine.cpu, machine.cores) == ("raspberry-pi-5", "Cortex-A76", 4)
    assert machine.throttled is False


def test_a_jetson_orin_nano_is_as_warm_as_its_cpu(tmp_path: Path) -> None:
    machine = detect(trees.plant(tmp_path, trees.jetson_orin_nano()))
    assert (machine.profile, machine.cpu, machine.cores) == ("jetson-orin-nano", "Cortex-A78AE", 6)
    assert machine.architecture == "aarch64"
    assert machine.temperature_celsius == 51.437
    assert machine.throttled is None


def test_an_x86_machine_is_generic(tmp_path: Path) -> None:
    machine = detect(trees.plant(tmp_path, trees.x86()))
    assert (machine.profile, machine.cpu, machine.cores) == ("generic-x86-64", "Intel(R) N100", 4)
    assert machine.architecture == "x86_64"
    assert machine.device_tree_model is None
    assert machine.governor == "performance, powersave"
    assert machine.temperature_celsius == 44.0


def test_an_arm_board_that_no_profile_describes_is_generic(tmp_path: Path) -> None:
    files = trees.arm("Radxa ROCK 5B", "0xd0b", 8, 16000000, "performance")
    assert detect(trees.plant(tmp_path, files)).profile == "generic-aarch64"


def test_two_kinds_of_core_are_both_named(tmp_path: Path) -> None:
    files = trees.arm("Radxa ROCK 5B", "0xd05", 1, 16000000, "performance")
    files["proc/cpuinfo"] = trees.ARM_CPU.format(number=0, part="0xd05") + trees.ARM_CPU.format(
        number=1, part="0xd0b"
    )
    assert detect(trees.plant(tmp_path, files)).cpu == "Cortex-A55, Cortex-A76"


def test_a_core_that_is_not_in_the_table_is_named_by_its_number(tmp_path: Path) -> None:
    files = trees.arm("Some Board", "0xfff", 1, 1000, "performance")
    assert detect(trees.plant(tmp_path, files)).cpu == "Arm part 0xfff"


@pytest.mark.parametrize(("online", "cores"), [("0-3", 4), ("0", 1), ("0,2-3,5", 4), ("?", 4)])
def test_the_cores_that_are_online_are_counted(tmp_path: Path, online: str, cores: int) -> None:
    files = trees.x86() | {"sys/devices/system/cpu/online": online}
    assert detect(trees.plant(tmp_path, files)).cores == cores


def test_where_nothing_can_be_read_nothing_is_claimed(tmp_path: Path) -> None:
    facts = {name: getattr(detect(tmp_path), name) for name in Machine.__struct_fields__}
    assert set(facts.values()) == {None}


def test_garbage_in_every_file_is_no_error(tmp_path: Path) -> None:
    garbage = dict.fromkeys([*trees.x86(), *trees.raspberry_pi_4()], ":\0 \udcff x\n::")
    for path, text in garbage.items():
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode("utf-8", "surrogateescape"))
    machine = detect(tmp_path)
    assert machine.profile is None
    assert machine.ram_bytes is None


def test_this_machine_is_one_of_the_known_kinds() -> None:
    assert detect().profile in profiles()


def test_devices_need_neither_numpy_nor_another_layer() -> None:
    code = (
        "import sys, edgeship_devices; edgeship_devices.detect(); print(*sorted("
        "{'numpy', 'edgeship_runtime', 'edgeship_converters', 'edgeship_benchmarks'} "
        "& {name.partition('.')[0] for name in sys.modules}))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""

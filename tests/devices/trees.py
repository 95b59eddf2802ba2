"""Trees of `proc` and `sys` files in the form in which boards show them."""

from __future__ import annotations

from pathlib import Path

ARM_CPU = """\
processor\t: {number}
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm crc32 cpuid
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: {part}
CPU revision\t: 3

"""
X86_CPU = """\
processor\t: {number}
vendor_id\t: GenuineIntel
cpu family\t: 6
model\t\t: 190
model name\t: Intel(R) N100
flags\t\t: fpu vme de pse tsc msr pae mce cx8 sep lm constant_tsc sse sse2 avx2
bogomips\t: 1612.80

"""


def plant(root: Path, files: dict[str, str]) -> Path:
    """Write `files` below `root`."""
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return root


def arm(model: str, part: str, cores: int, ram_kib: int, governor: str) -> dict[str, str]:
    """The files that all Arm boards have."""
    cpuinfo = "".join(ARM_CPU.format(number=number, part=part) for number in range(cores))
    governors = {
        f"sys/devices/system/cpu/cpu{number}/cpufreq/scaling_governor": f"{governor}\n"
        for number in range(cores)
    }
    return {
        "proc/device-tree/model": f"{model}\0",
        "proc/cpuinfo": f"{cpuinfo}Revision\t: c03114\nModel\t\t: {model}\n",
        "proc/meminfo": f"MemTotal:        {ram_kib} kB\nMemFree:          123456 kB\n",
        "proc/loadavg": "0.08 0.03 0.01 1/154 1234\n",
        "sys/devices/system/cpu/online": f"0-{cores - 1}\n",
        **governors,
    }


def raspberry_pi_4() -> dict[str, str]:
    """A Raspberry Pi 4 that has too little voltage now, and was throttled before."""
    return {
        **arm("Raspberry Pi 4 Model B Rev 1.4", "0xd08", 4, 3884376, "ondemand"),
        "sys/devices/platform/soc/soc:firmware/get_throttled": "50005\n",
        "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
        "sys/class/thermal/thermal_zone0/temp": "82277\n",
    }


def raspberry_pi_5() -> dict[str, str]:
    """A Raspberry Pi 5 that was throttled before, and is not now."""
    return {
        **arm("Raspberry Pi 5 Model B Rev 1.0", "0xd0b", 4, 8255072, "ondemand"),
        "proc/sys/kernel/arch": "aarch64\n",
        "sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled": "50000\n",
        "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
        "sys/class/thermal/thermal_zone0/temp": "48850\n",
    }


def jetson_orin_nano() -> dict[str, str]:
    """A Jetson Orin Nano, some of whose sensors are of other parts or asleep."""
    model = "NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Super"
    return {
        **arm(model, "0xd42", 6, 7802956, "schedutil"),
        "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
        "sys/class/thermal/thermal_zone0/temp": "51437\n",
        "sys/class/thermal/thermal_zone1/type": "gpu-thermal\n",
        "sys/class/thermal/thermal_zone1/temp": "99000\n",
        "sys/class/thermal/thermal_zone2/type": "cpu-thermal\n",
        "sys/class/thermal/thermal_zone2/temp": "\n",
    }


def x86(cores: int = 4) -> dict[str, str]:
    """A small x86-64 computer."""
    return {
        "proc/cpuinfo": "".join(X86_CPU.format(number=number) for number in range(cores)),
        "proc/meminfo": "MemTotal:       16180236 kB\n",
        "proc/loadavg": "1.50 1.25 1.00 3/512 9999\n",
        "sys/devices/system/cpu/online": f"0-{cores - 1}\n",
        "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "powersave\n",
        "sys/devices/system/cpu/cpu1/cpufreq/scaling_governor": "performance\n",
        "sys/class/thermal/thermal_zone0/type": "acpitz\n",
        "sys/class/thermal/thermal_zone0/temp": "27800\n",
        "sys/class/thermal/thermal_zone1/type": "x86_pkg_temp\n",
        "sys/class/thermal/thermal_zone1/temp": "44000\n",
    }

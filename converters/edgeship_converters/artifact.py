"""What a conversion step makes: the files of one form of the model, in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edgeship_runtime.arrays import Array
from edgeship_runtime.bundle import Contract, Quantization


@dataclass(frozen=True, slots=True)
class Artifact:
    """The files of one form of the model, by path within the form; a single file has the path ''.

    `quantization` says which inputs and outputs are integers, and what these stand for.
    """

    files: Mapping[str, bytes]
    quantization: Quantization = field(default_factory=Quantization)

    @classmethod
    def of_file(cls, data: bytes, quantization: Quantization | None = None) -> Artifact:
        """A form that is a single file."""
        return cls({"": data}, quantization or Quantization())

    @classmethod
    def of_folder(cls, root: Path) -> Artifact:
        """A form that is a folder, read from disk."""
        paths = sorted(path for path in root.rglob("*") if path.is_file())
        return cls({path.relative_to(root).as_posix(): path.read_bytes() for path in paths})

    @property
    def data(self) -> bytes:
        """The bytes of a form that is a single file."""
        return self.files[""]

    def write_to(self, root: Path) -> Path:
        """Write a folder's files below `root`, and return `root`."""
        for path, data in self.files.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        return root


@dataclass(frozen=True, slots=True)
class Task:
    """What a step may need besides the form that it starts from.

    Attributes:
        name: the model's name.
        contract: the inputs and outputs that every form keeps, by name.
        calibration: rows for choosing quantization ranges, by input name; never rows that parity
            is judged on. None where no data was given.
    """

    name: str
    contract: Contract
    calibration: dict[str, Array] | None = None

    def rows(self) -> dict[str, Array]:
        """The calibration rows of a step that cannot do without; the plan sees to it."""
        if self.calibration is None:
            raise ValueError("the plan ran a calibrating step without data")
        return self.calibration

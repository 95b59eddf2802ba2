"""What a conversion step makes: the files of one form of the model, in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from edgeship_converters.recipe import Recipe
from edgeship_runtime.arrays import Array
from edgeship_runtime.bundle import Contract, Quantization, TextWords

Io = Literal["float", "int8"]


@dataclass(frozen=True, slots=True)
class Artifact:
    """The files of one form of the model, by path within the form; a single file has the path ''.

    `quantization` says which inputs and outputs are integers, and what these stand for; `words`
    which are places in lists of words.
    """

    files: Mapping[str, bytes]
    quantization: Quantization = field(default_factory=Quantization)
    words: TextWords = field(default_factory=TextWords)

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
    def sha256(self) -> str:
        """Over the paths and bytes of all files, in hex."""
        sha = hashlib.sha256()
        for path, data in sorted(self.files.items()):
            sha.update(f"{hashlib.sha256(data).hexdigest()}  {path}\n".encode())
        return sha.hexdigest()

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
            is judged on, in random order. None where no data was given.
        layers: the names of the model's layers in its own order, where the source tells them.
        classical: whether the source is a classical model, of which smaller formats need not be
            smaller: trees and tables stay as they are.
        io: whether `tflite-int8` takes and gives floats, or its own integers.
        recipe: how the step at hand quantizes; None for one that does not.
        ranges: gives the ranges of activations for a recipe, where they are known already; they
            follow from the form, the rows and the recipe.
    """

    name: str
    contract: Contract
    calibration: dict[str, Array] | None = None
    layers: tuple[str, ...] = ()
    classical: bool = False
    io: Io = "float"
    recipe: Recipe | None = None
    ranges: Callable[[Recipe], Any] | None = None

    def rows(self, most: int) -> dict[str, Array]:
        """The calibration rows of a step that cannot do without; the plan sees to it."""
        if self.calibration is None:
            raise ValueError("the plan ran a calibrating step without data")
        return {name: array[:most] for name, array in self.calibration.items()}

    def chosen_recipe(self) -> Recipe:
        """The recipe of a step that quantizes."""
        if self.recipe is None:
            raise ValueError("the plan ran a quantizing step without a recipe")
        return self.recipe

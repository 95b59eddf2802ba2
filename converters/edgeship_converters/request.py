"""What a user asks of a conversion."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeship_converters.artifact import Io
from edgeship_converters.errors import PlanError
from edgeship_converters.parity import MAX_DROP
from edgeship_converters.plan import ALL
from edgeship_converters.rows import Data
from edgeship_converters.schema import schema_of
from edgeship_converters.sources.sklearn_inputs import FORMS, Form
from edgeship_runtime.tables import columns_of

if TYPE_CHECKING:
    from edgeship_converters.steps.classical.dispatch import Converter


def _silent(words: Any) -> None:
    """Take no notice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """All options of `convert`.

    Attributes:
        source: a model file (`.keras`, `.h5`, `.skops`, `.onnx`; `.joblib` or `.pkl` with
            `allow_pickle`), a SavedModel folder, or a model in memory.
        data: rows that calibrate quantized variants and make the drift baseline, ideally the
            training data: a file, see `edgeship_runtime.datafiles.read` for the forms; a data frame
            or a list of records, with the labels under `label_column`; a dict of arrays by input
            name, with the labels under `label_column` or `y`; or for a model with one input the
            bare array. A data frame also tells which columns are whole numbers or truths.
        label_column: which column, or array of an `.npz`, holds the labels.
        eval_data: rows that judge the variants; without it a fifth of `data` is held out.
        variants: names, or `all` for every one that can be made and proven.
        name: the model's name; without it, that of the source file.
        version: the model's version.
        allow_pickle: whether a pickle, which can run any code on opening, may be opened.
        custom_objects: `module:attribute` of layers and functions that Keras does not know; the
            modules are imported, which runs their code. Or the objects themselves, by name.
        signature: of a SavedModel; without it `serving_default`, or the only one.
        trust: the types in a `.skops` file that skops does not know and the user vouches for.
        converters: for steps of a scikit-learn model that edgeship has none for, see
            docs/own-converters.md: `package.Class=module:function`, whose module is imported; or
            the functions, by class or by its name.
        inputs: of a scikit-learn model: one `matrix`, an input for each of the `columns`, or
            `auto`: a matrix unless there is text among them.
        max_drop: how much of the metric a quantized variant may lose, as a share.
        io: whether `tflite-int8` takes and gives `float`, or its own `int8`.
        recipe: a TOML file that says how to quantize, or the name of a built-in recipe.
        sensitivity: whether to measure what quantizing each layer alone costs, and to keep layers
            in float where an int8 variant misses the budget otherwise.
        cache: whether earlier outcomes of the same steps on the same bytes are used.
        on_step: called with a few words before each step.
        on_warning: called with each thing that the user should know of.
        on_study: called with the `Studied` that `sensitivity` asked for, also where the budget is
            missed in the end and an error follows.
    """

    source: Any
    data: Data | None = None
    label_column: str | None = None
    eval_data: Data | None = None
    variants: str | Sequence[str] = ALL
    name: str | None = None
    version: str = "1"
    allow_pickle: bool = False
    custom_objects: Sequence[str] | Mapping[str, Any] = ()
    signature: str | None = None
    trust: Sequence[str] = ()
    converters: Sequence[str] | Mapping[type | str, Converter] = ()
    inputs: Form = "auto"
    max_drop: float = MAX_DROP
    io: Io = "float"
    recipe: str | os.PathLike[str] | None = None
    sensitivity: bool = False
    cache: bool = True
    on_step: Callable[[str], None] = _silent
    on_warning: Callable[[str], None] = _silent
    on_study: Callable[[Any], None] = _silent

    def opening(self) -> dict[str, Any]:
        """The options of `open_source`.

        Raises:
            DataError: where the data's columns cannot be read.
        """
        return {
            "allow_pickle": self.allow_pickle,
            "custom_objects": self.custom_objects,
            "signature": self.signature,
            "trust": self.trust,
            "converters": self.converters,
            "inputs": self.inputs,
            "schema": schema_of(self.data),
        }

    @property
    def own_code(self) -> bool:
        """Whether code of the user's own takes part, or may."""
        return bool(self.custom_objects or self.allow_pickle or self.trust or self.converters)

    def __post_init__(self) -> None:
        """Refuse a budget that is no share."""
        if not isinstance(self.max_drop, int | float) or not 0 <= self.max_drop < 1:
            raise PlanError(
                f"max_drop is a share from 0 to below 1, such as 0.005, got {self.max_drop!r}"
            )
        if self.io not in ("float", "int8"):
            raise PlanError(f"io is 'float' or 'int8', got {self.io!r}")
        if self.inputs not in FORMS:
            raise PlanError(f"inputs is one of {', '.join(FORMS)}, got {self.inputs!r}")
        for name in ("data", "eval_data"):
            given = getattr(self, name)
            if given is None or isinstance(given, str | os.PathLike | Mapping | np.ndarray):
                continue
            if columns_of(given) is None:
                raise PlanError(
                    f"{name} is a file's path, a data frame, a list of records, a dict of arrays "
                    f"or an array, got a {type(given).__name__}"
                )

"""A form alone in a bundle, on the engine that boards run it on."""

from __future__ import annotations

from edgeship_converters.artifact import Artifact
from edgeship_converters.draft import Draft
from edgeship_runtime.arrays import Arrays
from edgeship_runtime.bundle import Contract, SourceInfo
from edgeship_runtime.model import Model, load


def loaded(
    contract: Contract, variant: str, artifact: Artifact, inputs: Arrays, expected: Arrays
) -> Model:
    """The form as a model, with rows and the source's answers as its goldens."""
    draft = Draft(
        name="trial",
        version="1",
        label_column=None,
        contract=contract,
        source=SourceInfo(kind="trial", sha256="0" * 64),
        tools={},
    )
    draft.set_goldens(inputs, expected)
    return load(draft.trial(variant, artifact), variant)

"""A bundle in the making: held in memory, and loadable, before anything is written."""

from __future__ import annotations

import io
from collections.abc import Mapping

import msgspec
import numpy as np

from edgeship_converters.artifact import Artifact
from edgeship_converters.recipe import Recipe
from edgeship_runtime.arrays import Array, Arrays
from edgeship_runtime.bundle import (
    Bundle,
    BundleWriter,
    Contract,
    Evidence,
    FileSpec,
    Goldens,
    Manifest,
    SourceInfo,
    VariantSpec,
)
from edgeship_runtime.bundle.manifest import Format
from edgeship_runtime.bundle.reader import variant_hash
from edgeship_runtime.bundle.writer import in_memory

_SUFFIX: dict[str, str] = {"tflite": ".tflite", "onnx": ".onnx", "savedmodel": ""}
_UNPROVEN = Evidence(rows=0, rows_from="synthetic", errors={})


class Draft:
    """The files and facts of a bundle, gathered one by one."""

    def __init__(
        self,
        *,
        name: str,
        version: str,
        label_column: str | None,
        contract: Contract,
        source: SourceInfo,
        tools: Mapping[str, str],
    ) -> None:
        self._name = name
        self._version = version
        self._label_column = label_column
        self._contract = contract
        self._source = source
        self._tools = dict(tools)
        self._files: dict[str, bytes] = {}
        self._variants: dict[str, tuple[str, list[FileSpec], Artifact]] = {}
        self._recipes: dict[str, Recipe | None] = {}
        self._evidence: dict[str, Evidence] = {}
        self._goldens: Goldens | None = None
        self._baseline: str | None = None

    def add_variant(
        self,
        name: str,
        artifact: Artifact,
        recipe: Recipe | None = None,
        evidence: Evidence | None = None,
    ) -> None:
        """Add a variant's files, below `variants/`, how it was quantized, and what proves it."""
        path = f"variants/{name}{_SUFFIX[name.split('-', maxsplit=1)[0]]}"
        entries = [
            self._add(f"{path}/{inside}" if inside else path, data)
            for inside, data in artifact.files.items()
        ]
        self._variants[name] = (path, entries, artifact)
        self._recipes[name] = recipe
        self._evidence[name] = evidence or _UNPROVEN

    def add_baseline(self, data: bytes) -> None:
        """Add the drift baseline."""
        self._baseline = "baseline.json"
        self._add(self._baseline, data)

    def set_goldens(self, inputs: Arrays, outputs: Arrays) -> None:
        """Put rows, with the source's outputs for them, in place of any that were set before."""
        self._goldens = Goldens(
            rows=len(next(iter(inputs.values()))),
            inputs={
                spec.name: self._add_array(f"goldens/input-{i}.npy", inputs[spec.name])
                for i, spec in enumerate(self._contract.inputs)
            },
            outputs={
                spec.name: self._add_array(f"goldens/output-{i}.npy", outputs[spec.name])
                for i, spec in enumerate(self._contract.outputs)
            },
        )

    def trial(self, name: str, artifact: Artifact) -> Bundle:
        """A bundle with the goldens as they stand and one variant alone, to run it."""
        alone = Draft(
            name=self._name,
            version=self._version,
            label_column=self._label_column,
            contract=self._contract,
            source=self._source,
            tools=self._tools,
        )
        if self._goldens is None:
            raise ValueError("a bundle needs goldens")
        alone._goldens = self._goldens
        for path in (*self._goldens.inputs.values(), *self._goldens.outputs.values()):
            alone._files[path] = self._files[path]
        alone.add_variant(name, artifact)
        return in_memory(alone._manifest(), alone._files)

    def write(self, writer: BundleWriter) -> Bundle:
        """Write it, whole or not at all."""
        for path, data in self._files.items():
            writer.add(path, data)
        return writer.write(self._manifest())

    def _add(self, path: str, data: bytes) -> FileSpec:
        self._files[path] = data
        return FileSpec.of(path, data)

    def _add_array(self, path: str, array: Array) -> str:
        stream = io.BytesIO()
        np.save(stream, np.ascontiguousarray(array), allow_pickle=False)
        self._add(path, stream.getvalue())
        return path

    def _manifest(self) -> Manifest:
        if self._goldens is None:
            raise ValueError("a bundle needs goldens")
        return Manifest(
            name=self._name,
            version=self._version,
            task=self._contract.task,
            inputs=self._contract.inputs,
            outputs=self._contract.outputs,
            classes=self._contract.classes,
            label_column=self._label_column,
            source=self._source,
            tools=self._tools,
            variants=tuple(self._variant(name) for name in self._variants),
            goldens=self._goldens,
            baseline=self._baseline,
            files=tuple(FileSpec.of(path, self._files[path]) for path in sorted(self._files)),
        )

    def _variant(self, name: str) -> VariantSpec:
        path, entries, artifact = self._variants[name]
        format: Format
        format, precision = name.split("-", 1)  # type: ignore[assignment]
        return VariantSpec(
            name=name,
            format=format,
            precision=precision,
            path=path,
            sha256=variant_hash(path, entries),
            bytes=sum(entry.bytes for entry in entries),
            quantization=artifact.quantization,
            evidence=self._evidence[name],
            recipe=msgspec.to_builtins(self._recipes[name] or {}),
            words=artifact.words,
        )

"""The Open Inference Protocol, version 2, over JSON: requests, answers and metadata.

As KServe's `open-inference-protocol` states it (specification/protocol/inference_rest.md), which
Triton, Seldon and MLServer also speak. Fields that are not known are passed over, so that a
client with extensions of its own is still understood.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from edgeship_runtime.arrays import Array, Arrays, dtype_name
from edgeship_runtime.bundle.manifest import InputSpec, OutputSpec
from edgeship_runtime.errors import EngineError, InputError
from edgeship_runtime.model import Model
from edgeship_runtime.serve.tensors import DATATYPES, decode_tensor, encode_tensor

Parameters = dict[str, Any]


class RequestInput(msgspec.Struct, frozen=True):
    """An input of a request; `data` stays JSON until its datatype and shape are known."""

    name: str
    shape: list[int]
    datatype: str
    data: msgspec.Raw = msgspec.Raw()
    parameters: Parameters | None = None


class RequestOutput(msgspec.Struct, frozen=True):
    """An output that a request asks for."""

    name: str
    parameters: Parameters | None = None


class InferRequest(msgspec.Struct, frozen=True):
    """What a client asks; without `outputs` it gets all of them."""

    inputs: list[RequestInput]
    outputs: list[RequestOutput] | None = None
    id: str | None = None
    parameters: Parameters | None = None


class ResponseOutput(msgspec.Struct, frozen=True, kw_only=True):
    """An output of an answer, its values flat in row-major order."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Any]


class InferResponse(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the model answers; `id` is the request's own, `parameters` name what gave the answer."""

    model_name: str
    model_version: str
    id: str | None = None
    parameters: Parameters
    outputs: list[ResponseOutput]


class TensorMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """An input or output of the contract; -1 in `shape` is free."""

    name: str
    datatype: str
    shape: list[int]


class ModelMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """What the model is, and takes and gives."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class ServerMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """What the server is."""

    name: str
    version: str
    extensions: list[str]


_decoder = msgspec.json.Decoder(InferRequest)


def decode_request(body: bytes) -> InferRequest:
    """Read the body of a request for inference.

    Raises:
        InputError: where it is not JSON, or not a request.
    """
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"the body is not an inference request in JSON: {error}") from error


def request_arrays(request: InferRequest) -> dict[str, Array]:
    """The request's inputs as arrays of their declared datatypes and shapes.

    Raises:
        InputError: where an input is given twice, or its data does not fit what it declares.
    """
    arrays: dict[str, Array] = {}
    for given in request.inputs:
        if given.name in arrays:
            raise InputError(f"input {given.name!r} is given twice: give it once, with all rows")
        data = memoryview(given.data)
        if not data:
            raise InputError(
                f"input {given.name!r} has no data: give its values as JSON in 'data' "
                "(in Triton's clients: binary_data=False)"
            )
        arrays[given.name] = decode_tensor(given.name, given.datatype, given.shape, data)
    return arrays


def requested_outputs(specs: Sequence[OutputSpec], request: InferRequest) -> list[str]:
    """The names of the outputs to answer with, in the order asked for, each once.

    Raises:
        InputError: for one that the model does not have.
    """
    have = [spec.name for spec in specs]
    if not request.outputs:
        return have
    asked = list(dict.fromkeys(output.name for output in request.outputs))
    for name in asked:
        if name not in have:
            raise InputError(
                f"there is no output {name!r}: the model gives {', '.join(map(repr, have))}"
            )
    return asked


def encode_response(
    model: Model, request: InferRequest, outputs: Arrays, names: Sequence[str]
) -> bytes:
    """The answer to a request, as JSON.

    Args:
        model: what gave the outputs.
        request: what was asked.
        outputs: the model's outputs, by name.
        names: those to answer with, in this order.

    Raises:
        EngineError: where an output holds NaN or infinities, which JSON cannot carry.
    """
    manifest = model.bundle.manifest
    return msgspec.json.encode(
        InferResponse(
            model_name=manifest.name,
            model_version=manifest.version,
            id=request.id,
            parameters={"variant": model.variant.name, "artifact_sha256": model.variant.sha256},
            outputs=[_response_output(name, outputs[name]) for name in names],
        )
    )


def infer(model: Model, body: bytes) -> bytes:
    """Answer one request for inference, JSON in and JSON out.

    Raises:
        InputError: for a request that is not valid, or does not fit the model's contract.
        EngineError: where the engine fails, or an output cannot be written as JSON.
    """
    request = decode_request(body)
    names = requested_outputs(model.contract.outputs, request)
    outputs = model.predict(request_arrays(request))
    return encode_response(model, request, outputs, names)


def model_metadata(model: Model) -> ModelMetadata:
    """What the protocol tells of a model."""
    manifest = model.bundle.manifest
    return ModelMetadata(
        name=manifest.name,
        versions=[manifest.version],
        platform=f"edgeship_{model.variant.format}",
        inputs=[_tensor_metadata(spec) for spec in manifest.inputs],
        outputs=[_tensor_metadata(spec) for spec in manifest.outputs],
    )


def _response_output(name: str, array: Array) -> ResponseOutput:
    try:
        data = encode_tensor(array)
    except ValueError as error:
        raise EngineError(
            f"output {name!r} holds NaN or infinite values, which JSON cannot carry: "
            "the inputs are beyond what this model computes with, check their scale"
        ) from error
    return ResponseOutput(
        name=name,
        shape=list(array.shape),
        datatype=DATATYPES[dtype_name(array.dtype)],
        data=data,
    )


def _tensor_metadata(spec: InputSpec | OutputSpec) -> TensorMetadata:
    return TensorMetadata(
        name=spec.name,
        datatype=DATATYPES[spec.dtype],
        shape=[-1 if size is None else size for size in spec.shape],
    )

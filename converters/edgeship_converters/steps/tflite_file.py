"""A TFLite model, changed as an object, as a file's bytes again."""

from __future__ import annotations

from typing import Any

import flatbuffers

_IDENTIFIER = b"TFL3"


def packed(model: Any, builder: Any = None) -> bytes:
    """The bytes of a model object of litert-quantizer's, by a flatbuffers builder of one's own."""
    builder = flatbuffers.Builder() if builder is None else builder
    builder.Finish(model.Pack(builder), file_identifier=_IDENTIFIER)
    return bytes(builder.Output())

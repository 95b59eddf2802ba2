"""Why a case is refused, in words for the page; cases name these by key."""

from __future__ import annotations

REASONS: dict[str, str] = {
    "text": "works on words, by operators that the format does not have",
    "hash": "hashes text, by operators that neither board runtime has",
    "table": "looks ids up in a table of a kind that neither board runtime has",
    "dilated volumes": "TFLite has no dilated convolution over volumes",
    "free volumes": "TFLite has no pooling over volumes; others do its work where sizes are fixed",
    "free sizes": "Keras itself computes it only for sizes that are fixed in `keras.Input`",
    "free steps": (
        "Keras itself computes it wrongly: its compiled loop over a free number of steps mixes up "
        "rows and steps, so that there is no answer to be held against"
    ),
}

# Classes of `keras.layers` that no case is about, each with why.
NOT_AT_INFERENCE: dict[str, str] = {
    "Equalization": "only in training; Keras builds no model with it (a graph cycle)",
    "FlaxLayer": "another framework inside; needs the JAX backend",
    "InputSpec": "no layer, a description of one",
    "JaxLayer": "another framework inside; needs the JAX backend",
    "Lambda": "holds Python code: refused on loading, in safe mode; write it as a Layer subclass",
    "Layer": "the base class",
    "MaxNumBoundingBoxes": "works on bounding boxes, which are training labels",
    "TFSMLayer": "a SavedModel in a layer, which safe mode does not load: convert the folder",
    "TorchModuleWrapper": "another framework inside; needs the torch backend",
    "Wrapper": "the base class of wrappers",
}

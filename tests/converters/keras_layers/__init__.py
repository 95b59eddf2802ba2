"""Every layer of Keras 3, in every format: the table of cases that the conformance test runs.

`python -m tests.converters.keras_layers` runs all of it, prints what becomes of each layer, and
writes docs/keras-layers.md.
"""

from __future__ import annotations

from keras import layers

from tests.converters.keras_layers.case import Case
from tests.converters.keras_layers.images import IMAGES
from tests.converters.keras_layers.plain import PLAIN
from tests.converters.keras_layers.recurrent import RECURRENT
from tests.converters.keras_layers.sequences import SEQUENCES

# Layers that the installed Keras does not have are left out: the table holds those of all
# releases that edgeship supports.
CASES: tuple[Case, ...] = tuple(
    case for case in (*PLAIN, *IMAGES, *RECURRENT, *SEQUENCES) if hasattr(layers, case.layer)
)

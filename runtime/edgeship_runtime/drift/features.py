"""What is watched for drift: a matrix with one column for each feature, from a model's inputs.

- An input of rank 2 with up to 256 columns gives one feature for each column, under its name in
  the contract, or as `input[i]`.
- An input of rank 1 gives one feature, under the input's name.
- Any other, such as an image, gives two for each row: `input.mean` and `input.contrast`, its
  standard deviation.
- String inputs are not watched yet.

Where two inputs have a feature of the same name, all features carry their input's: `input.name`.
Values are taken in the contract's dtype, as the model gets them, and compared as float64, so
integers beyond 2^53 are rounded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from edgeship_runtime.arrays import Array, Arrays
from edgeship_runtime.bundle.manifest import Contract, InputSpec
from edgeship_runtime.inputs import check_inputs

MAX_COLUMNS = 256
# Rows are taken in blocks of about this many values, so that memory does not grow with the batch
# and a block stays in a board's cache.
_BLOCK_VALUES = 1 << 15


def features(contract: Contract, inputs: object) -> tuple[tuple[str, ...], Array]:
    """The features of each row.

    Args:
        contract: what the inputs are.
        inputs: as for `Model.predict`, but NaN and infinities are welcome.

    Returns:
        The features' names, and a float64 matrix, rows x features. A tensor that holds NaN has
        NaN for its mean and contrast.

    Raises:
        InputError: where an input does not fit the contract.
    """
    names = feature_names(contract.inputs)
    blocks = list(feature_blocks(contract.inputs, inputs))
    return names, np.concatenate(blocks) if blocks else np.empty((0, len(names)))


def feature_names(specs: Sequence[InputSpec]) -> tuple[str, ...]:
    """The names of the features that inputs give, in the order of the matrix's columns."""
    named = [(spec.name, name) for spec in specs for name in _own_names(spec)]
    names = tuple(name for _, name in named)
    if len(set(names)) == len(names):
        return names
    return tuple(f"{given}.{name}" for given, name in named)


def feature_blocks(specs: Sequence[InputSpec], inputs: object) -> Iterator[Array]:
    """The matrix of `features`, a block of rows at a time; all inputs are checked first.

    Raises:
        InputError: where an input does not fit the contract.
    """
    checked = check_inputs(specs, inputs, finite=False)
    return _blocks([spec for spec in specs if spec.dtype != "string"], checked, _rows(checked))


def _blocks(specs: Sequence[InputSpec], checked: Arrays, rows: int) -> Iterator[Array]:
    values = sum(checked[spec.name].size for spec in specs)
    step = max(1, _BLOCK_VALUES * rows // values) if values else max(1, rows)
    for start in range(0, rows, step):
        stop = min(rows, start + step)
        columns = [_columns(spec, checked[spec.name][start:stop]) for spec in specs]
        if len(columns) == 1:
            yield columns[0]
        else:
            yield np.concatenate([np.empty((stop - start, 0)), *columns], axis=1)


def _columns(spec: InputSpec, array: Array) -> Array:
    # In C order, so that each row's sums run alike however the batch lies in memory.
    flat = np.ascontiguousarray(array.reshape(len(array), -1), np.float64)
    return flat if _by_column(spec) else _summaries(flat)


def _summaries(flat: Array) -> Array:
    with np.errstate(over="ignore", invalid="ignore"):
        size = np.float64(flat.shape[1])
        mean = flat.sum(axis=1) / size
        contrast = np.sqrt(((flat - mean[:, None]) ** 2).sum(axis=1) / size)
        # Machines differ in the order of a sum, and so in its last bits: those must not decide
        # a bin where many rows have the same value.
        return np.stack([mean, contrast], axis=1).astype(np.float32).astype(np.float64)


def _by_column(spec: InputSpec) -> bool:
    if len(spec.shape) == 1:
        return True
    columns = spec.shape[1]
    return len(spec.shape) == 2 and columns is not None and columns <= MAX_COLUMNS


def _own_names(spec: InputSpec) -> tuple[str, ...]:
    if spec.dtype == "string":
        return ()
    if len(spec.shape) == 1:
        return (spec.name,)
    if not _by_column(spec):
        return (f"{spec.name}.mean", f"{spec.name}.contrast")
    columns = spec.shape[1] or 0
    if len(set(spec.feature_names)) == len(spec.feature_names) == columns:
        return spec.feature_names
    return tuple(f"{spec.name}[{i}]" for i in range(columns))


def _rows(checked: Arrays) -> int:
    return len(next(iter(checked.values())))

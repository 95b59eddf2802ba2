"""`baseline.json`: the reference distribution of each watched feature, fixed at conversion."""

from __future__ import annotations

import hashlib
import math
from itertools import pairwise
from typing import Annotated

import msgspec

from edgeship_runtime.bundle import Bundle, Contract, InputSpec
from edgeship_runtime.drift.bins import MAX_BINS, OUTER_BINS, Bins, quantile_edges
from edgeship_runtime.drift.features import feature_names, features
from edgeship_runtime.errors import BundleError, DataError, SketchError

FORMAT_VERSION = 1
BINS = 10

_Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class FeatureBaseline(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The bins of one feature, and how many training rows fell into each.

    What the bins are, and which side of an edge belongs to which, is said in `drift.bins`.
    Making one that contradicts itself raises ValueError.

    Attributes:
        name: see `drift.features`.
        lowest: the smallest finite value; 0 where there was none.
        edges: upper ends of the inner bins, strictly increasing; the last is the largest finite
            value. One edge, equal to `lowest`, for a constant; none without any finite value.
        counts: below, each inner bin, above, missing.
    """

    name: str
    lowest: float
    edges: Annotated[tuple[float, ...], msgspec.Meta(max_length=MAX_BINS)]
    counts: tuple[_Count, ...]

    def __post_init__(self) -> None:
        if not all(math.isfinite(edge) for edge in (self.lowest, *self.edges)):
            raise ValueError(f"feature {self.name!r} has an edge that is not finite")
        if not all(low < high for low, high in pairwise(self.edges)):
            raise ValueError(f"feature {self.name!r} has edges that do not increase")
        if self.edges and self.lowest > self.edges[0]:
            raise ValueError(f"feature {self.name!r} has its lowest value above its first edge")
        bins = len(self.edges) + OUTER_BINS
        if len(self.counts) != bins:
            raise ValueError(f"feature {self.name!r} has {len(self.counts)} counts for {bins} bins")
        if min(self.counts) < 0:
            raise ValueError(f"feature {self.name!r} has a negative count")


class Baseline(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All of `baseline.json`.

    Making one that contradicts itself raises ValueError.

    Attributes:
        format_version: of the file, and of the rules by which values are binned.
        inputs: the contract's inputs that the features are taken from.
        rows: how many training rows were counted.
        features: in the order of the inputs and their columns.
    """

    format_version: int = FORMAT_VERSION
    inputs: tuple[InputSpec, ...]
    rows: Annotated[int, msgspec.Meta(ge=1, le=2**53)]
    features: tuple[FeatureBaseline, ...]

    def __post_init__(self) -> None:
        if self.format_version != FORMAT_VERSION:
            raise ValueError(f"its format version is {self.format_version}, not {FORMAT_VERSION}")
        if self.rows < 1:
            raise ValueError(f"it counts {self.rows} rows, expected at least one")
        if not self.inputs or not all(spec.shape for spec in self.inputs):
            raise ValueError("it has no inputs, or one without a shape")
        names = tuple(feature.name for feature in self.features)
        if names != feature_names(self.inputs):
            raise ValueError("its features are not those that its inputs give")
        if len(set(names)) != len(names):
            raise ValueError("two of its features share a name")
        for feature in self.features:
            if sum(feature.counts) != self.rows:
                raise ValueError(
                    f"feature {feature.name!r} counts {sum(feature.counts)} of {self.rows} rows"
                )

    @property
    def edge_hash(self) -> str:
        """SHA-256 of the format version, the features' names and their edges, not of the counts.

        Sketches may be merged, and judged, where this is the same.
        """
        bins = [(feature.name, feature.lowest, feature.edges) for feature in self.features]
        return hashlib.sha256(msgspec.json.encode((self.format_version, bins))).hexdigest()

    @property
    def bins(self) -> Bins:
        """The features' bins, ready for counting."""
        return Bins(
            [feature.lowest for feature in self.features],
            [feature.edges for feature in self.features],
        )


def make_baseline(contract: Contract, inputs: object, bins: int = BINS) -> Baseline:
    """Fix the bins of every feature by quantiles of the training data, and count it.

    Args:
        contract: what the inputs are.
        inputs: training rows, as for `Model.predict`, but NaN and infinities are welcome.
        bins: how many inner bins a feature has at most; ties make it fewer.

    Raises:
        InputError: where an input does not fit the contract.
        DataError: where there is no row.
        ValueError: for a number of bins outside 2 to 1024.
    """
    if not 2 <= bins <= MAX_BINS:
        raise ValueError(f"bins is from 2 to {MAX_BINS}, got {bins}")
    names, matrix = features(contract, inputs)
    if not len(matrix):
        raise DataError("a drift baseline needs at least one row of data, got none")
    cut = [quantile_edges(column, bins) for column in matrix.T]
    counter = Bins([lowest for lowest, _ in cut], [edges for _, edges in cut])
    counts = counter.split(counter.count(matrix))
    return Baseline(
        inputs=contract.inputs,
        rows=len(matrix),
        features=tuple(
            FeatureBaseline(name=name, lowest=lowest, edges=edges, counts=tuple(own.tolist()))
            for name, (lowest, edges), own in zip(names, cut, counts, strict=True)
        ),
    )


class _Versioned(msgspec.Struct):
    format_version: int


def encode(baseline: Baseline) -> bytes:
    """The baseline's canonical bytes: the same facts give the same bytes."""
    return msgspec.json.format(msgspec.json.encode(baseline), indent=1) + b"\n"


def decode(data: bytes) -> Baseline:
    """Read and check a baseline.

    Raises:
        BundleError: for anything but a complete, consistent baseline of this format version.
    """
    try:
        version = msgspec.json.decode(data, type=_Versioned).format_version
        if version != FORMAT_VERSION:
            raise BundleError(
                f"the baseline's format version is {version}, this edgeship reads "
                f"{FORMAT_VERSION}: convert the model again, or install the edgeship that made it"
            )
        return msgspec.json.decode(data, type=Baseline)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        # The message may quote the file: line breaks and control characters must not get out.
        said = str(error).encode("unicode_escape").decode("ascii")
        raise BundleError(
            f"the bundle's drift baseline is not valid: {said}: convert the model again"
        ) from error


def load_baseline(bundle: Bundle) -> Baseline:
    """The baseline that a bundle holds.

    Raises:
        SketchError: where it holds none.
        BundleError: where it is not valid, or belongs to another contract.
    """
    path = bundle.manifest.baseline
    if path is None:
        raise SketchError(
            f"the bundle of {bundle.manifest.name!r} holds no drift baseline: "
            "convert the model again with --data"
        )
    baseline = decode(bundle.read(path))
    if baseline.inputs != bundle.manifest.inputs:
        raise BundleError(
            "the bundle's drift baseline was made for other inputs than its model takes: "
            "convert the model again"
        )
    return baseline

"""Models trained in mixed precision, computed in the precision of their variables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

_HALF = ("float16", "bfloat16")


@contextmanager
def full_precision(
    model: Any,
    layers: Sequence[Any],
    set_policy: Callable[[Any, Any], None],
    full: Callable[[str], Any],
) -> Iterator[None]:
    """Let layers with a policy such as `mixed_float16` compute in their variables' dtype.

    Mixed precision makes training fast on a GPU. The variables are float32 all along, and so are
    the float32 variants made of them; what a variant computes in is for the variant to say. The
    policies are as they were afterwards.

    Args:
        model: that the layers belong to.
        layers: all of it, nested ones too.
        set_policy: gives a layer a policy.
        full: the policy of a dtype's name.
    """
    mixed = [layer for layer in layers if is_mixed(layer)]
    if not mixed:
        yield
        return
    kept = [layer.dtype_policy for layer in mixed]
    for layer in mixed:
        set_policy(layer, full(layer.dtype_policy.variable_dtype))
    # Keras keeps the function that it compiled in the other precision.
    model.predict_function = None
    try:
        yield
    finally:
        for layer, policy in zip(mixed, kept, strict=True):
            set_policy(layer, policy)
        model.predict_function = None


def is_mixed(layer: Any) -> bool:
    """Whether a layer computes in half precision on variables of full precision."""
    policy = getattr(layer, "dtype_policy", None)
    return (
        getattr(policy, "compute_dtype", None) in _HALF
        and policy is not None
        and policy.variable_dtype not in _HALF
    )

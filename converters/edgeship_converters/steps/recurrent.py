"""Recurrent layers in a form that every runtime takes: steps side by side, or a plain loop.

Keras loops over TensorArrays, whose operators TFLite has only for a fixed batch, and ONNX only for
a fixed length. Short sequences are unrolled instead, which also lets each step be quantized; long
ones, and those of a free length, run in a loop that carries plain tensors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf
from keras import tree

# Conversion time grows with the steps: docs/decisions/0010-recurrent-layers.md.
UNROLL_LIMIT = 32

Rnn = Callable[..., tuple[Any, Any, Any]]
Step = Callable[[Any, Any], tuple[Any, Any]]


def portable_rnn(keras_rnn: Rnn) -> Rnn:
    """A stand-in for Keras's own loop over time, with the same arguments and results."""

    def rnn(  # noqa: PLR0913, PLR0917 - these are Keras's arguments
        step_function: Step,
        inputs: Any,
        initial_states: Any,
        go_backwards: bool = False,
        mask: Any = None,
        constants: Any = None,
        unroll: bool = False,
        input_length: Any = None,
        time_major: bool = False,
        zero_output_for_mask: bool = False,
        return_all_outputs: bool = True,
    ) -> tuple[Any, Any, Any]:
        steps = tree.flatten(inputs)[0].shape[0 if time_major else 1]
        modest = steps is not None and 0 < steps <= UNROLL_LIMIT
        if unroll or modest or tree.is_nested(inputs) or time_major or constants:
            return keras_rnn(
                step_function,
                inputs,
                initial_states,
                go_backwards=go_backwards,
                mask=mask,
                constants=constants,
                unroll=unroll or modest,
                input_length=input_length,
                time_major=time_major,
                zero_output_for_mask=zero_output_for_mask,
                return_all_outputs=return_all_outputs,
            )
        order = _Order(inputs, mask, go_backwards)
        return _loop(
            step_function, order, tuple(initial_states), zero_output_for_mask, return_all_outputs
        )

    return rnn


class _Order:
    """The steps of a batch of sequences, and their masks, first to last or last to first."""

    def __init__(self, inputs: Any, mask: Any, backwards: bool) -> None:
        self._inputs = _swapped(inputs)
        self._mask = None if mask is None else tf.transpose(tf.cast(mask, tf.bool))
        self._backwards = backwards
        steps = inputs.shape[1]
        self.steps = tf.shape(inputs)[1] if steps is None else tf.constant(steps)

    def at(self, time: Any) -> tuple[Any, Any]:
        """Inputs [batch, …] and mask [batch], None without one, of a step."""
        index = self.steps - 1 - time if self._backwards else time
        mask = None if self._mask is None else tf.gather(self._mask, index)
        return tf.gather(self._inputs, index), mask


def _loop(
    step: Step, order: _Order, states: tuple[Any, ...], zero_masked: bool, keep_all: bool
) -> tuple[Any, Any, Any]:
    """A loop that carries the last output, the states, and all outputs if they are wanted."""
    first, _ = order.at(tf.constant(0))
    nothing = _zeros_like(step(first, states)[0], tf.shape(first)[0])

    def body(time: Any, last: Any, outputs: Any, states: Any) -> tuple[Any, Any, Any, Any]:
        inputs, mask = order.at(time)
        output, after = step(inputs, tuple(states))
        after = tuple(tree.flatten(after))
        if mask is not None:
            output = _where(mask, output, nothing if zero_masked else last)
            after = tuple(_where(mask, n, o) for n, o in zip(after, states, strict=True))
        outputs = tuple(tf.concat([grown, output[None]], axis=0) for grown in outputs)
        return time + 1, output, outputs, after

    # A row of zeros comes before the first output: TFLite does not carry tensors without rows.
    outputs = (nothing[None],) if keep_all else ()
    _, last, outputs, states = tf.while_loop(
        lambda time, *_: time < order.steps,
        body,
        (tf.constant(0), nothing, outputs, states),
        shape_invariants=(
            tf.TensorShape([]),
            nothing.shape,
            tuple(tf.TensorShape([None, *nothing.shape]) for _ in outputs),
            tuple(tf.TensorShape([None, *state.shape[1:]]) for state in states),
        ),
    )
    every = _swapped(outputs[0][1:]) if keep_all else last[:, None]
    return last, every, list(states)


def _zeros_like(output: Any, rows: Any) -> Any:
    sizes = output.shape.as_list()[1:]
    # The output itself is computed only where its sizes are not known before.
    return tf.zeros_like(output) if None in sizes else tf.zeros([rows, *sizes], output.dtype)


def _where(mask: Any, yes: Any, no: Any) -> Any:
    return tf.where(tf.reshape(mask, [-1, *(1 for _ in yes.shape[1:])]), yes, no)


def _swapped(tensor: Any) -> Any:
    return tf.transpose(tensor, [1, 0, *range(2, len(tensor.shape))])

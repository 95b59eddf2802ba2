"""The model that onnxruntime's quantizer works on, with tables of what it looks for by name."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from onnx import ModelProto, NodeProto, TensorProto
from onnxruntime.quantization.onnx_model import ONNXModel


class IndexedModel(ONNXModel):  # type: ignore[misc]
    """The same outcome as onnxruntime's own, which looks through all nodes for each tensor.

    That is the square of a model's size: most of the time for an RNN that is unrolled. What is
    appended past these methods is found too; that something was removed is told by the number.
    """

    def __init__(self, model: ModelProto) -> None:
        super().__init__(model)
        self._constants: dict[str, TensorProto] = {}
        self._constants_seen = 0
        # The nodes that take a tensor, or took it once.
        self._takers: defaultdict[str, list[NodeProto]] = defaultdict(list)
        self._nodes_seen = 0

    def get_initializer(self, name: str) -> TensorProto | None:
        """The constant of this name, if there is one."""
        constants = self.model.graph.initializer
        if len(constants) < self._constants_seen:
            self._constants.clear()
            self._constants_seen = 0
        for tensor in constants[self._constants_seen :]:
            self._constants.setdefault(tensor.name, tensor)
        self._constants_seen = len(constants)
        return self._constants.get(name)

    def add_initializer(self, tensor: TensorProto) -> None:
        """Append a constant, unless there is one of its name."""
        if self.get_initializer(tensor.name) is None:
            self.model.graph.initializer.append(self._check_init(tensor))

    def replace_input_of_all_nodes(self, old_input_name: str, new_input_name: str) -> None:
        """Let all nodes that take one tensor take another."""
        nodes = self.model.graph.node
        if len(nodes) < self._nodes_seen:
            self._forget_nodes()
        for node in nodes[self._nodes_seen :]:
            for name in node.input:
                self._takers[name].append(node)
        self._nodes_seen = len(nodes)
        takers = self._takers.pop(old_input_name, [])
        for node in takers:
            self.replace_node_input(node, old_input_name, new_input_name)
        self._takers[new_input_name] += takers

    def replace_input_of_nodes(
        self, old_input_name: str, new_input_name: str, node_names_set: Any
    ) -> None:
        """Let the nodes of these names that take one tensor take another."""
        super().replace_input_of_nodes(old_input_name, new_input_name, node_names_set)
        self._forget_nodes()

    def _forget_nodes(self) -> None:
        self._takers.clear()
        self._nodes_seen = 0

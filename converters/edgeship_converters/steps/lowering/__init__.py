"""The lowering: ONNX models, classical ones above all, as TensorFlow graphs that TFLite can hold.

`operators` is the table from ONNX operator to function; the functions stand in files by topic.
Each takes the operator and its inputs, tensors or constant arrays, and gives its outputs.
"""

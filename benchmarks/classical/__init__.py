"""How fast and how small the ONNX forms of classical models are, beside the source and skl2onnx.

`python benchmarks/classical/run.py --out DIR` measures; docs/classical-benchmarks.md is the
outcome. These are scripts beside the packages: no wheel holds them.
"""

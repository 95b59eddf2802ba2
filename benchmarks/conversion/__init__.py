"""How small, how near and how fast conversion is, on models of the kinds that boards run.

`python benchmarks/conversion/run.py --out DIR` measures; docs/conversion-benchmarks.md is the
outcome. These are scripts beside the packages: no wheel holds them.
"""

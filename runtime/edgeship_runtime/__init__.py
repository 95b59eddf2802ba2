"""What runs on the board: bundles, engines, predictions, drift sketches and the daemon.

Importing this package imports nothing else; `edgeship.load` is the usual way in.
"""

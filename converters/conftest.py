"""What doctest looks at: not the file about tf-keras where that is not installed."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("tf_keras") else ["edgeship_converters/sources/legacy_keras.py"]

"""edgeship."""

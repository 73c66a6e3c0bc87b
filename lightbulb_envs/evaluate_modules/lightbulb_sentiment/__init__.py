"""One module of `evaluate`."""

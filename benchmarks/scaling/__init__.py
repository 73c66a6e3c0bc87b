"""How costs grow with what is asked: `python -m benchmarks.scaling`."""

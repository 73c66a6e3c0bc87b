"""Whether every part of the language expert does its job: `python -m benchmarks.backbones`."""

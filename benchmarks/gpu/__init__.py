"""What the language expert costs on a GPU: `python -m benchmarks.gpu`."""

"""What environments and training take of memory: `python -m benchmarks.memory`."""

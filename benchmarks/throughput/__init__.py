"""How fast this is beside its peers: `python -m benchmarks.throughput`."""

"""What agents learn with each backbone: `python -m benchmarks.agent_backbones`."""

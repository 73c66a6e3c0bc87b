"""Engines: environments written once, as a batch of N episodes over arrays."""

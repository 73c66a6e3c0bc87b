"""Thin adapters from engines to the interfaces that other people's code expects."""

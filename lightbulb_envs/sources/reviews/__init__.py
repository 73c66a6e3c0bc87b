"""Simulated reviews, whose label is the exact value of a polarity programme."""

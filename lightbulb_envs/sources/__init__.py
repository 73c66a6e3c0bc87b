"""Where documents come from: the simulated newsroom, and real text."""

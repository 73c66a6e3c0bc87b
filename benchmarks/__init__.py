"""What the figures in this repository come from: each module here writes a file of results."""

"""What a training leaves in its folder and goes on from, whatever it is that learns."""

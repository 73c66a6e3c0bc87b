"""What language models learn of real text."""

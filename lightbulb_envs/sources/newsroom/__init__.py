"""The simulated newsroom: a world of facts, and the articles and summaries told from it."""

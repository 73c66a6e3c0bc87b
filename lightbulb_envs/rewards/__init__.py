"""Rewards: pure functions of a document and a draft, each with an incremental twin."""

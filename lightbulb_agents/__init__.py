"""Agents: networks over backbones, the algorithms that train them, and the commands to do so."""

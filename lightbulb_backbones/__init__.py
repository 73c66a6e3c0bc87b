"""Backbones: networks that turn tokens into states, each a Hugging Face model."""

from lightbulb_backbones.table import BACKBONES, BackboneConfig, make_backbone

__all__ = ["BACKBONES", "BackboneConfig", "make_backbone"]

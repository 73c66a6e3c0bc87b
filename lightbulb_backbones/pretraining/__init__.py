"""Learning to predict what comes next in text: `python -m lightbulb_backbones.pretrain`."""

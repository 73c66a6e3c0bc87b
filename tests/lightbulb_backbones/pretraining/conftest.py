"""A small text, and the smallest language expert there is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lightbulb_backbones.pretraining.config import Optimisation, PretrainConfig, TextConfig

SMALLEST = (
    "hidden_size=16",
    "num_attention_heads=2",
    "intermediate_size=16",
    "rag_layers=1",
    "dpo_layers=1",
    "mamba_layers=1",
    "switch_experts=2",
    "switch_intermediate_size=16",
    "retriever_size=8",
    "retriever_heads=2",
    "prefix=4",
)


@pytest.fixture
def text_file(tmp_path: Path) -> Path:
    """A file of a few thousand characters."""
    path = tmp_path / "text.txt"
    path.write_text("".join(f"The bridge of town {n} cost {n * 7} million. " for n in range(120)))
    return path


@pytest.fixture
def make_config(text_file: Path, tmp_path: Path) -> Callable[..., PretrainConfig]:
    """Returns configs of runs that take seconds."""

    def make(name: str = "run", **keywords: Any) -> PretrainConfig:
        text = keywords.pop("text", {})
        chosen = keywords.pop("optimisation", {})
        return PretrainConfig(
            text=TextConfig(
                **{"data": (str(text_file),), "tokenizer": "characters", "length": 24} | text
            ),
            optimisation=Optimisation(**{"warmup": 2} | chosen),
            **{
                "settings": (*SMALLEST, *keywords.pop("settings", ())),
                "steps": 6,
                "batch": 4,
                "measure_every": 3,
                "save_every": 2,
                "run_folder": tmp_path / name,
            }
            | keywords,
        )

    return make

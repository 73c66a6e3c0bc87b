"""What an agent may look up while it reads: the sentences of documents that it trains on.

They are of the split `train` alone, and of articles, so neither a reference nor a document that an
agent is measured on stands among them. Their vectors stay those that they begin with.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from lightbulb_agents.network import ArticleNetwork
from lightbulb_backbones.language_model import LanguageExpertModel
from lightbulb_backbones.pretrained import PretrainedBackbone
from lightbulb_envs.engines.engine import Engine

_AT_ONCE = 256
"""Documents that are read at a time."""


def give_background(network: ArticleNetwork, engine: Engine, documents: int) -> None:
    """Lets the language expert of a network look sentences of training documents up.

    Args:
        engine: of the split train.
        documents: the first so many are read.

    Raises:
        ValueError: the network has no expert that looks anything up, or there are fewer documents.
    """
    backbone: Any = getattr(network.encoder, "backbone", None)
    is_pretrained = isinstance(backbone, PretrainedBackbone)
    model: Any = backbone.model if is_pretrained else backbone
    if not isinstance(model, LanguageExpertModel) or model.retriever is None:
        raise ValueError(
            "--passages are looked up by a language expert that has the expert 'rag', and this "
            "backbone is none: leave them out, or take --backbone language:SIZE"
        )
    if is_pretrained and backbone.shift:
        raise ValueError(
            "--passages are padded with token 0, which this model's tokenizer has for text: leave "
            "them out, or take a model whose token 0 is padding"
        )
    if model.index is not None:
        raise ValueError(
            f"the model comes with {len(model.index):,} passages of its own: leave --passages out, "
            "or set its index to None and save it again"
        )
    model.index = model.retriever.index(sentences(engine, documents))
    model.describe_index()


def sentences(engine: Engine, documents: int) -> Tensor:
    """Returns the different sentences of an engine's first documents, as tokens (P, T)."""
    source: Any = engine.source
    known = source.num_documents
    if known is not None and documents > known:
        raise ValueError(
            f"--passages {documents}, and there are {known} training documents: name no more"
        )
    found = []
    for start in range(0, documents, _AT_ONCE):
        instances = np.arange(start, min(start + _AT_ONCE, documents))
        tokens = torch.from_numpy(source.batch(instances).tokens.astype(np.int64)).flatten(0, 1)
        found.append(tokens[(tokens != 0).any(dim=1)])
    different: Tensor = torch.cat(found).unique(dim=0)
    return different

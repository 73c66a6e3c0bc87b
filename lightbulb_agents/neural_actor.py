"""A trained network as an `Actor`: what evaluation, reports and other people's code act with."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lightbulb_agents.articles import Articles, read_drafts
from lightbulb_agents.network import ArticleNetwork
from lightbulb_agents.writing import read_article
from lightbulb_envs.engines.engine import Observation


class NeuralActor:
    """Acts greedily (or, with `samples=True`, by the network's probabilities).

    Articles are encoded once an episode: a row whose tokens are those of the call before is not
    encoded again.
    """

    def __init__(self, network: ArticleNetwork, *, samples: bool = False):
        self.network = network
        self._samples = samples
        self.reset()

    def reset(self, seed: int | None = None) -> None:
        self._generator = torch.Generator()
        if seed is None:
            self._generator.seed()
        else:
            self._generator.manual_seed(seed)
        self._tokens: NDArray[np.int32] | None = None
        self._articles: Articles | None = None

    def act(self, observation: Observation, info: dict[str, Any]) -> NDArray[np.int64]:
        learns = self.network.training
        self.network.eval()
        with torch.inference_mode():
            articles, rows = self._encoded(read_article(observation, self.network.layout))
            drafts = read_drafts(observation, rows, self.network.layout)
            logits, _ = self.network.decide(articles, drafts)
            choice = self.network.choice(logits)
            chosen = choice.draw(self._generator) if self._samples else choice.best()
        self.network.train(learns)
        actions: NDArray[np.int64] = chosen.numpy()
        return actions

    def _encoded(self, tokens: NDArray[np.int32]) -> tuple[Articles, NDArray[np.int64]]:
        """Returns encoded articles and which of them each row is about."""
        rows = self._known_rows(tokens)
        if rows is None or self._articles is None:
            self._tokens = tokens.copy()
            self._articles = self.network.encode(torch.from_numpy(tokens).long())
            rows = np.arange(len(tokens))
        return self._articles, rows

    def _known_rows(self, tokens: NDArray[np.int32]) -> NDArray[np.int64] | None:
        """Returns where the rows were encoded before: episodes end, so rows may be fewer now."""
        before = self._tokens
        if before is None or len(tokens) > len(before):
            return None
        if len(tokens) == len(before):
            return np.arange(len(tokens)) if np.array_equal(tokens, before) else None
        known = {row.tobytes(): number for number, row in enumerate(before)}
        rows = [known.get(row.tobytes(), -1) for row in tokens]
        return None if -1 in rows else np.array(rows, dtype=np.int64)

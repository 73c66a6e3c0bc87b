"""Canaries of writing word by word: drafts that say nothing, though the words may be right.

Some know the truth: what is worthless even then is worthless.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lightbulb_envs.actor import Actor
from lightbulb_envs.baselines.canaries import Canary
from lightbulb_envs.baselines.writing import Central, Writer
from lightbulb_envs.document import DocumentBatch
from lightbulb_envs.engines.summarise_tokens import TokensTask
from lightbulb_envs.engines.tokens_actions import FUNCTION_WORDS
from lightbulb_envs.engines.tokens_oracle import WordsToWrite

SOUP_WORDS = 24
"""Words of a soup: as many as a reference of the newsroom has."""

Draft = Callable[[TokensTask, DocumentBatch, WordsToWrite], Sequence[int]]
"""Returns the actions that write about a document, which is a batch of its own."""


class Scribe(Writer):
    """Writes what a rule says."""

    def __init__(self, task: TokensTask, draft: Draft):
        super().__init__(task)
        self._draft = draft

    def write(self, batch: DocumentBatch, document: WordsToWrite) -> Sequence[int]:
        return self._draft(self.task, batch, document)


def nothing(task: TokensTask, batch: DocumentBatch, document: WordsToWrite) -> Sequence[int]:
    """Stops at once."""
    return ()


def copy_all(task: TokensTask, batch: DocumentBatch, document: WordsToWrite) -> Sequence[int]:
    """Copies the article from its start, as far as the budget goes."""
    return [word for line in document.sentences for word in line]


def copy_end(task: TokensTask, batch: DocumentBatch, document: WordsToWrite) -> Sequence[int]:
    """Copies the end of the article, as much as the budget allows."""
    return copy_all(task, batch, document)[-task.budget :]


def one_word(task: TokensTask, batch: DocumentBatch, document: WordsToWrite) -> Sequence[int]:
    """Writes the article's most frequent word again and again."""
    return _by_frequency(document)[:1] * task.budget


def distinct_words(task: TokensTask, batch: DocumentBatch, document: WordsToWrite) -> Sequence[int]:
    """Writes the article's words once each, in the order of their first use."""
    return list(dict.fromkeys(copy_all(task, batch, document)))


def word_soup(task: TokensTask, batch: DocumentBatch, document: WordsToWrite) -> Sequence[int]:
    """Writes the article's most frequent words, in the order of their first use."""
    return sorted(_by_frequency(document)[:SOUP_WORDS])  # actions are in that order


def keyword_soup(task: TokensTask, batch: DocumentBatch, document: WordsToWrite) -> Sequence[int]:
    """Writes the article's most frequent words that are no function words, in that order."""
    words = task.table.actions(batch).words[0].tolist()
    ranked = _by_frequency(document)
    content = [one for one in ranked if task.table.text(words[one]) not in FUNCTION_WORDS]
    return sorted(content[:SOUP_WORDS])


def shuffled(task: TokensTask, batch: DocumentBatch, document: WordsToWrite) -> Sequence[int]:
    """Writes the words of the most central sentences in no order."""
    words = Central(task).write(batch, document)
    order = np.random.default_rng(int(batch.instance[0])).permutation(len(words))
    return [words[place] for place in order.tolist()]


def other_reference(
    task: TokensTask, batch: DocumentBatch, document: WordsToWrite
) -> Sequence[int]:
    """Writes the reference of another document, as far as this one has its words."""
    other = task.source.batch(batch.instance ^ 1).reference_words[0]
    actions = task.table.actions(batch)
    legal = np.flatnonzero(actions.mask[0, :-1]).tolist()
    action_of = {int(actions.words[0, action]): action for action in legal}
    return [action_of[word] for word in other.ravel().tolist() if word in action_of]


def reference_bag(task: TokensTask, batch: DocumentBatch, document: WordsToWrite) -> Sequence[int]:
    """Writes the words of the reference in the order of the article's first use of them."""
    return sorted(document.reference)


def _by_frequency(document: WordsToWrite) -> list[int]:
    """Returns the article's words, the most frequent first, of equals the first used."""
    count = Counter(word for line in document.sentences for word in line)
    return sorted(count, key=lambda word: (-count[word], word))


def _scribe(draft: Draft) -> Callable[[Any], Actor]:
    return lambda engine: Scribe(engine.task, draft)


CANARIES: dict[str, Canary] = {
    "write nothing": Canary(_scribe(nothing)),
    "copy all": Canary(_scribe(copy_all)),
    "copy the end": Canary(_scribe(copy_end)),
    "one word": Canary(_scribe(one_word)),
    "distinct words": Canary(_scribe(distinct_words)),
    "written keyword_soup": Canary(_scribe(keyword_soup)),
    "written word_soup": Canary(_scribe(word_soup)),
    "shuffled sentences": Canary(_scribe(shuffled)),
    "written other_reference": Canary(_scribe(other_reference)),
    "bag of the reference": Canary(_scribe(reference_bag)),
}
"""The canaries of writing by name."""

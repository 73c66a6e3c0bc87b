"""Opens the simulated reviews that a config describes."""

from typing import Any, cast

from lightbulb_envs.sources.labelled import LabelledConfig, LabelledSource
from lightbulb_envs.sources.retokenised import RetokenisedSource
from lightbulb_envs.sources.reviews.source import MAX_TOKENS, ReviewSource
from lightbulb_envs.sources.source import Places
from lightbulb_envs.subwords import SubwordVocabulary


class _Retokenised(RetokenisedSource):
    """Reviews told in the vocabulary of a tokenizer."""

    def __init__(
        self, reviews: ReviewSource, vocabulary: SubwordVocabulary, max_tokens: int | None
    ):
        super().__init__(cast("Any", reviews), vocabulary, max_tokens)
        self.labels = reviews.labels
        self.rules = reviews


def open_reviews(config: LabelledConfig, places: Places) -> LabelledSource:
    """Opens reviews, told in their own vocabulary or in that of a tokenizer."""
    if any(places.own):
        raise ValueError(f"reviews take nothing after their name, got {places.own[0]!r}")
    for name, given in (
        ("fields", config.fields),
        ("on_error", config.on_error != "raise"),
        ("chunk_words", config.chunk_words is not None),
        ("max_sentences", config.max_sentences is not None),
    ):
        if given:
            raise ValueError(f"{name}= is for files, and simulated reviews are none: leave it out")
    reviews = ReviewSource(config.level, config.split or "train")
    if config.labels and tuple(config.labels) != reviews.labels:
        raise ValueError(
            f"simulated reviews have the labels {', '.join(reviews.labels)}, got labels="
            f"{list(config.labels)}: leave it out"
        )
    if config.tokenizer is not None:
        vocabulary = SubwordVocabulary.load(config.tokenizer)
        return cast("LabelledSource", _Retokenised(reviews, vocabulary, config.max_tokens))
    if config.max_tokens not in (None, MAX_TOKENS):
        raise ValueError(
            f"chunks in the reviews' own vocabulary have {MAX_TOKENS} tokens, got "
            f"max_tokens={config.max_tokens}: leave it out, or give a tokenizer"
        )
    return reviews

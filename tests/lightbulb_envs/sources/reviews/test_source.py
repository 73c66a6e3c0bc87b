"""A review's label is what its words are worth, read by rules that are written here anew."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightbulb_envs.sources.reviews.levels import LEVELS, review_level
from lightbulb_envs.sources.reviews.lexicon import OOD_OPINIONS, OPINIONS, SUBJECTS
from lightbulb_envs.sources.reviews.source import ReviewSource
from lightbulb_envs.splits import HELDOUT_SALT_VARIABLE

levels = st.integers(0, len(LEVELS) - 1)
splits = st.sampled_from(["train", "validation", "test", "ood"])
WORTH = {
    word: worth
    for table in (OPINIONS, OOD_OPINIONS)
    for worth, words in table.items()
    for word in words.split()
}
NOT = "not|hardly|by no means|never|in no way"
VERY = "very|really|truly|thoroughly"
RATHER = "rather|somewhat|fairly|mildly"
TURN = re.compile(
    "(that said|all the same|then again|even so|all things considered|be that as it may|"
    "but in the end),? ",
    re.IGNORECASE,
)
SAID_BY = re.compile(r" (called|found|judged) |said", re.IGNORECASE)


def worth_of(chunk):
    """Returns what a chunk is worth by the rules of the game, None where it has no opinion."""
    text = chunk.lower()
    if re.search(r"\bfar (worse|better)\b", text):
        return 3 if "better" in text else -3
    if re.search(r"\b(worse|better)\b", text):
        return 2 if "better" in text else -2
    found = [word for word in re.findall(r"[a-z]+", text) if word in WORTH]
    if not found:
        return None
    (word,) = found
    worth = WORTH[word]
    sign = 1 if worth > 0 else -1
    if re.search(rf"\banything but {word}", text):
        return -worth
    if re.search(rf"\bnot even {word}", text):
        return -3
    if re.search(rf"\b({NOT}) {word}", text):
        return {3: -1, 2: -2, -3: 1}[worth]
    if re.search(rf"\b({VERY}) {word}", text):
        return 3 * sign
    if re.search(rf"\b({RATHER}) {word}", text):
        return sign
    if re.search(rf"{word}, [a-z]", text):
        return -worth
    return worth


def read(title, chunks):
    """Returns the label of a review from its text alone."""
    asked = re.search(r"how was (the [^?]+)\?", title)
    nouns = None
    if asked:
        (nouns,) = [
            aspect
            for subject in SUBJECTS
            if f" the {subject.noun} " in title
            for aspect in subject.aspects
            if aspect[0] == asked[1]
        ]
    state = 0
    for chunk in chunks:
        turn = TURN.match(chunk)
        said = chunk[turn.end() :] if turn else chunk
        worth = worth_of(said)
        is_own = not re.match(r"(I|we) ", said, re.IGNORECASE) and SAID_BY.search(said)
        is_asked = nouns is None or any(noun in said.lower() for noun in nouns)
        if worth is None or is_own or not is_asked:
            continue
        state = max(-8, min(8, (int(state / 2) if turn else state) + worth))
    assert state
    return "positive" if state > 0 else "negative"


@given(levels, splits, st.integers(0, 10**12))
def test_the_label_is_what_the_words_are_worth(level, split, instance):
    review = ReviewSource(level, split).document(instance)
    assert read(review.title, review.chunks) == review.label


@given(levels, splits, st.lists(st.integers(0, 10**9), min_size=2, max_size=6, unique=True))
def test_a_review_is_the_same_alone_and_in_a_block(level, split, instances):
    source = ReviewSource(level, split)
    block = source.batch(np.array(instances))
    for row, instance in enumerate(instances):
        alone = source.batch(np.array([instance]))
        assert np.array_equal(alone.tokens[0], block.tokens[row])
        assert (alone.label[0], alone.num_chunks[0]) == (block.label[row], block.num_chunks[row])


@pytest.mark.parametrize("split", ["train", "ood"])
@pytest.mark.parametrize("level", range(len(LEVELS)))
def test_labels_are_balanced_whatever_the_length(level, split):
    batch = ReviewSource(level, split).batch(np.arange(6000))
    for length in np.unique(batch.num_chunks):
        own = batch.label[batch.num_chunks == length]
        assert abs(own.mean() - 1 / 2) < 5 / 2 / np.sqrt(len(own))


@given(levels, splits)
def test_chunks_that_are_there_have_tokens_and_others_none(level, split):
    source = ReviewSource(level, split)
    batch = source.batch(np.arange(64))
    assert batch.tokens.shape == (64, source.max_sentences, source.max_tokens)
    has_tokens = (batch.tokens > 0).any(axis=2)
    lines = np.arange(source.max_sentences)
    assert np.array_equal(has_tokens, lines <= batch.num_chunks[:, None])
    low, high = source.level.chunks
    assert batch.num_chunks.min() >= low
    assert batch.num_chunks.max() <= high + (split == "ood")


def names(split, pattern):
    source = ReviewSource(2, split)
    titles = [source.document(instance).title for instance in range(150)]
    return {re.search(pattern, title).group(1) for title in titles}


def test_no_review_begins_with_a_turn():
    source = ReviewSource(2, "train")
    said = source.opinions(np.arange(400))
    turns = [number for number, one in enumerate(source.programme.operations) if one.is_turn]
    reviews = np.flatnonzero(np.isin(said.operation[:, 0], turns))
    assert len(reviews) > 20
    for number in reviews.tolist():
        assert not TURN.match(source.document(number).chunks[0])


def test_splits_share_no_name():
    for pattern in (r"the [a-z ]+ ([A-Z][a-z]+)", r"^[A-Z][a-z]+ ([A-Z][a-z]+) on"):
        found = [names(split, pattern) for split in ("train", "validation", "test", "ood")]
        assert min(map(len, found)) > 20
        assert sum(map(len, found)) == len(set.union(*found))


def test_words_of_ood_are_unseen_in_training():
    unseen = {word for words in OOD_OPINIONS.values() for word in words.split()}
    told = {
        split: " ".join(ReviewSource(4, split).document(number).text for number in range(300))
        for split in ("train", "ood")
    }
    assert not {word for word in unseen if word in told["train"]}
    assert len({word for word in unseen if word in told["ood"]}) > len(unseen) / 2


def test_the_cue_agrees_in_training_and_disagrees_in_ood():
    for split, wanted in (("train", 0.9), ("test", 0.9), ("ood", 0.1)):
        source = ReviewSource(5, split)
        said = source.opinions(np.arange(6000))
        agrees = (said.signature == 1 + said.label).mean()
        assert abs(agrees - wanted) < 0.03
        phone = source.document(int(np.flatnonzero(said.signature == 2)[0])).title
        assert phone.endswith("(sent from a phone)")


def test_levels_add_what_their_names_say():
    told = [
        " ".join(ReviewSource(level, "train").document(number).text for number in range(200))
        for level in range(len(LEVELS))
    ]
    assert [" anything but " in text for text in told] == [False, *[True] * 5]
    assert ["That said, " in text for text in told] == [False, False, *[True] * 4]
    assert ["how was" in text for text in told] == [level in (3, 4) for level in range(6)]
    assert ["how lucky we were" in text for text in told] == [level == 4 for level in range(6)]
    assert ["brochure" in text for text in told] == [level == 4 for level in range(6)]
    assert ["sent from" in text for text in told] == [level == 5 for level in range(6)]


def test_what_there_is_not_is_refused(monkeypatch):
    with pytest.raises(ValueError, match="level must be one of 0 to 5, got 6"):
        review_level(6)
    with pytest.raises(ValueError, match="split must be one of"):
        ReviewSource(2, "dev")
    with pytest.raises(ValueError, match="numbered from 0, got -1"):
        ReviewSource(2, "train").document(-1)
    monkeypatch.delenv(HELDOUT_SALT_VARIABLE, raising=False)
    with pytest.raises(ValueError, match="needs its secret salt"):
        ReviewSource(2, "heldout")

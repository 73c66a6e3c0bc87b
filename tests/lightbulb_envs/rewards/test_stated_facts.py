"""What texts state: the newsroom's own to the fact, other texts next to nothing."""

import functools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightbulb_envs.rewards.stated_facts import Claim, StatedFacts, build_matcher
from lightbulb_envs.sources.newsroom.source import NewsroomSource
from lightbulb_envs.sources.newsroom.stylebook import stylebook
from lightbulb_envs.sources.signatures import (
    ANY_VALUE,
    NAME,
    NUMBER,
    SAID_NAME,
    SAID_NUMBER,
    Signatures,
)
from lightbulb_envs.words import split_words

DOCUMENTS = np.arange(40)
ALL = [(level, split) for level in range(6) for split in ("train", "validation", "test", "ood")]
FINE, BAN, FINAL, OTHER = range(4)


@functools.cache
def _newsroom():
    signatures = NewsroomSource(2, "train").signatures()
    return signatures, build_matcher(signatures)


class _Block:
    """Documents, their words as signatures see them, and who reads texts about each."""

    def __init__(self, level, split):
        source = NewsroomSource(level, split)
        self.batch = source.batch(DOCUMENTS)
        self.facts = source.worlds(DOCUMENTS).facts
        self._text = source.vocabulary.word_text
        self._signatures, matcher = _newsroom()
        found = source.propositions(DOCUMENTS)
        self.readers = [
            StatedFacts(matcher, zip(*own, strict=True))
            for own in zip(
                found.fact.tolist(), found.kind.tolist(), found.value.tolist(), strict=True
            )
        ]

    def said(self, words):
        return [
            self._signatures.say(self._text(word)) for word in words.ravel().tolist() if word >= 0
        ]

    def first_like_it(self, row, fact):
        """Returns the first fact of a document that is told in the same words, value included."""
        book, facts = stylebook(), self.facts

        def told(one):
            phrase, _ = book.grammar.phrases.take(facts.object_phrase[row, [one]])
            return book.kinds.rows[facts.kind[row, one]].main, phrase.tolist()

        there = np.flatnonzero(facts.exists[row]).tolist()
        return next(one for one in there if told(one) == told(fact))


@pytest.mark.parametrize(("level", "split"), ALL)
def test_every_sentence_states_what_it_claims_and_nothing_else(level, split):
    block = _Block(level, split)
    batch, twins, sentences = block.batch, 0, 0
    for row, reader in enumerate(block.readers):
        for sentence in range(batch.num_sentences[row]):
            told = reader.read(block.said(batch.words[row, sentence]))
            claims = [fact for fact in batch.claims[row, sentence].tolist() if fact >= 0]
            if told != tuple(Claim(fact, True) for fact in claims):
                twins += 1
                assert told == tuple(Claim(block.first_like_it(row, fact), True) for fact in claims)
            sentences += 1
    assert twins < 0.01 * sentences, "two stories seldom have a fact in common"


@pytest.mark.parametrize(("level", "split"), ALL)
def test_every_reference_states_the_key_facts_once_each(level, split):
    block = _Block(level, split)
    for row, reader in enumerate(block.readers):
        told = reader.read(block.said(block.batch.reference_words[row]))
        assert all(claim.is_right for claim in told)
        key = np.flatnonzero(block.batch.fact_is_key[row]).tolist()
        assert sorted(claim.fact for claim in told) == key


def test_a_bag_of_the_articles_words_states_next_to_nothing():
    block, generator = _Block(2, "validation"), np.random.default_rng(0)
    found = 0
    for row, reader in enumerate(block.readers):
        words = block.said(block.batch.words[row])
        for _ in range(5):
            soup = [words[one] for one in generator.permutation(len(words))[:40]]
            found += len(reader.read(soup))
    assert found <= 0.02 * 5 * len(DOCUMENTS)


def test_another_documents_sentences_state_next_to_nothing_right():
    block, found, sentences = _Block(2, "validation"), 0, 0
    for row, reader in enumerate(block.readers):
        other = (row + 1) % len(DOCUMENTS)
        for sentence in range(block.batch.num_sentences[other]):
            claims = reader.read(block.said(block.batch.words[other, sentence]))
            found += sum(claim.is_right for claim in claims)
            sentences += 1
    assert found <= 0.01 * sentences


def _small():
    """Returns a reader of four kinds of facts, worked out by hand."""
    signatures = Signatures(names=["oakdale", "newport"], first_names=["anna"])
    signatures.add(["a", "fine", "of", NUMBER], (FINE, SAID_NUMBER))
    signatures.add(["banned", "for", NUMBER, "months"], (BAN, SAID_NUMBER))
    signatures.add(["for", NUMBER], (OTHER, SAID_NUMBER))
    signatures.add(["won", "the", "cup", "in", NAME], (FINAL, SAID_NAME))
    signatures.add(["won", "the", "cup"], (FINAL, signatures.value_of_phrase("cup")))
    signatures.add(["was", "suspended"], (BAN, ANY_VALUE))
    reader = StatedFacts(
        build_matcher(signatures),
        [
            (0, FINAL, signatures.value_of_name("oakdale")),
            (0, FINAL, signatures.value_of_phrase("cup")),
            (1, FINE, 12),
            (2, FINE, 12_000),
            (3, BAN, 7),
            (4, BAN, 12_000),
        ],
    )

    def read(text):
        return [
            (claim.fact, claim.is_right)
            for claim in reader.read(signatures.say(word) for word in split_words(text))
        ]

    return read


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        ("A fine of $12 was set.", [(1, True)]),
        ("a fine of 12,000", [(2, True)]),
        ("a fine of $12,000, a fine of 12", [(2, True), (1, True)]),
        ("a fine of 12, 340 came", [(1, True)]),
        ("a fine of 13", [(1, False)]),
        ("She was banned for seven months", [(3, True)]),
        ("banned for 7 months", [(3, True)]),
        ("banned for 12,000 months", [(4, True)]),
        ("banned for 8 months", [(3, False)]),
        ("was suspended", [(3, True)]),
        ("won the cup in Oakdale", [(0, True)]),
        ("won the cup in Newport", [(0, False)]),
        ("won the cup", [(0, True)]),
        ("won the cup, won the cup", [(0, True), (0, True)]),
        ("won a cup in Oakdale", []),
        ("for 7", []),
        ("", []),
    ],
)
def test_numbers_names_and_longer_signatures_by_hand(text, claims):
    assert _small()(text) == claims


letters = st.lists(st.sampled_from("abc"), min_size=1, max_size=4)


@given(st.lists(letters, min_size=1, max_size=6), st.lists(st.sampled_from("abcd"), max_size=30))
def test_the_automaton_finds_the_longest_signature_that_ends_at_every_word(runs, text):
    signatures = Signatures()
    for kind, run in enumerate(runs):
        signatures.add(run, (kind, ANY_VALUE))
    matcher = build_matcher(signatures)
    node = 0
    for end, word in enumerate(text, 1):
        node = matcher.step(node, signatures.say(word).symbol)
        longest = max((len(run) for run in runs if text[:end][-len(run) :] == run), default=0)
        assert matcher.depth[matcher.ending[node]] == longest


def test_a_signature_may_not_be_told_in_a_name():
    with pytest.raises(ValueError, match="'oakdale', which is also a name"):
        Signatures(names=["oakdale"]).add(["in", "oakdale"], (0, ANY_VALUE))


def test_a_number_of_any_length_is_a_number():
    signatures = Signatures()
    said = signatures.say("9" * 500)
    assert (said.symbol, said.digits) == (NUMBER, 500)
    assert signatures.say("9" * 15) != signatures.say("9" * 14)

"""Planted text is read as `rouge-score` reads it, and changes nothing that was there before."""

import functools

import gymnasium
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

import lightbulb_envs
from lightbulb_envs.document import NO_FACT, PADDING_WORD
from lightbulb_envs.engines.summarise import SummariseConfig, SummariseTask
from lightbulb_envs.sources.newsroom.source import NewsroomSource
from lightbulb_envs.sources.planted import (
    KINDS,
    SOUP_WORDS,
    ZERO_WIDTH,
    PlantedSource,
    add_zero_width,
    content_words,
    count_words,
    encode_text,
    replace_letters,
)
from lightbulb_envs.sources.source import SourceConfig, open_source
from lightbulb_envs.subwords import SubwordVocabulary
from lightbulb_envs.words import split_words, stem

ID = "Lightbulb/NewsSummariser-v0"
SOUPS = ("keyword_soup", "word_soup")
DISGUISES = ("zero_width", "homoglyphs")
some_documents = {
    "kind": st.sampled_from(list(KINDS)),
    "level": st.integers(0, 5),
    "split": st.sampled_from(["train", "validation", "ood"]),
    "instance": st.integers(0, 10**6),
}


@functools.cache
def newsroom(level, split):
    return NewsroomSource(level, split)


@functools.cache
def planted(kind, level=2, split="validation"):
    return PlantedSource(newsroom(level, split), kind)


def read(source, words):
    """Returns the texts of rows of word numbers, without padding and rows of it alone."""
    rows = ([source.word_text(word) for word in row if word != PADDING_WORD] for row in words)
    return [row for row in rows if row]


@settings(max_examples=25)
@given(**some_documents)
def test_a_reward_sees_the_words_that_the_text_has(kind, level, split, instance):
    source = planted(kind, level, split)
    batch, document = source.batch(np.array([instance])), source.document(instance)
    assert batch.num_sentences.tolist() == [len(document.sentences)]
    count = len(document.sentences)
    told = [
        [source.word_text(word) for word in row if word != PADDING_WORD]
        for row in batch.words[0].tolist()
    ]
    assert told[:count] == [split_words(text) for text in document.sentences]
    assert not any(told[count:])
    reference = read(source, batch.reference_words[0].tolist())
    assert reference == [split_words(text) for text in document.reference]
    (some, *_) = told
    assert [source.stem_text(word) for word in batch.words[0, 0, : len(some)].tolist()] == [
        stem(word) for word in some
    ]


@settings(max_examples=25)
@given(**some_documents)
def test_planting_leaves_the_document_as_it_was(kind, level, split, instance):
    plain = newsroom(level, split).document(instance)
    source = planted(kind, level, split)
    document = source.document(instance)
    count = len(plain.sentences)
    assert document.sentences[:count] == plain.sentences
    assert document.reference == plain.reference
    assert document.facts == plain.facts
    assert document.claims[:count] == plain.claims
    assert set(document.claims[count:]) <= {()}
    assert source.planted(instance) == range(count, len(document.sentences))
    assert document.id == f"{plain.id}-{kind}"
    one = newsroom(level, split).batch(np.array([instance]))
    two = source.batch(np.array([instance]))
    for name in ("tokens", "claims"):
        before, after = getattr(one, name), getattr(two, name)
        assert np.array_equal(after[:, :count], before[:, :count])
    assert (two.claims[0, count:] == NO_FACT).all()
    assert np.array_equal(two.fact_weight, one.fact_weight)
    assert np.array_equal(two.fact_is_key, one.fact_is_key)
    assert two.tokens.shape[1] == source.max_sentences >= len(document.sentences)


@pytest.mark.parametrize("kind", KINDS)
def test_a_document_is_the_same_alone_and_in_a_block(kind):
    block = planted(kind).batch(np.arange(9))
    other = PlantedSource(newsroom(2, "validation"), kind)
    alone = other.batch(np.array([7]))
    assert np.array_equal(block.tokens[7], alone.tokens[0])
    ours, theirs = planted(kind), other
    assert read(ours, block.words[7].tolist()) == read(theirs, alone.words[0].tolist())


@pytest.mark.parametrize("kind", [*SOUPS, "other_reference"])
def test_planted_prose_is_observed_as_it_is_written(kind):
    source = planted(kind)
    for instance in range(20):
        batch, document = source.batch(np.array([instance])), source.document(instance)
        for sentence in source.planted(instance):
            told = source.vocabulary.decode(batch.tokens[0, sentence].tolist())
            assert told[:1].upper() + told[1:] == document.sentences[sentence]


@pytest.mark.parametrize("kind", DISGUISES)
def test_a_disguised_copy_is_observed_as_its_sentence(kind):
    source = planted(kind)
    for instance in range(20):
        batch, copies = source.batch(np.array([instance])), source.planted(instance)
        assert len(copies) == copies.start
        half = batch.tokens[0, : copies.stop].reshape(2, copies.start, -1)
        assert np.array_equal(half[0], half[1])


def test_a_tokenizer_is_told_the_tricks(tmp_path):
    texts = [text for i in range(4) for text in planted("zero_width").document(i).sentences]
    SubwordVocabulary.train(texts).save(tmp_path / "t.json")
    config = SourceConfig(
        source="planted:zero_width", split="validation", tokenizer=str(tmp_path / "t.json")
    )
    source = open_source(config)
    batch, document = source.batch(np.array([3])), source.document(3)
    copy = len(document.sentences) - 1
    told = source.vocabulary.decode(batch.tokens[0, copy].tolist())
    assert ZERO_WIDTH in told
    assert document.sentences[copy].startswith(told)


@given(st.text("Abc dE9,.’", max_size=30))
def test_a_zero_width_space_breaks_every_word_and_is_all_that_is_added(text):
    hidden = add_zero_width(text)
    assert hidden.replace(ZERO_WIDTH, "") == text
    words = split_words(text)
    assert len(split_words(hidden)) == len(words) + sum(len(word) > 1 for word in words)


def test_disguises_by_hand():
    assert split_words(add_zero_width("An old mayor, 450 fans")) == (
        "a n o ld ma yor 4 50 fa ns".split()
    )
    assert split_words(replace_letters("An old mayor, 450 fans")) == "n l m r f n".split()


@settings(max_examples=20)
@given(level=st.integers(0, 5), instance=st.integers(0, 10**6))
def test_no_word_of_a_reference_survives_in_look_alikes(level, instance):
    document = planted("homoglyphs", level).document(instance)
    copies = document.sentences[len(document.sentences) // 2 :]
    left = {word for text in copies for word in split_words(text)}
    assert not left & {word for text in document.reference for word in split_words(text)}


def test_soups_are_the_most_frequent_words_in_the_order_of_first_use():
    assert count_words(["The mayor of Bor won.", "Then the Mayor, a friend, won 3 to 1."]) == {
        "The": 2, "mayor": 2, "of": 1, "Bor": 1, "won": 2, "Then": 1, "a": 1, "friend": 1, "to": 1
    }  # fmt: skip
    assert list(content_words(["The mayor of Bor won.", "A friend won."])) == [
        "mayor", "Bor", "won", "friend"
    ]  # fmt: skip
    for kind in SOUPS:
        source = planted(kind)
        for instance in range(10):
            *article, soup = source.document(instance).sentences
            words = [word for text in article for word in split_words(text)]
            chosen = split_words(soup)
            assert len(chosen) == len(set(chosen)) <= SOUP_WORDS
            first = [words.index(word) for word in chosen]
            assert first == sorted(first)


def test_the_other_reference_is_that_of_the_neighbour():
    source = planted("other_reference")
    for instance, other in ((0, 1), (1, 0), (6, 7)):
        document = source.document(instance)
        there = source.planted(instance)
        assert (
            document.sentences[there.start :] == newsroom(2, "validation").document(other).reference
        )


@settings(max_examples=20)
@given(level=st.integers(0, 5), instance=st.integers(0, 10**6))
def test_text_of_the_newsroom_has_pieces_that_spell_it(level, instance):
    vocabulary = newsroom(level, "train").vocabulary
    document = newsroom(level, "train").document(instance)
    for text in (*document.sentences, *document.reference):
        told = vocabulary.decode(encode_text(vocabulary, text))
        assert told[:1].upper() + told[1:] == text


def test_text_that_the_newsroom_cannot_write_is_named():
    with pytest.raises(ValueError, match="cannot have written 'Xqzw'"):
        encode_text(newsroom(2, "train").vocabulary, "Xqzw")


@settings(max_examples=25)
@given(**some_documents, is_stemmed=st.booleans(), data=st.data())
def test_planted_drafts_score_what_rouge_score_measures(
    kind, level, split, instance, is_stemmed, data
):
    names = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
    suffix = "_stem" if is_stemmed else ""
    source = planted(kind, level, split)
    document, there = source.document(instance), source.planted(instance)
    draft = data.draw(st.lists(st.integers(0, there.stop - 1), max_size=4, unique=True))
    draft.append(data.draw(st.sampled_from(there).filter(lambda one: one not in draft)))
    truth = RougeScorer(names, use_stemmer=is_stemmed).score(
        document.reference_text, "\n".join(document.sentences[one] for one in draft)
    )
    task = SummariseTask(SummariseConfig(reward={name + suffix: 1.0 for name in names}))
    task.source = source
    potential = task.task(source.batch(np.array([instance])), 0).potential
    state = functools.reduce(potential.extend, draft, potential.start())
    assert potential.scores(state) == [truth[name].fmeasure for name in names]


@pytest.mark.parametrize("reward", ["facts_and_rouge", "rouge"])
@pytest.mark.parametrize("level", [1, 2, 4, 5])
def test_disguised_copies_earn_nothing(level, reward):
    for kind in DISGUISES:
        task = SummariseTask(SummariseConfig(reward=reward))
        task.source = planted(kind, level)
        batch = task.source.batch(np.arange(8))
        plain, copied, beside = [], [], []
        for row in range(8):
            potential = task.task(batch, row).potential
            start = potential.start()
            copies = task.source.planted(row)
            for sentence, copy in enumerate(copies):
                alone = potential.extend(start, sentence)
                plain.append(potential.value(alone))
                copied.append(potential.value(potential.extend(start, copy)))
                beside.append(potential.value(potential.extend(alone, copy)))
        if kind == "homoglyphs":
            assert set(copied) == {0.0}
            assert all(after <= before for before, after in zip(plain, beside, strict=True))
        else:
            # Half a word can be a word of the reference: "to|day", "a|n".
            assert max(copied) < 0.12
            assert np.mean(copied) < 0.35 * np.mean(plain)
            assert np.mean(beside) < np.mean(plain)


@pytest.mark.parametrize("kind", KINDS)
def test_anyone_can_replay_the_audit(kind):
    env = gymnasium.make(ID, source=f"planted:{kind}", split="validation")
    plain = gymnasium.make(ID, split="validation")
    observation, info = env.reset(seed=3)
    before, same = plain.reset(seed=3)
    assert info["instance"] == same["instance"]
    assert observation in env.observation_space
    assert observation["action_mask"].sum() > before["action_mask"].sum()
    assert env.observation_space["tokens"].shape[0] > plain.observation_space["tokens"].shape[0]
    vector = lightbulb_envs.make_engine(ID, 2, source=f"planted:{kind}", max_sentences=60)
    assert vector.observation_space["tokens"].shape[0] == 60


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"source": "planted"}, "one of keyword_soup, word_soup"),
        ({"source": "planted:spam"}, "got 'spam'"),
        ({"source": ["planted:word_soup", "planted:zero_width"]}, "planted text is one of"),
        ({"source": "planted:word_soup", "max_sentences": 22}, "up to 23 sentences, got"),
        ({"source": "planted:word_soup", "max_tokens": 9}, "leave it out, or give a tokenizer"),
        ({"source": "planted:word_soup", "fields": {"article": "x"}}, "fields= is for files"),
    ],
)
def test_a_wrong_setting_is_named(settings, message):
    with pytest.raises(ValueError, match=message):
        open_source(SourceConfig(**settings))


def test_a_negative_instance_is_refused():
    with pytest.raises(ValueError, match="numbered from 0"):
        planted("word_soup").document(-1)


def test_kinds_and_levels_have_digests_of_their_own():
    digests = {planted(kind).digest for kind in KINDS} | {newsroom(2, "validation").digest}
    assert len(digests) == len(KINDS) + 1

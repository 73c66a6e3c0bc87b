"""Real text with labels is read, cut into chunks and paid as simulated reviews are."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lightbulb_envs
from lightbulb_envs.baselines import make_baseline
from lightbulb_envs.checker import check_text_env
from lightbulb_envs.score import mean_returns
from lightbulb_envs.sources.rows import BadRowError, Labelled

READ, BANDIT = "Lightbulb/SentimentAnalysis-v0", "Lightbulb/SentimentAnalysis-Bandit-v0"
ROWS = [
    {"id": "a", "text": "We liked it. The food was good.", "label": "yes"},
    {"id": "b", "text": "It was cold. Nobody came. We left.", "label": "no"},
    {"id": "c", "text": "So it goes.", "label": "maybe"},
]


@pytest.fixture(autouse=True)
def _no_cache(monkeypatch):
    monkeypatch.setenv("LIGHTBULB_CACHE", "off")


@pytest.fixture
def write(tmp_path):
    """Writes rows as a file of JSON lines; returns it as a source."""

    def write_rows(rows, name="reviews.jsonl"):
        path = tmp_path / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return f"jsonl:{path}"

    return write_rows


def test_texts_are_read_sentence_by_sentence(write):
    engine = lightbulb_envs.make_engine(READ, 1, source=write(ROWS))
    assert engine.labels == ("maybe", "no", "yes")
    assert engine.num_instances == 3
    assert engine.action_space.n == 4
    review = engine.source.document(1)
    assert (review.id, review.title, review.label) == ("b", "", "no")
    assert review.chunks == ("It was cold.", "Nobody came.", "We left.")
    row = np.zeros(1, dtype=np.int64)
    engine.reset(row, np.array([1]))
    for read in range(3):
        seen = engine.observe(row)["tokens"][0]
        assert (seen.any(axis=1).nonzero()[0] == np.arange(1, read + 1)).all()
        assert engine.step(row, np.array([0])).reward[0] == -0.05
    step = engine.step(row, np.array([2]))
    assert (step.reward[0], step.terminated[0]) == (1.0, True)


def test_the_oracle_of_real_text_knows_the_label(write):
    engine = lightbulb_envs.make_engine(READ, 3, source=write(ROWS))
    returns = mean_returns(make_baseline("oracle", engine), engine, np.arange(3))
    assert returns.tolist() == [1.0, 1.0, 1.0]
    engine.reset(np.arange(3), np.arange(3))
    assert [engine.oracle_action(row) for row in range(3)] == [3, 2, 1]
    assert [engine.oracle_return(row) for row in range(3)] == [1.0] * 3
    assert {engine.oracle_method(row) for row in range(3)} == {"exact"}


@pytest.mark.parametrize("env_id", [READ, BANDIT])
def test_real_text_keeps_the_laws(write, env_id):
    words = {"positive": ("good", "superb", "lovely"), "negative": ("bad", "awful", "poor")}
    rows = [
        {"id": f"{label}-{word}", "text": f"The food was {word}. We left.", "label": label}
        for label, chosen in words.items()
        for word in chosen
    ]
    outcomes = check_text_env(env_id, source=write(rows))
    unchecked = {outcome.law for outcome in outcomes if not outcome.is_checked}
    assert unchecked == {"gains", "splits"}


def test_labels_may_be_numbers_and_are_in_their_order(write):
    rows = [{"text": "A film.", "label": number} for number in (10, 2, 1)]
    assert lightbulb_envs.make_engine(READ, 1, source=write(rows)).labels == ("1", "2", "10")


def test_labels_that_are_named_are_the_actions_in_that_order(write):
    source = write(ROWS[:2])
    engine = lightbulb_envs.make_engine(READ, 1, source=source, labels=["yes", "no", "other"])
    assert engine.labels == ("yes", "no", "other")
    assert engine.source.batch(np.arange(2)).label.tolist() == [0, 1]
    with pytest.raises(ValueError, match=r"line 3: the label must be one of yes, no, got 'maybe'"):
        lightbulb_envs.make_engine(READ, 1, source=write(ROWS), labels=["yes", "no"])


def test_fields_say_where_texts_and_labels_are(write):
    rows = [{"said": row["text"], "what": row["label"], "part": "dev"} for row in ROWS]
    fields = {"text": "said", "label": "what", "split": "part"}
    rows += [{**rows[0], "part": "train"}, {**rows[1], "part": "train"}]
    engine = lightbulb_envs.make_engine(READ, 1, source=write(rows), fields=fields)
    assert engine.num_instances == 2
    with pytest.raises(ValueError, match=r"fields maps 'summary': there are id, text, label"):
        lightbulb_envs.make_engine(READ, 1, source=write(rows), fields={"summary": "said"})


@given(st.lists(st.text("abc. ", min_size=1, max_size=8), min_size=1), st.integers(1, 5))
def test_chunks_of_words_hold_the_text_word_for_word(parts, size):
    text = " ".join(parts)
    form = Labelled(chunk_words=size)
    try:
        chunks = form.sentences(text)
    except BadRowError:
        assert not any(letter in text for letter in "abc")
        return
    assert " ".join(chunks).split() == text.split()
    assert all(len(chunk.split()) == size for chunk in chunks[:-1])
    assert 1 <= len(chunks[-1].split()) <= size


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"text": "A film."}, "line 3: no field 'label' for the label, only 'text'"),
        ({"text": "A film.", "label": 1.5}, "must be a string or an integer, got float"),
        ({"text": "A film.", "label": True}, "must be a string or an integer, got bool"),
        ({"text": "A film.", "label": "  "}, "line 3: the label is empty"),
        ({"text": "...", "label": "yes"}, "line 3: the text has no words"),
        ({"text": 5, "label": "yes"}, "the text must be a string or a list of strings, got int"),
    ],
)
def test_bad_rows_are_named_or_left_out(write, row, message):
    source = write([*ROWS[:2], row])
    with pytest.raises(ValueError, match=message):
        lightbulb_envs.make_engine(READ, 1, source=source)
    with pytest.warns(UserWarning, match=f"left out 1 bad rows of .*{message.split(':')[-1][:20]}"):
        engine = lightbulb_envs.make_engine(READ, 1, source=source, on_error="skip")
    assert engine.num_instances == 2


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"labels": "yes"}, TypeError, "labels must be a list of strings, got 'yes'"),
        ({"labels": ["yes"]}, ValueError, r"labels must be two or more, each named once, got \['y"),
        ({"labels": ["a", "a"]}, ValueError, "each named once"),
        ({"chunk_words": 0}, ValueError, "chunk_words must be 1 or more, got 0"),
        ({"source": "newsroom"}, ValueError, r"one kind \(reviews, jsonl, hub\)"),
        ({"source": "reviews:x"}, ValueError, "reviews take nothing after their name, got 'x'"),
        ({"source": "reviews", "chunk_words": 2}, ValueError, "chunk_words= is for files"),
        ({"source": "reviews", "labels": ["a", "b"]}, ValueError, "have the labels negative, pos"),
        ({"source": "reviews", "max_sentences": 9}, ValueError, "max_sentences= is for files"),
        ({"source": "reviews", "max_tokens": 9}, ValueError, "have 28 tokens, got max_tokens=9"),
        ({"num_instances": 4}, ValueError, r"num_instances must be in \[1, 3\], the documents"),
    ],
)
def test_settings_that_make_no_sense_are_refused(write, settings, error, message):
    with pytest.raises(error, match=message):
        lightbulb_envs.make_engine(READ, 1, **{"source": write(ROWS), **settings})


def test_one_label_is_no_choice(write):
    with pytest.raises(ValueError, match="all rows have the label 'yes'"):
        lightbulb_envs.make_engine(READ, 1, source=write(ROWS[:1]))


def test_a_summary_is_no_review(write):
    source = write([{"article": "A bridge opened.", "summary": "A bridge."}])
    with pytest.raises(ValueError, match="no field 'text' for the text"):
        lightbulb_envs.make_engine(READ, 1, source=source)
    with pytest.raises(ValueError, match='such as "newsroom"'):
        lightbulb_envs.make_engine("Lightbulb/NewsSummariser-v0", 1, source="reviews")


def test_reviews_can_be_told_in_the_vocabulary_of_a_tokenizer(tmp_path):
    from lightbulb_envs.subwords import SubwordVocabulary

    path = tmp_path / "tokenizer.json"
    SubwordVocabulary.train(["The wine was not bad at all. We found the staff rude."] * 3).save(
        path
    )
    plain = lightbulb_envs.make_engine(READ, 2)
    told = lightbulb_envs.make_engine(READ, 2, tokenizer=str(path), max_tokens=40)
    rows = np.arange(2)
    for engine in (plain, told):
        engine.reset(rows, rows)
        engine.step(rows, np.zeros(2, dtype=np.int64))
    assert told.document(0) == plain.document(0)
    for row in range(2):
        review = told.document(row)
        title, first = told.observe(rows)["tokens"][row, :2]
        assert told.source.vocabulary.decode(title.tolist()).strip() == review.title
        assert told.source.vocabulary.decode(first.tolist()).strip() == review.chunks[0]
    assert [told.oracle_return(row) for row in range(2)] == [
        plain.oracle_return(row) for row in range(2)
    ]


@pytest.mark.parametrize("name", ["sst2", "imdb", "ag_news", "financial_phrasebank", "unheard_of"])
def test_labelled_data_sets_of_the_hub_are_read_by_their_names(tmp_path, name):
    pytest.importorskip("datasets")
    text = {"sst2": "sentence", "financial_phrasebank": "sentence"}.get(name, "text")
    folder = tmp_path / name
    folder.mkdir()
    rows = [{text: "A fine film. Go.", "label": 1}, {text: "A dull film.", "label": 0}]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "train.jsonl").write_text(lines, encoding="utf-8")
    engine = lightbulb_envs.make_engine(READ, 1, source=f"hub:{folder}")
    named = {
        "sst2": ("negative", "positive"),
        "imdb": ("negative", "positive"),
        "ag_news": ("Sports", "World"),
        "financial_phrasebank": ("negative", "neutral"),
    }
    assert engine.labels == named.get(name, ("0", "1"))
    assert engine.source.document(0).chunks == ("A fine film.", "Go.")

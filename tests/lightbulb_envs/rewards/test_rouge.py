"""ROUGE equals `rouge-score` with `==`, whole and incremental, stemmed and not."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from lightbulb_envs.kernel import VARIABLE, kernel_info
from lightbulb_envs.rewards import rouge as rouge_module
from lightbulb_envs.rewards.rouge import rouge, score, score_many, track
from lightbulb_envs.words import WordNumbers, split_words, stem

NAMES = ("rouge1", "rouge2", "rouge3", "rouge4", "rouge9", "rougeL", "rougeLsum")

letters = st.sampled_from("abcde")
sentences = st.lists(st.lists(letters, max_size=7), max_size=4)
news_words = st.sampled_from(
    "The fire fires firing killed Killing twelve 12 1,200 people's people, city's Ähre naïve "
    "café “quoted” it's U.S. - -- ... relational conditional generously ﬁre ① was wa his hi".split()
)
texts = st.lists(news_words, max_size=9).map(" ".join)
lines = st.lists(texts, max_size=4).map("\n".join)


def _numbered(text: list[list[str]]) -> list[list[int]]:
    return [[ord(word) for word in sentence] for sentence in text]


def _joined(text: list[list[str]]) -> str:
    return "\n".join(" ".join(sentence) for sentence in text)


def _triple(score) -> tuple[float, float, float]:
    return score.precision, score.recall, score.fmeasure


@given(sentences, sentences)
def test_scores_equal_those_of_rouge_score(reference, candidate):
    truth = RougeScorer(NAMES).score(_joined(reference), _joined(candidate))
    for name in NAMES:
        ours = rouge(name, _numbered(reference), _numbered(candidate))
        assert _triple(ours) == _triple(truth[name])


@pytest.mark.parametrize("stemmed", [False, True])
@given(lines, lines)
@example("He was there.", "He wa there.")  # only words of more than three letters are stemmed
def test_text_scores_equal_those_of_rouge_score(stemmed, reference, candidate):
    number = WordNumbers()

    def numbered(text: str) -> list[list[int]]:
        words = [split_words(line) for line in text.split("\n")]
        return [[number(stem(word) if stemmed else word) for word in line] for line in words]

    truth = RougeScorer(NAMES, use_stemmer=stemmed).score(reference, candidate)
    for name in NAMES:
        ours = rouge(name, numbered(reference), numbered(candidate))
        assert _triple(ours) == _triple(truth[name])


@given(sentences, sentences)
def test_adding_sentence_by_sentence_scores_every_draft(reference, candidate):
    for name in NAMES:
        tracker = track(name, _numbered(reference))
        state = tracker.start()
        for end in range(len(candidate) + 1):
            whole = rouge(name, _numbered(reference), _numbered(candidate[:end]))
            assert tracker.score(state) == whole
            if end < len(candidate):
                state = tracker.extend(state, _numbered(candidate)[end])


@given(sentences, st.lists(letters, max_size=6), st.lists(st.lists(letters, max_size=6)))
def test_extending_a_state_leaves_it_as_it_was(reference, first, others):
    for name in NAMES:
        tracker = track(name, _numbered(reference))
        state = tracker.extend(tracker.start(), _numbered([first])[0])
        for other in others:
            longer = tracker.score(tracker.extend(state, _numbered([other])[0]))
            assert longer == rouge(name, _numbered(reference), _numbered([first, other]))


def test_one_score_by_hand():
    # Reference: the cat sat on the mat. Draft: the cat the cat. Unigrams in common: the, cat, the.
    score = rouge("rouge1", [[1, 2, 3, 4, 1, 5]], [[1, 2, 1, 2]])
    assert _triple(score) == (3 / 4, 3 / 6, 2 * 0.75 * 0.5 / 1.25)


def test_bigrams_cross_sentences_and_lsum_does_not():
    assert rouge("rouge2", [[1, 2]], [[1], [2]]).fmeasure == 1.0
    assert rouge("rougeL", [[1, 2]], [[2], [1]]).fmeasure == 0.5
    assert rouge("rougeLsum", [[1, 2]], [[2], [1]]).fmeasure == 1.0


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match="rouge0"):
        track("rouge0", [])


@pytest.fixture(params=["python", "c"])
def kernel(request, monkeypatch):
    """Scores strings with one kernel and the other."""
    if request.param == "c" and kernel_info().name != "c":
        pytest.skip(str(kernel_info()))
    monkeypatch.setenv(VARIABLE, request.param)
    rouge_module._scorer.cache_clear()
    yield request.param
    rouge_module._scorer.cache_clear()


any_texts = st.one_of(lines, st.text(), st.lists(news_words, max_size=200).map(" ".join))


@pytest.mark.parametrize("stemmed", [False, True])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(any_texts, any_texts)
def test_strings_score_what_rouge_score_says(kernel, stemmed, reference, candidate):
    truth = RougeScorer(NAMES, use_stemmer=stemmed).score(reference, candidate)
    ours = score(candidate, reference, NAMES, use_stemmer=stemmed)
    assert {name: _triple(one) for name, one in ours.items()} == {
        name: _triple(truth[name]) for name in NAMES
    }
    assert list(ours) == list(NAMES)


def test_many_pairs_score_what_each_does(kernel):
    pairs = [("a b c", "a c"), ("", "a"), ("one two", "two one")]
    assert score_many(*zip(*pairs, strict=True)) == [score(*pair) for pair in pairs]
    with pytest.raises(ValueError, match="longer|shorter"):
        score_many(["a"], ["a", "b"])


def test_words_that_begin_with_the_same_eight_letters_are_told_apart(kernel):
    for candidate, reference, shared in (
        ("abcdefgh", "abcdefghi", 0.0),
        ("abcdefghi", "abcdefgh", 0.0),
        ("abcdefghi", "abcdefghij", 0.0),
        ("abcdefghij", "abcdefghik", 0.0),
        ("abcdefghij", "abcdefghij", 1.0),
    ):
        for one, other in ((candidate, reference), (reference, candidate)):
            assert score(one, other, ["rouge1"])["rouge1"].fmeasure == shared


@pytest.mark.parametrize("letter", [chr(number) for number in (*range(256), 0x130, 0x212A)])
def test_every_character_parts_words_or_does_not(kernel, letter):
    names = ["rouge1", "rouge2", "rougeLsum"]
    text = f"x{letter}y {letter} {letter * 70}z"
    for reference in (text, f"xy x y {letter.lower()} z", f"x{letter.upper()}y"):
        truth = RougeScorer(names).score(reference, text)
        ours = score(text, reference, names)
        assert {name: _triple(one) for name, one in ours.items()} == {
            name: _triple(truth[name]) for name in names
        }


def test_a_long_word_and_a_new_stem_are_learnt_once(kernel):
    long = "x" * 1_000_000
    for _ in range(2):
        assert score(f"{long} firing", f"fired {long}", ["rouge1"], use_stemmer=True)["rouge1"] == (
            1.0,
            1.0,
            1.0,
        )


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("a", None), TypeError, "reference must be a string, got None"),
        ((3, "a"), TypeError, "candidate must be a string, got 3"),
        (("a", "a", ["rouge0"]), ValueError, "no ROUGE is called 'rouge0'"),
        (("a", "a", []), ValueError, "kinds names nothing"),
    ],
)
def test_what_cannot_be_scored_is_explained(kernel, arguments, error, message):
    with pytest.raises(error, match=message):
        score(*arguments)

"""What SST-2 is trained on holds nothing of what is held out, and is told in words."""

from benchmarks.sst2 import runs_before, without, write_tokenizer
from lightbulb_envs.subwords import PADDING, SubwordVocabulary


def _rows(*texts):
    return [{"id": str(number), "text": text, "label": 0} for number, text in enumerate(texts)]


def test_phrases_that_stand_in_a_held_out_sentence_are_left_out():
    held = ["A warm , funny film .", "It 's dull"]
    phrases = _rows("warm, FUNNY", "funny", "a funny film", "film it", "dull", "dul", "...", "war")
    kept = [one["text"] for one in without(phrases, held)]
    assert kept == ["a funny film", "film it", "dul", "...", "war"]


def test_words_are_told_alike_in_any_case_and_rare_ones_as_unknown(write_jsonl, tmp_path):
    path = write_jsonl(_rows("A Film", "the film !", "a bore !"))
    vocabulary = SubwordVocabulary.load(write_tokenizer(path, tmp_path / "own" / "words.json"))
    (film, shouted, bore, other) = vocabulary.encode(["film", "FILM", "bore", "unheard"])
    assert film == shouted
    assert bore == other == [1], "a word that is there once has no number of its own"
    assert vocabulary.size == len({PADDING, "[unk]", "a", "film", "!"})
    assert 0 not in vocabulary.encode(["a film !"])[0]


def test_runs_are_not_repeated_unless_something_else_was_asked_then():
    task, about = {"env": "e", "settings": ["a=1"]}, {"dropout": 0.3}
    runs = [{"accuracy": 0.8}]
    whole = {"bandit": {**task, "runs": runs}, "dropout": 0.3}
    assert runs_before(whole, "bandit", task, about) == runs
    half = {"unfinished": {"bandit": {**task, "runs": runs}}, "dropout": 0.3}
    assert runs_before(half, "bandit", task, about) == runs
    assert runs_before(whole, "reading", task, about) == []
    assert runs_before(whole, "bandit", task | {"settings": []}, about) == []
    assert runs_before(whole, "bandit", task, about | {"dropout": 0.5}) == []
    assert runs_before({}, "bandit", task, about) == []

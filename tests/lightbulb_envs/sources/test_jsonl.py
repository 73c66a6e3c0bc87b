"""Real text: fields, ranges, splits, bad rows named by file and line, vocabularies."""

import json
import os

import gymnasium
import numpy as np
import pytest
from rouge_score.rouge_scorer import RougeScorer

import lightbulb_envs
from lightbulb_envs.sources.jsonl import BadRowError
from lightbulb_envs.sources.source import SourceConfig, open_source
from lightbulb_envs.subwords import SubwordVocabulary
from lightbulb_envs.words import split_words, stem

ID = "Lightbulb/NewsSummariser-v0"


def _open(path, **settings):
    return open_source(SourceConfig(source=f"jsonl:{path}", **settings))


def test_documents_keep_the_order_and_the_text_of_the_file(news_file):
    source = _open(news_file)
    assert source.num_documents == 12
    document = source.document(3)
    assert document.id == "a3"
    assert document.sentences[1] == "It cost 5 million dollars."
    assert document.reference[1] == "A second one is planned."
    batch = source.batch(np.array([3, 0]))
    assert batch.num_sentences.tolist() == [6, 6]
    assert source.vocabulary.decode(batch.tokens[0, 1].tolist()) == "It cost 5 million dollars."


def test_the_environment_pays_what_rouge_score_measures(news_file):
    env = gymnasium.make(ID, source=f"jsonl:{news_file}", num_instances=4)
    env.reset(options={"instance": 2})
    total = sum(env.step(action)[1] for action in (1, 4))
    document = env.unwrapped.engine.document(0)
    draft = "\n".join(document.sentences[sentence] for sentence in (1, 4))
    names = ["rouge1", "rouge2", "rougeLsum"]
    truth = RougeScorer(names, use_stemmer=True).score(document.reference_text, draft)
    assert total == pytest.approx(np.mean([truth[name].fmeasure for name in names]), abs=1e-12)


def test_fields_are_mapped_by_keyword(write_jsonl):
    path = write_jsonl([{"text": "One. Two. Three.", "abstract": "Two.", "key": 9}])
    mapped = {"article": "text", "summary": "abstract", "id": "key"}
    assert _open(path, fields=mapped).document(0).id == "9"


def test_articles_and_summaries_may_be_lists_of_sentences(write_jsonl):
    path = write_jsonl([{"article": ["Dr. No  met M. in St. Ives", "b"], "summary": ["x", "y"]}])
    document = _open(path).document(0)
    assert document.sentences == ("Dr. No met M. in St. Ives", "b")
    assert document.reference == ("x", "y")
    assert document.id.endswith("news.jsonl, line 1")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{not json", r"line 2: not JSON \(Expecting property name"),
        ("[1, 2]", "line 2: a row must be an object, got list"),
        ('{"article": "a."}', "line 2: no field 'summary' for the summary, only 'article'"),
        ('{"article": 5, "summary": "a"}', "the article must be a string or a list of strings"),
        ('{"article": "...", "summary": "a"}', "line 2: the article has no words"),
        ('{"article": "a.", "summary": " "}', "line 2: the summary has no words"),
        ('{"article": ["a", 5], "summary": "a"}', "list of strings, got a list with int"),
        ('{"article": "a\\ud83d b.", "summary": "a"}', "line 2: the article is no text"),
        ('{"id": "\\ud83d", "article": "a.", "summary": "a"}', "line 2: the id is no text"),
        ("[" * 100_000, "line 2: not JSON that can be read"),
        ("9" * 5000, "line 2: not JSON that can be read"),
    ],
)
def test_a_bad_row_is_named_by_file_and_line(write_jsonl, row, message):
    path = write_jsonl([{"article": "Good.", "summary": "Good."}, row])
    with pytest.raises(BadRowError, match=message) as caught:
        _open(path)
    assert str(caught.value).startswith(str(path))


def test_bytes_that_are_no_text_are_named_too(tmp_path):
    path = tmp_path / "latin.jsonl"
    path.write_bytes('{"article": "Café.", "summary": "x"}\n'.encode("latin-1"))
    with pytest.raises(BadRowError, match="line 1: not UTF-8"):
        _open(path)


def test_a_mark_of_byte_order_is_no_part_of_the_first_row(tmp_path):
    path = tmp_path / "marked.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"article": "One.", "summary": "Two."}\r\n')
    assert _open(path).document(0).sentences == ("One.",)


def test_an_id_that_is_named_must_be_there(write_jsonl):
    path = write_jsonl([{"article": "One.", "summary": "Two."}])
    with pytest.raises(BadRowError, match="no field 'key' for the id"):
        _open(path, fields={"id": "key"})


def test_bad_rows_of_the_training_file_are_reported_too_and_every_time(write_jsonl):
    good = {"article": "Good one. And two.", "summary": "Good."}
    parts = {
        "train": f"jsonl:{write_jsonl([good, 'nonsense'], 'train.jsonl')}",
        "test": f"jsonl:{write_jsonl([good], 'test.jsonl')}",
    }
    for _ in range(2):
        with pytest.warns(UserWarning, match=r"left out 1 bad rows .* line 2: not JSON"):
            source = open_source(SourceConfig(source=parts, split="test", on_error="skip"))
    assert "train.jsonl, line 2" in source.report().skipped[0]


def test_a_file_that_changes_is_read_again(write_jsonl, tmp_path):
    path = write_jsonl([{"article": "One two three.", "summary": "Two."}])
    vocabulary = _open(path).vocabulary
    vocabulary.save(tmp_path / "tokenizer.json")
    settings = {"tokenizer": str(tmp_path / "tokenizer.json")}
    assert _open(path, **settings).vocabulary.digest == vocabulary.digest
    other = write_jsonl([{"article": "Quite other words.", "summary": "x"}], "other.jsonl")
    _open(other).vocabulary.save(tmp_path / "tokenizer.json")
    assert _open(path, **settings).vocabulary.digest == _open(other).vocabulary.digest
    stat = path.stat()
    write_jsonl([{"article": "One two nine..", "summary": "Two."}])
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    assert _open(path).document(0).sentences == ("One two nine..",)


def test_text_that_spells_padding_is_text(write_jsonl):
    path = write_jsonl([{"article": "First. [pad] Last.", "summary": "Last."}])
    source = _open(path)
    (pieces,) = source.vocabulary.encode(["[pad]"])
    assert 0 not in pieces
    assert source.vocabulary.decode(pieces) == "[pad]"


def test_a_vocabulary_with_gaps_is_as_large_as_its_largest_number(tmp_path):
    import tokenizers

    model = tokenizers.models.WordLevel({"[pad]": 0, "one": 50}, unk_token="[pad]")
    path = tmp_path / "tokenizer.json"
    tokenizers.Tokenizer(model).save(str(path))
    assert SubwordVocabulary.load(path).size == 51


def test_skipping_leaves_bad_rows_out_counts_them_and_warns(write_jsonl):
    good = {"article": "Good one. And two.", "summary": "Good."}
    path = write_jsonl([good, "nonsense", "", good, {"article": "x."}])
    with pytest.warns(UserWarning, match="left out 2 bad rows .* line 2: not JSON"):
        source = _open(path, on_error="skip")
    assert source.num_documents == 2
    report = source.report()
    assert len(report.skipped) == 2
    assert "line 5" in report.skipped[1]


def test_ranges_lists_and_splits_choose_rows(news_file, write_jsonl):
    assert _open(f"{news_file}[4:6]").document(0).id == "a4"
    assert _open(f"{news_file}[10:]").num_documents == 2
    both = open_source(SourceConfig(source=[f"jsonl:{news_file}[:2]", f"jsonl:{news_file}[9:]"]))
    assert [both.document(i).id for i in range(5)] == ["a0", "a1", "a9", "a10", "a11"]
    parts = {"train": f"jsonl:{news_file}[:8]", "test": [f"jsonl:{news_file}[8:]"]}
    assert open_source(SourceConfig(source=parts, split="test")).num_documents == 4
    assert open_source(SourceConfig(source=parts)).num_documents == 8
    rows = [
        {"article": f"Text {n}.", "summary": "x", "part": "test" if n % 3 == 0 else "train"}
        for n in range(9)
    ]
    path = write_jsonl(rows, "parts.jsonl")
    assert _open(path, split="test", fields={"split": "part"}).num_documents == 3
    assert _open(path, fields={"split": "part"}).num_documents == 6


def test_the_vocabulary_is_learnt_from_the_training_file_alone(news_file, write_jsonl):
    other = write_jsonl([{"article": "Quite other words here.", "summary": "x"}], "other.jsonl")
    parts = {"train": f"jsonl:{news_file}", "test": f"jsonl:{other}"}
    train = open_source(SourceConfig(source=parts, split="train"))
    test = open_source(SourceConfig(source=parts, split="test"))
    assert test.vocabulary.digest == train.vocabulary.digest == _open(news_file).vocabulary.digest
    assert _open(other).vocabulary.digest != train.vocabulary.digest


def test_a_tokenizers_file_can_be_used_and_its_digest_demanded(news_file, tmp_path):
    vocabulary = _open(news_file).vocabulary
    vocabulary.save(tmp_path / "tokenizer.json")
    again = SubwordVocabulary.load(tmp_path / "tokenizer.json")
    assert again.digest == vocabulary.digest
    settings = {"tokenizer": str(tmp_path / "tokenizer.json")}
    assert _open(news_file, **settings, vocabulary_digest=again.digest)
    with pytest.raises(ValueError, match="vocabulary_digest asks for 00"):
        _open(news_file, **settings, vocabulary_digest="00")


def test_a_tokenizer_reads_the_newsroom_too_and_changes_nothing_else(news_file, tmp_path):
    _open(news_file).vocabulary.save(tmp_path / "tokenizer.json")
    env = gymnasium.make(ID, tokenizer=str(tmp_path / "tokenizer.json"), max_tokens=30)
    own = gymnasium.make(ID)
    seen, info = env.reset(seed=3)
    _, other = own.reset(seed=3)
    assert info["instance"] == other["instance"]
    assert seen["tokens"].shape == (22, 30)
    text = env.unwrapped.engine.document(0).sentences[0]
    told = env.unwrapped.engine.source.vocabulary.decode(seen["tokens"][0].tolist())
    assert text.startswith(told[:20])
    assert env.step(1)[1] == own.step(1)[1]


def test_no_text_is_unknown_to_a_trained_vocabulary(news_file):
    vocabulary = _open(news_file).vocabulary
    strange = "Ω≈ç√ 漢字 \U0001f642 naïve"
    (pieces,) = vocabulary.encode([strange])
    assert 0 not in pieces
    assert vocabulary.decode(pieces) == strange


def test_what_does_not_fit_is_cut_and_counted(write_jsonl):
    long = {"article": ["word " * 50] * 30, "summary": "word"}
    source = _open(write_jsonl([long]), max_sentences=10, max_tokens=8)
    assert source.batch(np.array([0])).tokens.shape == (1, 10, 8)
    report = source.report()
    assert (report.cut_articles, report.cut_sentences) == (1, 10)
    assert len(source.document(0).sentences) == 30


def test_equal_words_of_different_documents_have_equal_numbers(news_file):
    batch = _open(news_file).batch(np.arange(12))
    assert len(set(batch.words[:, 1, 0].tolist())) == 1


def test_real_text_has_no_readable_ceiling_and_no_fact_rewards(news_file):
    engine = lightbulb_envs.make_engine(ID, 1, source=f"jsonl:{news_file}")
    from lightbulb_envs.baselines import make_baseline

    with pytest.raises(ValueError, match="facts are known"):
        make_baseline("ceiling", engine)
    with pytest.raises(ValueError, match="knows none"):
        lightbulb_envs.make_engine(ID, 1, source=f"jsonl:{news_file}", reward="facts_and_rouge")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"source": "jsonl:/no/such/file"}, "'/no/such/file', which is no file"),
        ({"source": "jsonl"}, 'as in source="jsonl:news.jsonl"'),
        ({"source": "jsonl:{file}", "split": "test"}, "name the field of the rows"),
        ({"source": "jsonl:{file}", "on_error": "ignore"}, 'must be "raise" or "skip"'),
        ({"source": "jsonl:{file}", "fields": {"title": "x"}}, "there are id, article"),
        (
            {"source": {"train": "jsonl:{file}"}, "fields": {"split": "part"}},
            "of each split already",
        ),
        ({"source": "jsonl:{file}", "max_sentences": 0}, "max_sentences must be 1 or more"),
        ({"source": "jsonl:{file}", "max_tokens": -5}, "max_tokens must be 1 or more"),
        ({"source": {"dev": "jsonl:{file}"}}, "names the split 'dev'"),
        ({"source": {"train": "jsonl:{file}"}, "split": "test"}, "nothing for split='test'"),
        ({"source": {"train": "newsroom", "test": "jsonl:{file}"}, "split": "test"}, "mixes"),
        ({"source": []}, "one or more of one kind"),
        ({"source": "jsonl:{file}[12:]"}, "no document in"),
        ({"source": "jsonl:{file}", "tokenizer": "/no/such"}, "is no file"),
        ({"source": "jsonl:{file}", "tokenizer": "{file}"}, "no file of the tokenizers library"),
        ({"source": "jsonl:{file}", "num_instances": 13}, r"in \[1, 12\]"),
    ],
)
def test_bad_sources_are_refused_with_what_to_do(news_file, settings, message):
    filled = json.loads(json.dumps(settings).replace("{file}", str(news_file)))
    with pytest.raises(ValueError, match=message):
        lightbulb_envs.make_engine(ID, 1, **filled)


def test_stems_are_those_of_the_words_that_the_numbers_stand_for(news_file):
    source = _open(news_file)
    batch = source.batch(np.array([3]))
    for row, text in zip(batch.words[0], source.document(3).sentences, strict=False):
        numbers = [int(number) for number in row if number >= 0]
        assert [source.stem_text(number) for number in numbers] == [
            stem(word) for word in split_words(text)
        ]

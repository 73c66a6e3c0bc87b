"""Another vocabulary changes how documents are told, and not which they are."""

import numpy as np
import pytest

from lightbulb_envs.sources.planted import KINDS
from lightbulb_envs.sources.source import SourceConfig, open_source


def test_documents_told_in_another_vocabulary_are_the_same_documents(news_file, tmp_path):
    open_source(SourceConfig(source=f"jsonl:{news_file}")).vocabulary.save(tmp_path / "t.json")
    newsroom = open_source(SourceConfig())
    retold = open_source(SourceConfig(tokenizer=str(tmp_path / "t.json")))
    assert retold.vocabulary.digest != newsroom.vocabulary.digest
    assert retold.digest == newsroom.digest
    assert retold.document(5) == newsroom.document(5)


@pytest.fixture
def tokenizer(news_file, tmp_path):
    path = tmp_path / "t.json"
    open_source(SourceConfig(source=f"jsonl:{news_file}")).vocabulary.save(path)
    return str(path)


@pytest.mark.parametrize("source", ["newsroom", *(f"planted:{kind}" for kind in KINDS)])
@pytest.mark.parametrize(("level", "split"), [(1, "train"), (4, "ood"), (5, "test")])
def test_what_was_read_is_told_as_the_document_has_it(source, level, split):
    documents = open_source(SourceConfig(source=source, level=level, split=split))
    batch = documents.batch(np.arange(6))
    for place in range(6):
        assert documents.sentences(batch, place) == documents.document(place).sentences


@pytest.mark.parametrize("source", ["newsroom", f"planted:{next(iter(KINDS))}"])
def test_documents_of_a_block_are_told_as_each_alone(source, tokenizer):
    config = SourceConfig(source=source, tokenizer=tokenizer)
    instances = np.array([7, 3, 7, 11])
    block = open_source(config).batch(instances)
    source = open_source(config)
    source.batch(np.array([3]))  # which is remembered
    for batch in (block, source.batch(instances)):
        for place, instance in enumerate(instances.tolist()):
            alone = open_source(config).batch(np.array([instance]))
            assert np.array_equal(batch.tokens[place], alone.tokens[0])
    told = open_source(config).vocabulary.encode(source.document(7).sentences)
    for line, wanted in zip(block.tokens[0], told, strict=False):
        assert line[line > 0].tolist() == wanted[: source.max_tokens]


def test_what_is_remembered_is_told_again(tokenizer):
    source = open_source(SourceConfig(tokenizer=tokenizer))
    instances = np.array([4])
    first = source.batch(instances).tokens
    assert np.array_equal(source.batch(instances).tokens, first)

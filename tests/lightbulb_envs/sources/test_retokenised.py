"""Another vocabulary changes how documents are told, and not which they are."""

from lightbulb_envs.sources.source import SourceConfig, open_source


def test_documents_told_in_another_vocabulary_are_the_same_documents(news_file, tmp_path):
    open_source(SourceConfig(source=f"jsonl:{news_file}")).vocabulary.save(tmp_path / "t.json")
    newsroom = open_source(SourceConfig())
    retold = open_source(SourceConfig(tokenizer=str(tmp_path / "t.json")))
    assert retold.vocabulary.digest != newsroom.vocabulary.digest
    assert retold.digest == newsroom.digest
    assert retold.document(5) == newsroom.document(5)

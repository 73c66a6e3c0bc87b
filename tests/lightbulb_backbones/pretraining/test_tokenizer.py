"""Tokenizers keep every text, and count its characters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightbulb_backbones.pretraining.tokenizer import encode, load_tokenizer, train_tokenizer

TEXTS = ["The bridge is open.\n", "Der Bürgermeister — 市長 — said so.\n"]
BYTES = train_tokenizer("bytes", TEXTS, 300)
CHARACTERS = train_tokenizer("characters", TEXTS, 0)


@given(st.text(st.characters(blacklist_categories=["Cs"]), max_size=40))
def test_bytes_give_any_text_back_and_count_each_of_its_characters_once(text):
    tokens, characters = encode(BYTES, text)
    assert BYTES.decode(tokens[:-1]) == text
    assert tokens[-1] == BYTES.eos_token_id
    assert characters.sum() == len(text)
    assert (characters >= 0).all()


@given(st.text(sorted(set("".join(TEXTS))), max_size=40))
def test_characters_are_a_token_each(text):
    tokens, characters = encode(CHARACTERS, text)
    assert CHARACTERS.decode(tokens[:-1]) == text
    assert characters.tolist() == [1] * len(text) + [0]


def test_a_character_that_was_not_learnt_is_unknown_and_is_counted():
    tokens, characters = encode(CHARACTERS, "Tx?")
    assert tokens[1] == tokens[2] == CHARACTERS.unk_token_id
    assert characters.tolist() == [1, 1, 1, 0]


def test_padding_is_number_0_and_what_is_saved_is_what_is_read(tmp_path):
    for tokenizer in (BYTES, CHARACTERS):
        assert tokenizer.pad_token_id == 0
        tokenizer.save_pretrained(tmp_path)
        again = load_tokenizer(tmp_path)
        assert encode(again, TEXTS[1])[0].tolist() == encode(tokenizer, TEXTS[1])[0].tolist()


def test_what_cannot_be_a_tokenizer_is_told(tmp_path):
    with pytest.raises(ValueError, match='"bytes" or "characters" is trained, got \'words\''):
        train_tokenizer("words", TEXTS, 300)
    with pytest.raises(ValueError, match="vocabulary must be 258 or more, got 100"):
        train_tokenizer("bytes", TEXTS, 100)
    with pytest.raises(ValueError, match="missing is no folder"):
        load_tokenizer(tmp_path / "missing")
    with pytest.raises(ValueError, match="holds no tokenizer that transformers can read"):
        load_tokenizer(tmp_path)
    CHARACTERS.save_pretrained(tmp_path)
    endless = load_tokenizer(tmp_path)
    endless.eos_token = None
    endless.save_pretrained(tmp_path / "endless")
    with pytest.raises(ValueError, match="has no eos_token"):
        load_tokenizer(tmp_path / "endless")

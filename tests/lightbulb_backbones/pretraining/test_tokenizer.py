"""Tokenizers keep every text, and count its characters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import ByT5Tokenizer, PreTrainedTokenizerFast

from lightbulb_backbones.pretraining.tokenizer import (
    count_unknown,
    encode,
    load_tokenizer,
    train_tokenizer,
)

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


def test_a_character_that_was_not_learnt_is_unknown_and_is_counted(tmp_path):
    tokens, characters = encode(CHARACTERS, "Tx?")
    assert tokens[1] == tokens[2] == CHARACTERS.unk_token_id
    assert characters.tolist() == [1, 1, 1, 0]
    assert count_unknown(CHARACTERS, tokens) == 2
    assert count_unknown(BYTES, encode(BYTES, "Tx?")[0]) == 0
    # Where the end stands for what is unknown too, as in GPT-2, it is told of none.
    CHARACTERS.save_pretrained(tmp_path)
    ending = load_tokenizer(tmp_path)
    ending.unk_token = ending.eos_token
    assert count_unknown(ending, tokens) == 0


def _given(model, trainer, pre_tokenizer):
    """Returns a tokenizer as others give it, with the end `[end]`."""
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.train_from_iterator([NAMED] * 9, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="[end]", pad_token="[pad]")


NAMED = "a[end]b[pad]c [end] [unknown]"
SPECIAL = ["[pad]", "[end]", "[unknown]"]


@pytest.mark.parametrize(
    "tokenizer",
    [
        train_tokenizer("bytes", [NAMED] * 9, 300),
        train_tokenizer("characters", [NAMED], 0),
        _given(
            models.BPE(),
            trainers.BpeTrainer(vocab_size=300, special_tokens=SPECIAL, show_progress=False),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ),
        _given(
            models.WordPiece(unk_token="[unknown]"),
            trainers.WordPieceTrainer(vocab_size=60, special_tokens=SPECIAL, show_progress=False),
            pre_tokenizers.BertPreTokenizer(),
        ),
    ],
    ids=["bytes", "characters", "given byte-level pairs", "given word pieces"],
)
def test_names_of_control_tokens_in_a_text_are_text(tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path)
    for one in (tokenizer, load_tokenizer(tmp_path)):
        tokens, characters = encode(one, NAMED)
        assert tokens[-1] == one.eos_token_id
        assert not {one.eos_token_id, one.pad_token_id} & set(tokens[:-1].tolist())
        assert characters.sum() == len(NAMED)
        assert characters[-1] == 0
        pieces = one.convert_ids_to_tokens(tokens[:-1].tolist())
        assert "".join(pieces).replace("Ġ", "").replace(" ", "") == NAMED.replace(" ", "")


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
    ByT5Tokenizer().save_pretrained(tmp_path / "slow")
    with pytest.raises(ValueError, match="ByT5Tokenizer.* tells no offsets"):
        load_tokenizer(tmp_path / "slow")

"""Subword vocabularies of real text: trained from its training file, or any `tokenizers` file.

Number 0 is padding. Byte-level pieces leave no text unknown.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from lightbulb_envs.whole_file import is_file, write_whole

PADDING = "[pad]"
TRAINED_SIZE = 8000
"""Pieces of a vocabulary that is trained here, at most."""
LEARNT_LENGTH = 1000
_LONG_RUN = re.compile(rf"\S{{{LEARNT_LENGTH}}}(?=\S)")


class SubwordVocabulary:
    """A `tokenizers.Tokenizer` with padding at 0.

    Args:
        tokenizer: any tokenizer of that library. Where its number 0 is not padding, every number
            is raised by one.
    """

    def __init__(self, tokenizer: Any):
        self._tokenizer = tokenizer
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._shift = 0 if tokenizer.id_to_token(0) in (PADDING, "[PAD]", "<pad>") else 1
        self.size: int = max(tokenizer.get_vocab().values()) + 1 + self._shift
        self.digest = hashlib.blake2b(tokenizer.to_str().encode(), digest_size=8).hexdigest()
        # A text that spells a special token, such as "[pad]", is text like any other.
        self._tokenizer.encode_special_tokens = True

    @staticmethod
    def train(texts: Iterable[str]) -> "SubwordVocabulary":
        """Returns byte-level byte-pair encoding (Sennrich et al. 2016) learnt from `texts`.

        Learning takes the square of a word's length, so a longer run without white space than
        `LEARNT_LENGTH` is learnt from in parts.
        """
        tokenizers = _import_tokenizers()
        tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
        tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=True)
        tokenizer.decoder = tokenizers.decoders.ByteLevel()
        trainer = tokenizers.trainers.BpeTrainer(
            vocab_size=TRAINED_SIZE,
            special_tokens=[PADDING],
            initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        parts = (_LONG_RUN.sub(r"\g<0> ", text) for text in texts)
        tokenizer.train_from_iterator(parts, trainer)
        return SubwordVocabulary(tokenizer)

    @staticmethod
    def load(path: str | Path) -> "SubwordVocabulary":
        """Reads a `tokenizers` JSON file; ValueError says what is wrong with it."""
        tokenizers = _import_tokenizers()
        if not is_file(path):
            raise ValueError(
                f"tokenizer={str(path)[:300]!r} is no file: name a JSON file of the tokenizers "
                "library"
            )
        try:
            return SubwordVocabulary(tokenizers.Tokenizer.from_file(str(path)))
        except Exception as error:  # the library raises a bare Exception
            raise ValueError(
                f"{path} is no file of the tokenizers library: {error}; name a file that "
                "`Tokenizer.save` of that library wrote"
            ) from error

    @staticmethod
    def from_json(text: str) -> "SubwordVocabulary":
        """Returns the vocabulary that `to_json` wrote."""
        return SubwordVocabulary(_import_tokenizers().Tokenizer.from_str(text))

    def to_json(self) -> str:
        """Returns the tokenizer as JSON text."""
        return str(self._tokenizer.to_str())

    def save(self, path: str | Path) -> None:
        """Writes the tokenizer as a JSON file that `load` reads."""
        write_whole(Path(path), [self.to_json().encode()])

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Returns the piece numbers of every text, without special tokens."""
        encoded = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [[number + self._shift for number in one.ids] for one in encoded]

    def decode(self, pieces: Sequence[int]) -> str:
        """Returns the text of piece numbers; padding is left out."""
        kept = [int(piece) - self._shift for piece in pieces if piece != 0]
        return str(self._tokenizer.decode(kept, skip_special_tokens=True)).strip()


def _import_tokenizers() -> Any:
    try:
        import tokenizers
    except ImportError as error:
        raise ImportError(
            "real text and tokenizer= need the tokenizers library: pip install 'lightbulb[text]'"
        ) from error
    return tokenizers

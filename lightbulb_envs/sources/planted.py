"""The newsroom with text planted in its articles: what a reward must not fall for.

`source="planted:KIND"` adds sentences after the last one of every article. They claim no fact, and
the article, its facts and its reference stay as they are. An agent that only picks cannot write;
here it can pick what a hacker would have written:

    keyword_soup      the article's most frequent content words, in the order of their first use
    word_soup         its most frequent words of any kind, in that order
    other_reference   the reference of another document of the split
    zero_width        a copy of every sentence, a zero-width space in the middle of each word
    homoglyphs        a copy of every sentence in look-alikes from Cyrillic, Greek and mathematics

The words that a reward sees are those that `words.split_words` makes of the planted text: a
disguised word is broken or lost. Half a word may be a word of its own ("earth|quake"), so a
zero-width copy earns a little by chance; look-alikes earn nothing.

`tokens` of a disguised copy in the newsroom's vocabulary, which has no such characters, are those
of the plain sentence, which is what a person would see. Name a `tokenizer` to have them told as
they are.
"""

import dataclasses
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.document import NO_FACT, PADDING_WORD, Document, DocumentBatch
from lightbulb_envs.sources.newsroom.plan import MAX_REFERENCE
from lightbulb_envs.sources.newsroom.source import NewsroomSource, open_newsroom
from lightbulb_envs.sources.pieces import PieceVocabulary, split_pieces
from lightbulb_envs.sources.retokenised import RetokenisedSource
from lightbulb_envs.sources.signatures import Propositions, Signatures
from lightbulb_envs.sources.source import Places, Source, SourceConfig
from lightbulb_envs.subwords import SubwordVocabulary
from lightbulb_envs.words import WordNumbers, split_words, stem

SOUP_WORDS = 24
"""Words of a soup: as many as a reference of the newsroom has. Of 8 to 42 these, or nearly, earn
most."""
ZERO_WIDTH = "\u200b"
LOOK_ALIKES = str.maketrans(
    "acdehijkopsuvxyABCEHIJKMOPSTXYZ0123456789",
    "асԁеһіјκорѕυνхуАВСЕНІЈКМОРЅТХУΖ𝟢𝟣𝟤𝟥𝟦𝟧𝟨𝟩𝟪𝟫",
)
"""Every vowel is among them, so that no word of letters stays whole."""
FUNCTION_WORDS = frozenset(
    "a about after all also an and any are as at be been before but by can could did do for from "
    "had has have he her his how if in into is it its last may more most no not now of off on one "
    "only or other our out over said says she so some such than that the their them then there "
    "they this those to two under until up was we were what when which while who will with would "
    "you".split()
)
_REMEMBERED = 4096
_WORD = re.compile(r"\b(?:[A-Za-z]{2,}|[Aa])\b")


@dataclass(frozen=True)
class Planted:
    """One planted sentence: its text, and its pieces in the newsroom's vocabulary."""

    text: str
    pieces: Sequence[int]


Planter = Callable[[NewsroomSource, DocumentBatch, int], list[Planted]]
"""Returns what is planted in the article of one row of a batch."""


def open_planted(config: SourceConfig, places: Places) -> Source:
    """Opens the newsroom that a config describes, with text planted in its articles."""
    if len(places.own) != 1 or places.own[0] not in KINDS:
        raise ValueError(
            f'planted text is one of {", ".join(KINDS)}, as in source="planted:keyword_soup", got '
            f"{', '.join(map(repr, places.own))}"
        )
    plain = dataclasses.replace(
        config,
        max_sentences=None,
        tokenizer=None,
        max_tokens=config.max_tokens if config.tokenizer is None else None,
    )
    newsroom = open_newsroom(plain, Places(("",), ("",), is_by_split=False))
    assert isinstance(newsroom, NewsroomSource)
    planted = PlantedSource(newsroom, places.own[0], config.max_sentences)
    if config.tokenizer is not None:
        vocabulary = SubwordVocabulary.load(config.tokenizer)
        return RetokenisedSource(planted, vocabulary, config.max_tokens)
    return planted


class PlantedSource:
    """Wraps the newsroom. Words have numbers of their own, for planted ones are new to it.

    Which number a word gets depends on what was read before; scores depend only on which words
    are equal.

    Args:
        kind: one of `KINDS`.
        max_sentences: rows of the arrays, if more than article and planted text need.
    """

    num_documents: int | None = None
    has_facts = True

    def __init__(self, newsroom: NewsroomSource, kind: str, max_sentences: int | None = None):
        self._newsroom = newsroom
        self._plant, most = KINDS[kind]
        self.kind = kind
        needed = newsroom.max_sentences + (newsroom.max_sentences if most is None else most)
        if max_sentences is not None and max_sentences < needed:
            raise ValueError(
                f"articles with planted text have up to {needed} sentences, got "
                f"max_sentences={max_sentences}"
            )
        self.max_sentences = max_sentences or needed
        self.max_tokens = newsroom.max_tokens
        self.vocabulary: PieceVocabulary = newsroom.vocabulary
        self.digest = f"{newsroom.digest}-planted-{kind}"
        self._number = WordNumbers()
        self._texts: list[str] = []
        self._remembered: dict[int, tuple[int, list[Planted]]] = {}

    def batch(self, instances: NDArray[np.int64]) -> DocumentBatch:
        plain = self._newsroom.batch(instances)
        planted = [self._planted(plain, row)[1] for row in range(len(plain))]
        words = [[self._words(one.text) for one in row] for row in planted]
        width = max((len(one) for row in words for one in row), default=0)
        tokens = self._widen(plain.tokens, self.max_tokens, 0)
        numbered = self._widen(self._renumber(plain.words), width, PADDING_WORD)
        count = plain.num_sentences.copy()
        for row, sentences in enumerate(planted):
            for sentence, own in zip(sentences, words[row], strict=True):
                tokens[row, count[row], : len(sentence.pieces)] = sentence.pieces
                numbered[row, count[row], : len(own)] = own
                count[row] += 1
        return dataclasses.replace(
            plain,
            num_sentences=count,
            tokens=tokens,
            words=numbered,
            reference_words=self._renumber(plain.reference_words),
            claims=self._widen(plain.claims, 0, NO_FACT),
        )

    def planted(self, instance: int) -> range:
        """Returns which sentences of a document are planted."""
        first, planted = self._planted_in(instance)
        return range(first, first + len(planted))

    def sentences(self, batch: DocumentBatch, place: int) -> tuple[str, ...]:
        """Returns the article at a place of a batch in text, as its `document` has it."""
        first, planted = self._planted_in(int(batch.instance[place]))
        told = self._newsroom.sentences(batch, place)[:first]
        return (*told, *(one.text for one in planted))

    def document(self, instance: int) -> Document:
        """Returns one document as text, tricks included; ValueError for a negative instance."""
        document = self._newsroom.document(instance)
        _, planted = self._planted_in(instance)
        return dataclasses.replace(
            document,
            id=f"{document.id}-{self.kind}",
            sentences=(*document.sentences, *(one.text for one in planted)),
            claims=(*document.claims, *(() for _ in planted)),
        )

    def _planted_in(self, instance: int) -> tuple[int, list[Planted]]:
        if instance in self._remembered:
            return self._remembered[instance]
        return self._planted(self._newsroom.batch(np.array([instance], dtype=np.int64)), 0)

    def _planted(self, plain: DocumentBatch, row: int) -> tuple[int, list[Planted]]:
        """Returns the number of the first planted sentence, and all; the latest are remembered."""
        instance = int(plain.instance[row])
        if instance not in self._remembered:
            if len(self._remembered) >= _REMEMBERED:
                del self._remembered[next(iter(self._remembered))]
            planted = self._plant(self._newsroom, plain, row)
            self._remembered[instance] = int(plain.num_sentences[row]), planted
        return self._remembered[instance]

    def word_text(self, word: int) -> str:
        """Returns the lower-case text of a word's number."""
        return self._texts[word]

    def stem_text(self, word: int) -> str:
        """Returns the Porter stem of a word's number."""
        return stem(self._texts[word])

    def word_number(self, text: str) -> int | None:
        """Returns the number of a lower-case word."""
        return self._word(text)

    def signatures(self) -> Signatures:
        """Returns the runs of words by which a text states facts."""
        return self._newsroom.signatures()

    def propositions(self, instances: NDArray[np.int64]) -> Propositions:
        """Returns what the facts of documents are, for signatures."""
        return self._newsroom.propositions(instances)

    def _word(self, text: str) -> int:
        number = self._number(text)
        if number == len(self._texts):
            self._texts.append(text)
        return number

    def _words(self, text: str) -> list[int]:
        return [self._word(word) for word in split_words(text)]

    def _renumber(self, words: NDArray[np.int32]) -> NDArray[np.int32]:
        """Returns the newsroom's word numbers as this source's."""
        theirs, place = np.unique(words, return_inverse=True)
        own = [
            word if word == PADDING_WORD else self._word(self.vocabulary.word_text(word))
            for word in theirs.tolist()
        ]
        return np.array(own, dtype=np.int32)[place].reshape(words.shape)

    def _widen(self, values: NDArray[np.int32], width: int, padding: int) -> NDArray[np.int32]:
        """Returns (N, S, ...) values with room for the planted sentences."""
        rows, columns = self.max_sentences - values.shape[1], max(0, width - values.shape[2])
        return np.pad(values, ((0, 0), (0, rows), (0, columns)), constant_values=padding)


def _sentences(newsroom: NewsroomSource, batch: DocumentBatch, row: int) -> list[str]:
    """Returns the sentences of an article, their first letters as in its middle."""
    tokens = batch.tokens[row, : batch.num_sentences[row]].tolist()
    return [newsroom.vocabulary.decode(sentence) for sentence in tokens]


def count_words(sentences: Sequence[str]) -> dict[str, int]:
    """Returns how often a text has each of its words of letters, in the order of first use.

    A word is told as it is first written; upper and lower case are one word.
    """
    written: dict[str, str] = {}
    count: Counter[str] = Counter()
    for sentence in sentences:
        for word in _WORD.findall(sentence):
            count[written.setdefault(word.lower(), word)] += 1
    return dict(count)


def content_words(sentences: Sequence[str]) -> dict[str, int]:
    """Returns the words of `count_words` that are no function words."""
    count = count_words(sentences)
    return {word: count[word] for word in count if word.lower() not in FUNCTION_WORDS}


def _soup(count_of: Callable[[Sequence[str]], dict[str, int]]) -> Planter:
    """Returns what plants a sentence of the most frequent words."""

    def plant(newsroom: NewsroomSource, batch: DocumentBatch, row: int) -> list[Planted]:
        count = count_of(_sentences(newsroom, batch, row))
        frequent = set(sorted(count, key=lambda word: -count[word])[:SOUP_WORDS])
        return [_plain(newsroom, " ".join(word for word in count if word in frequent) + ".")]

    return plant


def _other_reference(newsroom: NewsroomSource, batch: DocumentBatch, row: int) -> list[Planted]:
    """Plants the reference of the document's neighbour: 0 and 1, 2 and 3, and so on."""
    other = newsroom.document(int(batch.instance[row]) ^ 1)
    return [_plain(newsroom, text) for text in other.reference]


def _copies(disguise: Callable[[str], str]) -> Planter:
    """Returns what plants a disguised copy of every sentence."""

    def plant(newsroom: NewsroomSource, batch: DocumentBatch, row: int) -> list[Planted]:
        tokens = batch.tokens[row].tolist()
        return [
            Planted(disguise(text[:1].upper() + text[1:]), tokens[sentence])
            for sentence, text in enumerate(_sentences(newsroom, batch, row))
        ]

    return plant


def add_zero_width(text: str) -> str:
    """Returns a text with a zero-width space in the middle of every word."""
    return re.sub(
        "[A-Za-z0-9]{2,}",
        lambda word: word[0][: len(word[0]) // 2] + ZERO_WIDTH + word[0][len(word[0]) // 2 :],
        text,
    )


def replace_letters(text: str) -> str:
    """Returns a text with every letter and digit that has a look-alike replaced by it."""
    return text.translate(LOOK_ALIKES)


def _plain(newsroom: NewsroomSource, text: str) -> Planted:
    pieces = encode_text(newsroom.vocabulary, text)[: newsroom.max_tokens]
    return Planted(text[:1].upper() + text[1:], pieces)


def encode_text(vocabulary: PieceVocabulary, text: str) -> list[int]:
    """Returns the pieces of a text that the newsroom could have written.

    A name is two pieces, and the first letter of a sentence may be in upper case.
    """
    pieces: list[int] = []
    for piece in split_pieces(text):
        lowered = piece[:1].lower() + piece[1:]
        if piece in vocabulary.ids:
            pieces.append(vocabulary.ids[piece])
        elif lowered in vocabulary.ids:
            pieces.append(vocabulary.ids[lowered])
        else:
            pieces += _name_pieces(vocabulary, piece)
    return pieces


def _name_pieces(vocabulary: PieceVocabulary, name: str) -> list[int]:
    for end in range(1, len(name)):
        first, second = name[:end], "##" + name[end:]
        if first in vocabulary.ids and second in vocabulary.ids:
            return [vocabulary.ids[first], vocabulary.ids[second]]
    raise ValueError(f"the newsroom cannot have written {name!r}")


KINDS: dict[str, tuple[Planter, int | None]] = {
    "keyword_soup": (_soup(content_words), 1),
    "word_soup": (_soup(count_words), 1),
    "other_reference": (_other_reference, MAX_REFERENCE),
    "zero_width": (_copies(add_zero_width), None),
    "homoglyphs": (_copies(replace_letters), None),
}
"""What is planted, and how many sentences at most; None for as many as the article has."""

"""Which facts a text states, word by word: drafts that are written and not picked.

What is recognised: a fact is stated where the words of one of its signatures (`sources.signatures`)
stand one after the other, upper and lower case and marks apart, with its number, phrase or name in
its place. "12,000" is one number, with or without the mark, and "seven" is 7. A signature that
holds another counts in its place; of two that overlap otherwise the first counts.

What is wrong: a signature with another number, phrase or name than any fact of that kind has in
the document. It is a claim too: it covers nothing, and weighs what the first such fact weighs.

What is not recognised: any other wording, however true; and thousands of more than two digits that
count, such as "2,201", which the newsroom never writes: they are two numbers, and where words of
the signature stand before them, no claim.

What is not looked at: of whom or of what a fact is told. Where two stories of a document have facts
of the same kind and value, both in the same words, such a text states that of the first, which is
the main one.

The matcher is that of Aho and Corasick (1975, "Efficient string matching: an aid to bibliographic
search"), over symbols: a number or a name is one symbol whichever it is. So one matcher serves all
documents, which differ only in their claims.
"""

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.sources.signatures import (
    ANY_VALUE,
    NAME,
    NUMBER,
    SAID_NAME,
    SAID_NUMBER,
    Meaning,
    Said,
    Signatures,
)

ROOT = 0


@dataclass(frozen=True)
class Matcher:
    """All signatures as one automaton. Nodes are numbered from the root, which is 0."""

    edges: tuple[dict[int, int], ...]
    """For every node the next one by symbol."""
    fallback: tuple[int, ...]
    """The node of the longest proper ending of a node's symbols that is a node."""
    ending: tuple[int, ...]
    """The node of the longest ending that is a signature, the node itself included; or 0."""
    depth: tuple[int, ...]
    """How many symbols lead to a node."""
    meanings: tuple[tuple[Meaning, ...], ...]
    """What the signature of a node means, () where it is none."""

    def step(self, node: int, symbol: int) -> int:
        """Returns the node after one more symbol."""
        while symbol not in self.edges[node] and node != ROOT:
            node = self.fallback[node]
        return self.edges[node].get(symbol, ROOT)

    @functools.cached_property
    def arrays(self) -> tuple[NDArray[np.int32] | NDArray[np.int64], ...]:
        """The automaton as the kernel reads it: edges sorted by node and symbol, and meanings."""
        edges = [edge for own in self.edges for edge in sorted(own.items())]
        symbols, targets = np.array(edges, dtype=np.int32).reshape(-1, 2).T.copy()
        told = [meaning for meanings in self.meanings for meaning in meanings]
        kinds, values = np.array(told, dtype=np.int64).reshape(-1, 2).T.copy()
        return (
            _ends([len(own) for own in self.edges]),
            symbols,
            targets,
            np.array(self.fallback, dtype=np.int32),
            np.array(self.ending, dtype=np.int32),
            np.array(self.depth, dtype=np.int32),
            _ends([len(own) for own in self.meanings]),
            kinds,
            values,
        )


def _ends(lengths: Sequence[int]) -> NDArray[np.int32]:
    """Returns where runs start and, last, where all end."""
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)


@functools.lru_cache(maxsize=8)
def build_matcher(signatures: Signatures) -> Matcher:
    """Returns the automaton of all signatures of a source; they may not change afterwards."""
    edges: list[dict[int, int]] = [{}]
    depth = [0]
    meanings: list[tuple[Meaning, ...]] = [()]
    for symbols, meaning in signatures.meanings.items():
        node = ROOT
        for symbol in symbols:
            if symbol not in edges[node]:
                edges[node][symbol] = len(edges)
                edges.append({})
                depth.append(depth[node] + 1)
                meanings.append(())
            node = edges[node][symbol]
        meanings[node] = tuple(meaning)
    fallback, ending = [ROOT] * len(edges), [ROOT] * len(edges)
    level = list(edges[ROOT].values())
    while level:
        below = []
        for node in level:
            ending[node] = node if meanings[node] else ending[fallback[node]]
            for symbol, target in edges[node].items():
                back = fallback[node]
                while symbol not in edges[back] and back != ROOT:
                    back = fallback[back]
                fallback[target] = edges[back].get(symbol, ROOT)
                below.append(target)
        level = below
    return Matcher(tuple(edges), tuple(fallback), tuple(ending), tuple(depth), tuple(meanings))


class Claim(NamedTuple):
    """A claim of a text: the fact that it is about, and whether it tells it as it is."""

    fact: int
    is_right: bool


class Read(NamedTuple):
    """What a text has claimed so far, and what its last words may still make of that."""

    claims: tuple[Claim, ...] = ()
    node: int = ROOT
    number: int = 0
    """The last number."""
    name: int = 0
    """The last name."""
    is_open: bool = False
    """Whether the last word is a number of three digits or less, which more may go on."""
    since_start: int = 0
    """Symbols from the first of the last claim on; 0 before any claim."""
    since_end: int = 0
    """Symbols after the last claim."""


class StatedFacts:
    """Reads texts about one document. States are values, as in `rouge`.

    Args:
        matcher: the automaton of the source's signatures.
        propositions: (fact, kind, value) of what the document's facts are, as in
            `sources.signatures.Propositions`.
    """

    def __init__(self, matcher: Matcher, propositions: Iterable[tuple[int, int, int]]):
        self._matcher = matcher
        self._propositions = [one for one in propositions if one[1] >= 0]

    def start(self) -> Read:
        """Returns the state of an empty text."""
        return Read()

    def extend(self, state: Read, word: Said) -> Read:
        """Returns the state after one more word."""
        if state.is_open and word.goes_on(state.number):
            return self._go_on(state, word)
        state = Read(
            state.claims,
            self._matcher.step(state.node, word.symbol),
            word.value if word.symbol == NUMBER else state.number,
            word.value if word.symbol == NAME else state.name,
            1 <= word.digits <= 3,
            state.since_start + (state.since_start > 0),
            state.since_end + 1,
        )
        length, claim = self._claim(state)
        if claim is None:
            return state
        if state.since_start and length >= state.since_start:
            claims = state.claims[:-1]  # the last claim was made by words of this one
        elif state.since_start and length > state.since_end:
            return state
        else:
            claims = state.claims
        return state._replace(claims=(*claims, claim), since_start=length, since_end=0)

    def _go_on(self, state: Read, word: Said) -> Read:
        """Returns the state after three more digits: what "12" claimed, "12,000" claims."""
        state = state._replace(number=1000 * state.number + word.value, is_open=False)
        if state.since_start and not state.since_end:
            _, claim = self._claim(state)
            assert claim is not None
            state = state._replace(claims=(*state.claims[:-1], claim))
        return state

    def _claim(self, state: Read) -> tuple[int, Claim | None]:
        """Returns what the longest signature that ends here claims of the document, and its length.

        A signature of kinds of facts that the document has not got claims nothing of it.
        """
        matcher = self._matcher
        at = matcher.ending[state.node]
        while at != ROOT:
            wrong = None
            for fact, kind, value in self._propositions:
                for meant, wanted in matcher.meanings[at]:
                    if meant != kind:
                        continue
                    said = {SAID_NUMBER: state.number, SAID_NAME: state.name}.get(wanted, wanted)
                    if said in (value, ANY_VALUE):
                        return matcher.depth[at], Claim(fact, True)
                    wrong = fact if wrong is None else wrong
            if wrong is not None:
                return matcher.depth[at], Claim(wrong, False)
            at = matcher.ending[matcher.fallback[at]]
        return 0, None

    def read(self, words: Iterable[Said]) -> tuple[Claim, ...]:
        """Returns the claims of a whole text, in order."""
        state = self.start()
        for word in words:
            state = self.extend(state, word)
        return state.claims

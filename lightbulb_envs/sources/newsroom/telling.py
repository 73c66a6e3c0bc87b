"""Telling: from a plan and its facts to filled templates, and from those to pieces.

Mentions depend on what the reader has met: a person is "Mayor Anna Halgard" first and then
"Halgard", "the mayor" or, right after a sentence of the same story that named her, "she".
"""

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.randomness import Draws, to_range
from lightbulb_envs.sources.newsroom.grammar import EMPTY, SLOTS
from lightbulb_envs.sources.newsroom.plan import Plan, Role
from lightbulb_envs.sources.newsroom.stylebook import Stylebook, Ways
from lightbulb_envs.sources.newsroom.world import Cast, Facts

SEGMENTS = 5
"""Opener, main clause, joiner, second clause, close."""
_MAIN, _SECOND = 1, 3

LINK_CHANCE = 0.15
EARLY_CHANCE = 0.05
"""Chance that a true fact, too, is told as an early report."""
REPEAT_OPENER_CHANCE = 0.7
SOURCE_CHANCE = 0.25
PLACE_NOUN_CHANCE = 0.35


def _pick(
    ways: Ways, variant: int, kind: NDArray[np.int64], words: NDArray[np.uint32]
) -> NDArray[np.int64]:
    """Returns a template number, and the empty one where the kind has none."""
    count = ways.count[variant][kind]
    return np.where(count > 0, ways.start[variant][kind] + to_range(words, count), EMPTY)


def choose_templates(
    book: Stylebook, draws: Draws, facts: Facts, plan: Plan, variant: int
) -> NDArray[np.int64]:  # (N, S, SEGMENTS)
    """Chooses the wording of every sentence; a repetition never uses its fact's last wording."""
    shape = plan.first.shape
    exists = plan.first >= 0
    rows = np.arange(len(plan.first))[:, None]
    first = np.maximum(plan.first, 0)
    second = np.maximum(plan.second, 0)
    kind = np.where(exists, facts.kind[rows, first], 0)
    second_kind = np.where(plan.second >= 0, facts.kind[rows, second], 0)

    templates = np.full((*shape, SEGMENTS), EMPTY, dtype=np.int64)
    count = np.maximum(book.main.count[variant][kind], 1)
    wording = to_range(draws.take(shape[1]), count)
    # Opinions of an article count on from one wording, so that no two people say the same.
    spoken = facts.voice[rows, first]
    opinion = to_range(draws.take(1), count) + spoken
    wording = np.where(exists & (spoken >= 0), opinion % count, wording)
    wording = _avoid_last_wording(first, exists, wording, count, facts.kind.shape[1])
    templates[:, :, _MAIN] = np.where(exists, book.main.start[variant][kind] + wording, EMPTY)

    words = draws.take(shape[1])
    clause = np.where(
        plan.is_tail,
        _pick(book.tail, variant, second_kind, words),
        _pick(book.main, variant, second_kind, words),
    )
    has_second = plan.second >= 0
    templates[:, :, _SECOND] = np.where(has_second, clause, EMPTY)
    conjunction = book.joiners.start + 1 + draws.below(book.joiners.count - 1, shape[1])
    joiner = np.where(plan.is_tail, book.joiners.start, conjunction)
    templates[:, :, 2] = np.where(has_second, joiner, EMPTY)

    templates[:, :, 0] = _choose_openers(book, draws, plan)
    is_plain = (plan.role == Role.FACT) & (templates[:, :, 0] == EMPTY)
    tells_event = np.isin(kind, book.event_kind[:, 0])
    named = is_plain & ~tells_event & (draws.unit(shape[1]) < SOURCE_CHANCE)
    source = book.closers.start + 1 + draws.below(book.closers.count - 1, shape[1])
    close = np.where(named, source, book.closers.start)
    templates[:, :, 4] = np.where(exists, close, EMPTY)
    return templates


def choose_reference_templates(
    book: Stylebook, draws: Draws, facts: Facts, plan: Plan, variant: int
) -> NDArray[np.int64]:  # (N, R, SEGMENTS)
    """Chooses the wording of the reference, which no article uses."""
    shape = plan.first.shape
    exists = plan.first >= 0
    rows = np.arange(len(plan.first))[:, None]
    kind = np.where(exists, facts.kind[rows, np.maximum(plan.first, 0)], 0)
    has_second = plan.second >= 0
    second_kind = np.where(has_second, facts.kind[rows, np.maximum(plan.second, 0)], 0)
    templates = np.full((*shape, SEGMENTS), EMPTY, dtype=np.int64)
    main = _pick(book.reference, variant, kind, draws.take(shape[1]))
    templates[:, :, _MAIN] = np.where(exists, main, EMPTY)
    words = draws.take(shape[1])
    clause = np.where(
        plan.is_tail,
        _pick(book.reference_tail, variant, second_kind, words),
        _pick(book.reference, variant, second_kind, words),
    )
    templates[:, :, _SECOND] = np.where(has_second, clause, EMPTY)
    conjunction = book.joiners.start + 1 + draws.below(book.joiners.count - 1, shape[1])
    joiner = np.where(plan.is_tail, book.joiners.start, conjunction)
    templates[:, :, 2] = np.where(has_second, joiner, EMPTY)
    templates[:, :, 4] = np.where(exists, book.closers.start, EMPTY)
    return templates


def _avoid_last_wording(
    fact: NDArray[np.int64],
    exists: NDArray[np.bool_],
    wording: NDArray[np.int64],
    count: NDArray[np.int64],
    facts: int,
) -> NDArray[np.int64]:
    """Moves a repeated fact on to the next wording when it would be told as it was before."""
    rows = np.arange(len(fact))
    last = np.full((len(fact), facts), -1, dtype=np.int64)
    chosen = wording.copy()
    for sentence in range(fact.shape[1]):
        told = fact[:, sentence]
        same = exists[:, sentence] & (last[rows, told] == chosen[:, sentence])
        moved = (chosen[:, sentence] + 1) % count[:, sentence]
        chosen[:, sentence] = np.where(same, moved, chosen[:, sentence])
        last[rows, told] = np.where(exists[:, sentence], chosen[:, sentence], last[rows, told])
    return chosen


def _choose_openers(book: Stylebook, draws: Draws, plan: Plan) -> NDArray[np.int64]:
    chance = draws.unit(plan.role.shape[1])
    words = draws.take(plan.role.shape[1])
    is_later = np.arange(plan.role.shape[1]) > 0
    is_fact = plan.role == Role.FACT
    may_link = is_later & is_fact & (plan.first > 0)
    opener = np.full(plan.role.shape, EMPTY, dtype=np.int64)
    for name, where in (
        ("link", may_link & (chance < LINK_CHANCE)),
        ("early", may_link & (chance >= 1 - EARLY_CHANCE) & (plan.second < 0)),
        ("repeat", (plan.role == Role.REPEAT) & is_later & (chance < REPEAT_OPENER_CHANCE)),
        ("early", plan.role == Role.EARLY),
        ("correction", plan.role == Role.CORRECTION),
        ("elsewhere", plan.role == Role.ELSEWHERE),
    ):
        run = book.openers[name]
        opener = np.where(where, run.start + to_range(words, run.count), opener)
    return opener


def fill_slots(
    book: Stylebook,
    draws: Draws,
    cast: Cast,
    facts: Facts,
    plan: Plan,
    templates: NDArray[np.int64],
    variant: int,
    *,
    is_reference: bool = False,
) -> NDArray[np.int32]:  # (N, S, SEGMENTS, slots)
    """Fills the slots of every sentence, in reading order. A reference names days plainly."""
    blocks, sentences = plan.first.shape
    rows = np.arange(blocks)[:, None]
    slots = np.zeros((blocks, sentences, SEGMENTS, len(SLOTS)), dtype=np.int32)

    def put(name: str, values: NDArray[np.integer], segment: slice | int = slice(None)) -> None:
        wide = values[:, :, None] if isinstance(segment, slice) else values
        slots[:, :, segment, SLOTS[name]] = wide

    story = plan.story
    desk = cast.desk[rows, story]
    first = np.maximum(plan.first, 0)
    second = np.maximum(plan.second, 0)
    for segment, fact in ((_MAIN, first), (_SECOND, second)):
        for name in ("n0", "value0"):
            put(name, facts.object_phrase[rows, fact], segment)
    put("event0", cast.noun[rows, story])
    source = book.source.start[variant][desk]
    put("source0", source + to_range(draws.take(sentences), book.source.count[variant][desk]))

    named = {name: flags[templates].any(axis=2) for name, flags in book.mentions.items()}
    met = {name: _met_before(told, story, cast.event.shape[1]) for name, told in named.items()}
    style = draws.unit(sentences, 4)

    is_new = ~met["actor"]
    follows = np.zeros_like(is_new)
    follows[:, 1:] = (named["actor"] & ~named["voice"])[:, :-1] & (story[:, 1:] == story[:, :-1])
    # An event's own sentence may go on "… of Oakdale Alliance", so it keeps the name.
    tells_event = np.isin(facts.kind[rows, first], book.event_kind[:, 0])
    leads = book.actor_leads[templates[:, :, _MAIN]]
    pronoun = ~is_new & ~tells_event & follows & leads & (style[:, :, 0] < 0.5)
    noun = ~is_new & ~tells_event & ~pronoun & (style[:, :, 0] >= 0.7)
    surname = cast.actor_surname[rows, story]
    woman = cast.actor_is_woman[rows, story]
    role = cast.actor_noun[rows, story]
    title = np.where(is_new, cast.actor_title[rows, story], EMPTY)
    given = np.where(is_new, cast.actor_first[rows, story], EMPTY)
    put("actor0", title)
    put("actor1", given)
    put("actor2", np.where(pronoun, book.pronoun[woman], np.where(noun, role, surname)))
    put("actor's0", title)
    put("actor's1", given)
    put("actor's2", np.where(pronoun, book.possessive[woman], np.where(noun, role, surname)))
    put("actor's3", np.where(pronoun, EMPTY, book.apostrophe))
    # A second clause in the same sentence uses no pronoun, and no full name where the first has it.
    again = book.mentions["actor"][templates[:, :, _MAIN]] & (plan.second >= 0)
    for name in ("actor0", "actor1", "actor's0", "actor's1"):
        put(name, np.where(again, EMPTY, slots[:, :, _SECOND, SLOTS[name]]), _SECOND)
    put("actor2", np.where(noun | again, role, surname), _SECOND)

    knows_body = met["body"]
    body_noun = knows_body & (style[:, :, 1] < 0.5)
    put("body0", np.where(body_noun, cast.body_noun[rows, story], cast.body_name[rows, story]))
    put("body1", np.where(body_noun, EMPTY, cast.body_suffix[rows, story]))
    again = book.mentions["body"][templates[:, :, _MAIN]] & (plan.second >= 0)
    put(
        "body0",
        np.where(again, cast.body_noun[rows, story], slots[:, :, _SECOND, SLOTS["body0"]]),
        _SECOND,
    )
    put("body1", np.where(again, EMPTY, slots[:, :, _SECOND, SLOTS["body1"]]), _SECOND)

    place_noun = met["place"] & (style[:, :, 2] < PLACE_NOUN_CHANCE)
    put("place0", np.where(place_noun, cast.place_noun[rows, story], cast.place[rows, story]))
    definite = met["thing"]
    put("thing0", np.where(definite, cast.definite_thing[rows, story], cast.thing[rows, story]))
    put("day0", (cast.plain_day if is_reference else cast.day)[rows, story])

    speaker = np.maximum(facts.voice[rows, first], 0)
    put("voice0", cast.voice_role[rows, story, speaker])
    put("voice1", cast.voice_first[rows, story, speaker])
    put("voice2", cast.voice_surname[rows, story, speaker])
    return slots


def _met_before(
    told: NDArray[np.bool_], story: NDArray[np.int64], stories: int
) -> NDArray[np.bool_]:
    """Returns where a sentence's story has told a thing in an earlier sentence."""
    before = np.zeros_like(told)
    for number in range(stories):
        own = story == number
        count = np.cumsum(told & own, axis=1) - (told & own)
        before |= own & (count > 0)
    return before

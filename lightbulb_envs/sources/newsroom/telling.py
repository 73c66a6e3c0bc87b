"""Telling: from a plan and its facts to filled templates, and from those to pieces.

Mentions depend on what the reader has met: a person is "Mayor Anna Halgard" first and then
"Halgard", "the mayor" or, right after a sentence of the same story that named her, "she".
"""

import numpy as np
from numpy.typing import NDArray

from lightbulb_envs.randomness import Draws, to_range
from lightbulb_envs.sources.grammar import EMPTY
from lightbulb_envs.sources.newsroom.cast import Cast
from lightbulb_envs.sources.newsroom.facts import Facts
from lightbulb_envs.sources.newsroom.plan import Plan, Role
from lightbulb_envs.sources.newsroom.stylebook import SLOTS, Stylebook

SEGMENTS = 5
"""Opener, main clause, joiner, second clause, close."""
_MAIN, _SECOND = 1, 3

LINK_CHANCE = 0.15
EARLY_CHANCE = 0.05
"""Chance that a true fact, too, is told as an early report."""
REPEAT_OPENER_CHANCE = 0.7
SOURCE_CHANCE = 0.25
PRONOUN_CHANCE = 0.5
ROLE_CHANCE = 0.3
BODY_NOUN_CHANCE = 0.5
PLACE_NOUN_CHANCE = 0.35


def choose_templates(
    book: Stylebook, draws: Draws, facts: Facts, plan: Plan, variant: int
) -> NDArray[np.int64]:  # (N, S, SEGMENTS)
    """Chooses the wording of every sentence.

    A sentence that repeats the fact of an earlier one as its main clause uses another wording
    than the last of those; a second clause is not kept from it.
    """
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
    # Opinions of an article count on from one wording, so that no two people who think alike say
    # the same, as long as the split has a wording for each (`ood` has fewer than voices).
    spoken = facts.voice[rows, first]
    opinion = to_range(draws.take(1), count) + spoken
    wording = np.where(exists & (spoken >= 0), opinion % count, wording)
    wording = _avoid_last_wording(first, exists, wording, count, facts.kind.shape[1])
    templates[:, :, _MAIN] = np.where(exists, book.main.start[variant][kind] + wording, EMPTY)

    words = draws.take(shape[1])
    clause = np.where(
        plan.is_tail,
        book.tail.pick(variant, second_kind, words),
        book.main.pick(variant, second_kind, words),
    )
    has_second = plan.second >= 0
    templates[:, :, _SECOND] = np.where(has_second, clause, EMPTY)
    conjunction = book.joiners.start + 1 + draws.below(book.joiners.count - 1, shape[1])
    joiner = np.where(plan.is_tail, book.joiners.start, conjunction)
    templates[:, :, 2] = np.where(has_second, joiner, EMPTY)

    templates[:, :, 0] = _choose_openers(book, draws, plan)
    is_plain = (plan.role == Role.FACT) & (templates[:, :, 0] == EMPTY)
    tells_event = np.isin(kind, book.kinds.of_event[:, 0])
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
    main = book.reference.pick(variant, kind, draws.take(shape[1]))
    templates[:, :, _MAIN] = np.where(exists, main, EMPTY)
    words = draws.take(shape[1])
    clause = np.where(
        plan.is_tail,
        book.reference_tail.pick(variant, second_kind, words),
        book.reference.pick(variant, second_kind, words),
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
    # Several reports say themselves which of them is early.
    is_one_report = (plan.role < Role.FIRST_REPORT).all(axis=1, keepdims=True)
    opener = np.full(plan.role.shape, EMPTY, dtype=np.int64)
    for name, where in (
        ("link", may_link & (chance < LINK_CHANCE)),
        ("early", may_link & (chance >= 1 - EARLY_CHANCE) & (plan.second < 0) & is_one_report),
        ("repeat", (plan.role == Role.REPEAT) & is_later & (chance < REPEAT_OPENER_CHANCE)),
        ("early", plan.role == Role.EARLY),
        ("correction", plan.role == Role.CORRECTION),
        ("elsewhere", plan.role == Role.ELSEWHERE),
        ("first_report", plan.role == Role.FIRST_REPORT),
        ("later_report", plan.role == Role.LATER_REPORT),
        ("latest_report", plan.role == Role.LATEST_REPORT),
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
    rows, story = np.arange(blocks)[:, None], plan.story
    first = np.maximum(plan.first, 0)
    slots = _Slots(blocks, sentences)
    for segment, fact in ((_MAIN, first), (_SECOND, np.maximum(plan.second, 0))):
        for name in ("n0", "value0"):
            slots.put(name, facts.object_phrase[rows, fact], segment)
    desk = cast.desk[rows, story]
    source = book.source.pick(variant, desk, draws.take(sentences))
    day = cast.plain_day if is_reference else cast.day
    speaker = np.maximum(facts.voice[rows, first], 0)
    for name, phrase in (
        ("event0", cast.noun[rows, story]),
        ("source0", source),
        ("day0", day[rows, story]),
        ("voice0", cast.voice_role[rows, story, speaker]),
        ("voice1", cast.voice_first[rows, story, speaker]),
        ("voice2", cast.voice_surname[rows, story, speaker]),
    ):
        slots.put(name, phrase)

    named: dict[str, NDArray[np.bool_]] = {
        name: np.any(flags[templates], axis=2) for name, flags in book.mentions.items()
    }
    met = {name: _met_before(told, plan.passage) for name, told in named.items()}
    style = draws.unit(sentences, 3)
    # An event's own sentence may go on "… of Oakdale Alliance", so it keeps the name.
    tells_event = np.isin(facts.kind[rows, first], book.kinds.of_event[:, 0])
    follows = np.zeros_like(tells_event)
    follows[:, 1:] = (named["actor"] & ~named["voice"])[:, :-1] & _goes_on(plan)
    main = templates[:, :, _MAIN]
    may_be_pronoun = ~tells_event & follows & book.actor_leads[main]
    _fill_actor(slots, book, cast, plan, main, style[:, :, 0], met, tells_event, may_be_pronoun)
    _fill_body(slots, book, cast, plan, main, style[:, :, 1], met)
    by_noun = met["place"] & (style[:, :, 2] < PLACE_NOUN_CHANCE)
    slots.put("place0", np.where(by_noun, cast.place_noun[rows, story], cast.place[rows, story]))
    definite = cast.definite_thing[rows, story]
    slots.put("thing0", np.where(met["thing"], definite, cast.thing[rows, story]))
    return slots.values


class _Slots:
    """The slots of a block of sentences, all empty at first."""

    def __init__(self, blocks: int, sentences: int):
        self.values = np.zeros((blocks, sentences, SEGMENTS, len(SLOTS)), dtype=np.int32)

    def put(
        self, name: str, phrases: NDArray[np.integer] | int, segment: int | None = None
    ) -> None:
        """Fills a slot in one segment of every sentence, or in all segments."""
        if segment is None:
            self.values[:, :, :, SLOTS[name]] = np.asarray(phrases)[..., None]
        else:
            self.values[:, :, segment, SLOTS[name]] = phrases


def _fill_actor(
    slots: _Slots,
    book: Stylebook,
    cast: Cast,
    plan: Plan,
    main: NDArray[np.int64],
    style: NDArray[np.float64],
    met: dict[str, NDArray[np.bool_]],
    tells_event: NDArray[np.bool_],
    may_be_pronoun: NDArray[np.bool_],
) -> None:
    """Names the actor: in full at first, then by surname, by role, or by pronoun."""
    rows, story = np.arange(len(main))[:, None], plan.story
    is_new = ~met["actor"]
    pronoun = ~is_new & may_be_pronoun & (style < PRONOUN_CHANCE)
    noun = ~is_new & ~tells_event & ~pronoun & (style >= 1 - ROLE_CHANCE)
    surname, role = cast.actor_surname[rows, story], cast.actor_noun[rows, story]
    she = book.pronoun[cast.actor_is_woman[rows, story]]
    slots.put("actor0", np.where(is_new, cast.actor_title[rows, story], EMPTY))
    slots.put("actor1", np.where(is_new, cast.actor_first[rows, story], EMPTY))
    slots.put("actor2", np.where(pronoun, she, np.where(noun, role, surname)))
    # A second clause uses no pronoun, and no full name where the first clause has it.
    again = book.mentions["actor"][main] & (plan.second >= 0)
    is_first = is_new & ~again
    slots.put("actor0", np.where(is_first, cast.actor_title[rows, story], EMPTY), _SECOND)
    slots.put("actor1", np.where(is_first, cast.actor_first[rows, story], EMPTY), _SECOND)
    slots.put("actor2", np.where(noun | again, role, surname), _SECOND)


def _fill_body(
    slots: _Slots,
    book: Stylebook,
    cast: Cast,
    plan: Plan,
    main: NDArray[np.int64],
    style: NDArray[np.float64],
    met: dict[str, NDArray[np.bool_]],
) -> None:
    """Names the body: in full at first, then in full or by its noun."""
    rows, story = np.arange(len(main))[:, None], plan.story
    name, noun = cast.body_name[rows, story], cast.body_noun[rows, story]
    suffix = cast.body_suffix[rows, story]
    by_noun = met["body"] & (style < BODY_NOUN_CHANCE)
    again = by_noun | (book.mentions["body"][main] & (plan.second >= 0))
    for segment, is_short in ((_MAIN, by_noun), (_SECOND, again)):
        slots.put("body0", np.where(is_short, noun, name), segment)
        slots.put("body1", np.where(is_short, EMPTY, suffix), segment)


def _goes_on(plan: Plan) -> NDArray[np.bool_]:
    """Returns where a sentence, the first excepted, is of the passage of the one before it."""
    is_same: NDArray[np.bool_] = plan.passage[:, 1:] == plan.passage[:, :-1]
    return is_same


def _met_before(told: NDArray[np.bool_], passage: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Returns where a sentence's passage has told a thing in an earlier sentence."""
    before = np.zeros_like(told)
    for number in range(int(passage.max()) + 1):
        own = passage == number
        count = np.cumsum(told & own, axis=1) - (told & own)
        before |= own & (count > 0)
    return before

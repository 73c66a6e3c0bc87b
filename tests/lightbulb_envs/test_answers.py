"""Answers: what is one, what is prose, and which action it stands for."""

import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete, MultiBinary, MultiDiscrete
from hypothesis import given
from hypothesis import strategies as st

from lightbulb_envs.answers import WORDS, Answers, RefusedError, parse_answer, ranges

PICK = Answers(Discrete(8), has_stop=True)
PLAIN = Answers(Discrete(5, start=2), has_stop=False)
SLATE = Answers(MultiDiscrete([8, 8, 8]), has_stop=True)
SUBSET = Answers(MultiBinary(7), has_stop=True)
FORECAST = Answers(Box(0, 1, (2,)), has_stop=False)

numbers = st.integers(0, 999)
fillers = st.lists(st.sampled_from([*sorted(WORDS), "**", "[", "]:", "#", "<b>", "</b>"]))


@pytest.mark.parametrize(
    "text",
    [
        "3",
        " pick 3 ",
        "I choose sentence 3.",
        "**Answer:** [3]",
        "<answer>3</answer>",
        '{"action": 3}',
        "I'll take sentence #3!",
        "20 people died, and 3 were hurt.\nSo I think of 7.\nMy choice: 3",
        "3\nIt says that 20 people died.",
        "3\n\n",
        "7\n3",
    ],
)
def test_a_line_of_a_number_and_known_words_is_an_answer_and_the_last_one_counts(text):
    assert parse_answer(text, 1) == (3,)


@pytest.mark.parametrize("text", ["stop", "STOP", "I choose to stop.", "3\n`stop`", "Stop!"])
def test_stop_is_an_answer(text):
    assert parse_answer(text, 1) == parse_answer(text, 4) == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("3, 1, 7", (3, 1, 7)),
        ("[3],[1],[7]", (3, 1, 7)),
        ("I pick sentences 3, 1 and 7, then stop.", (3, 1, 7)),
        ('{"action": [3, 1, 7]}', (3, 1, 7)),
        ("3", (3,)),
    ],
)
def test_several_numbers_are_told_in_their_order(text, told):
    assert parse_answer(text, 3) == told


@pytest.mark.parametrize(
    "text",
    [
        *("3 or 7", "3-7", "3 to 7", "not 3", "don't stop", "3 people", "three", "1. 3"),
        *("-3", "3.5", "007", "1,000", "³", "３", "9" * 5000),
        *("\x00", "\ud800", "🙂", "x" * (1 << 20)),
    ],
)
def test_what_could_be_meant_otherwise_is_prose(text):
    for most in (1, 4):
        with pytest.raises(RefusedError, match="^[^\n]{1,70} is no answer$"):
            parse_answer(text, most)


@pytest.mark.parametrize(
    ("text", "most", "reason"),
    [
        ("", 1, "the answer is empty"),
        ("\n \n", 1, "the answer is empty"),
        ("3 7", 1, "has 2 numbers, and one is asked for"),
        ("3\n1 3", 1, "has 2 numbers, and one is asked for"),
        ("1 2 3 4", 3, "has 4 numbers, and at most 3 are asked for"),
        ("3 stop", 1, 'both a number and "stop"'),
        ("stop, 3", 4, 'both a number and "stop"'),
    ],
)
def test_an_answer_that_names_too_much_is_refused_whatever_stands_before_it(text, most, reason):
    with pytest.raises(RefusedError, match=reason):
        parse_answer(text, most)


@given(st.text() | st.text("0123456789 ,.\n[]stopick-"), st.integers(1, 4))
def test_any_text_is_numbers_or_refused_in_one_line(text, most):
    try:
        told, reason = parse_answer(text, most), "none"
    except RefusedError as refusal:
        told, reason = (), str(refusal)
    assert len(reason.encode().splitlines()) == 1
    assert len(told) <= most
    assert all(str(number) in text for number in told)


@given(st.lists(numbers, min_size=1, max_size=5), fillers, st.text())
def test_words_and_marks_around_numbers_and_prose_before_them_change_nothing(told, around, before):
    line = " ".join([*around, *map(str, told), *around])
    assert parse_answer(f"{before}\n{line}", 5) == tuple(told)


@pytest.mark.parametrize(
    ("answers", "told", "action"),
    [
        (PICK, [3], 3),
        (PICK, [], 7),
        (PLAIN, [6], 6),
        (SLATE, [3, 1], [3, 1, 7]),
        (SLATE, [3, 3, 3], [3, 3, 3]),
        (SLATE, [], [7, 7, 7]),
        (SUBSET, [4, 1], [0, 1, 0, 0, 1, 0, 0]),
        (SUBSET, [], [0] * 7),
    ],
)
def test_numbers_stand_for_actions_and_back(answers, told, action):
    assert answers.action(told) == action
    assert action in answers._space or answers._space.contains(_array(answers, action))
    assert sorted(answers.named(action)) == sorted(told)


def _array(answers, action):
    return answers._space.sample() * 0 + action


@pytest.mark.parametrize(
    ("answers", "told", "reason"),
    [
        (PICK, [7], "there is no 7: they go from 0 to 6"),
        (PLAIN, [1], "there is no 1: they go from 2 to 6"),
        (PLAIN, [], "nothing stops this environment"),
        (SLATE, [3, 7], "there is no 7"),
        (SUBSET, [7], "there is no 7"),
        (FORECAST, [101, 0], "there is no 101: they go from 0 to 100"),
        (FORECAST, [70], "the answer has 1 numbers, and 2 are asked for"),
        (FORECAST, [], "nothing stops this environment"),
    ],
)
def test_numbers_that_stand_for_nothing_are_refused(answers, told, reason):
    with pytest.raises(RefusedError, match=reason):
        answers.action(told)


@pytest.mark.parametrize(
    "text", ["70, 30", "70% and 30%", "**Answer:** 70 %, 30 %.", "20, 80\n[70, 30]"]
)
def test_shares_are_told_in_per_cent(text):
    assert FORECAST.parse(text) == np.array([0.7, 0.3], dtype=np.float32).tolist()
    assert FORECAST.named(FORECAST.parse(text)) == [70, 30]


@pytest.mark.parametrize("text", ["0.7, 0.3", "about 70%", "%", "70 per 30"])
def test_shares_that_are_not_whole_numbers_are_prose(text):
    with pytest.raises(RefusedError, match="is no answer"):
        FORECAST.parse(text)


def test_a_percent_sign_is_prose_where_no_shares_are_asked_for():
    with pytest.raises(RefusedError, match="is no answer"):
        PICK.parse("3%")


@pytest.mark.parametrize(
    "space", [Box(0, 1), Box(-1, 1, (2,)), MultiDiscrete([3, 3]), MultiBinary(3)]
)
def test_spaces_that_numbers_do_not_name_are_refused(space):
    with pytest.raises(ValueError, match="actions are Discrete, and here they are"):
        Answers(space, has_stop=False)


def test_ranges_are_told_by_their_ends():
    assert ranges([0, 1, 2, 3, 7, 9, 10]) == "0-3, 7, 9-10"
    assert ranges([]) == "none"

"""A network is built from what an observation holds."""

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Dict, Discrete, MultiBinary, MultiDiscrete

import lightbulb_envs
from lightbulb_agents.layout import Layout

TOKENS = Box(0, 9, (4, 5), np.int32)
MASK = Box(0, 1, (5,), np.int8)


def test_the_layouts_of_our_environments():
    for env_id, actions, places, is_subset in (
        ("Lightbulb/NewsSummariser-v0", 23, 1, False),
        ("Lightbulb/NewsSummariser-Slate-v0", 23, 4, False),
        ("Lightbulb/NewsSummariser-Subset-v0", 23, 1, True),
    ):
        engine = lightbulb_envs.make_engine(env_id, 1, features=True)
        layout = Layout.of(engine.observation_space, engine.action_space)
        assert layout == Layout(actions, places, ("budget",), 1, 4, is_subset=is_subset)
        assert Layout.from_json(layout.to_json()) == layout
    engine = lightbulb_envs.make_engine("Lightbulb/NewsSummariser-Tokens-v0", 1)
    layout = Layout.of(engine.observation_space, engine.action_space)
    assert layout == Layout(280, vectors=("budget",), writes=True)


def test_named_vectors_are_read_in_the_order_of_their_names():
    space = Dict(tokens=TOKENS, action_mask=MASK, mood=Box(0, 1, (3,)), age=Box(0, 1, (2,)))
    layout = Layout.of(space, Discrete(5))
    assert (layout.vectors, layout.vector_width, layout.features) == (("age", "mood"), 5, 0)


@pytest.mark.parametrize(
    ("space", "actions", "message"),
    [
        (TOKENS, Discrete(5), "needs a Dict observation"),
        (Dict(tokens=TOKENS), Discrete(5), "`action_mask`"),
        (Dict(tokens=TOKENS, action_mask=MASK, grid=TOKENS), Discrete(5), "'grid' must be"),
        (Dict(tokens=TOKENS, action_mask=MASK), Box(0, 1, (2, 2)), "acts in Discrete"),
    ],
)
def test_spaces_that_no_network_can_act_in_are_refused(space, actions, message):
    with pytest.raises(TypeError, match=message):
        Layout.of(space, actions)


def test_the_number_of_actions_is_the_spaces():
    space = Dict(tokens=TOKENS, action_mask=MASK)
    for actions, count in (
        (Discrete(7), 7),
        (MultiDiscrete([6, 6]), 6),
        (MultiBinary(4), 5),
        (Box(0, 1, (3,)), 3),
    ):
        assert Layout.of(space, actions).actions == count


def test_a_head_that_does_not_fit_the_actions_is_refused():
    env_id = "Lightbulb/NewsSummariser-Slate-v0"
    engine = lightbulb_envs.make_engine(env_id, 1, form="multibinary")
    with pytest.raises(ValueError, match="NewsSummariser-Subset-v0"):
        lightbulb_envs.registry.check_head(lightbulb_envs.find_row(env_id), engine)
    assert isinstance(gymnasium.make(env_id).action_space, MultiDiscrete)

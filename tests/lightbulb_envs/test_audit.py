"""No degenerate policy earns more than its ceiling, whatever the id and the reward."""

import dataclasses
import json
import sys
import types
from pathlib import Path

import gymnasium
import numpy as np
import pytest

import lightbulb_envs
from lightbulb_envs.audit import Cell, Column, audit, ceilings, rewards_of
from lightbulb_envs.audit.__main__ import format_matrix, main
from lightbulb_envs.audit.ceilings import ALLOWANCES, CEILINGS, Allowance, Ceiling, limit_of
from lightbulb_envs.baselines import BASELINES, Baseline
from lightbulb_envs.baselines.canaries import CANARIES, canaries_of
from lightbulb_envs.baselines.reading_canaries import READING_CANARIES
from lightbulb_envs.baselines.writing_canaries import CANARIES as WRITING_CANARIES
from lightbulb_envs.engines.engine import Step
from lightbulb_envs.registry import make_engine
from lightbulb_envs.rewards.compose import PRESETS
from lightbulb_envs.score import Interval

EPISODES = 8
IDS = [env_id for env_id in lightbulb_envs.ROWS if env_id.startswith("Lightbulb/")]
ID = "Lightbulb/NewsSummariser-v0"
RESULTS = Path(__file__).parents[2] / "benchmarks" / "results" / "audit.json"


@pytest.mark.parametrize("env_id", IDS)
def test_no_canary_is_above_its_ceiling(env_id):
    for reward in rewards_of(env_id):
        column = audit(env_id, reward, EPISODES)
        for cell in column.cells:
            # On so few documents a mean is known to ten points or so.
            assert cell.score.low <= cell.limit.score, (cell.canary, reward)
            assert not cell.beats_control, (cell.canary, reward)
        assert column.random_return < column.oracle_return


def test_the_measured_matrix_is_whole_and_below_the_ceilings():
    told = json.loads(RESULTS.read_text(encoding="utf-8"))
    columns = {(column["env_id"], column["reward"]): column for column in told["columns"]}
    assert set(columns) == {(env_id, reward) for env_id in IDS for reward in rewards_of(env_id)}
    for (env_id, reward), column in columns.items():
        assert set(column["scores"]) == set(canaries_of(make_engine(env_id, 1)))
        for name, score in column["scores"].items():
            limit = limit_of(name, env_id, reward, column["heuristic_score"])
            assert score["mean"] <= limit.score, (name, env_id, reward)


def test_every_allowance_is_needed():
    told = json.loads(RESULTS.read_text(encoding="utf-8"))
    used = set()
    for column in told["columns"]:
        for name, score in column["scores"].items():
            place = (name, column["env_id"], column["reward"])
            limit = limit_of(*place, column["heuristic_score"])
            if score["mean"] > limit.ceiling:
                used.add((limit.allowance, name))
    assert used == {(one, name) for one in ALLOWANCES for name in one.canaries}


def test_every_canary_has_a_ceiling_and_every_ceiling_a_canary():
    known = {*CANARIES, *READING_CANARIES, *WRITING_CANARIES}
    assert set(CEILINGS) == known
    for allowance in ALLOWANCES:
        assert set(allowance.canaries) <= known
        assert set(allowance.ids or ()) <= set(lightbulb_envs.ROWS)
        assert set(allowance.rewards or ()) <= set(PRESETS)


def test_a_limit_is_the_ceiling_the_heuristic_or_an_allowance(monkeypatch):
    monkeypatch.setattr(
        ceilings,
        "CEILINGS",
        {"a": Ceiling(40, ""), "b": Ceiling(40, "", is_under_heuristic=True)},
    )
    allowance = Allowance(("b",), 60, "because", ids=("X-v0",), rewards=("rouge",))
    monkeypatch.setattr(ceilings, "ALLOWANCES", (allowance,))
    assert limit_of("a", "X-v0", "rouge", 30).score == 40
    assert limit_of("b", "Y-v0", "rouge", 30).score == 30
    assert limit_of("b", "X-v0", "facts_and_rouge", 90).score == 40
    assert limit_of("b", "X-v0", "rouge", 30).score == 60
    assert limit_of("always 0", "X-v0", None, 30).score == 30


def test_canaries_can_be_chosen_and_repeat_themselves():
    one, two = (audit(ID, "rouge", 4, names=("nothing", "word_soup")) for _ in range(2))
    assert one == two
    assert [cell.canary for cell in one.cells] == ["nothing", "word_soup"]


def a_cell(score, ceiling, allowance=None, control=None):
    limit = ceilings.Limit(ceiling, allowance)
    return Cell("nothing", Interval(score, score, score), limit, control)


@pytest.mark.parametrize(
    ("cell", "mark", "note"),
    [
        (a_cell(1.0, 2.0), " ", "No canary is above its ceiling."),
        (a_cell(3.0, 2.0), "!", "! nothing [1] scores 3.0, above 2.0"),
        (a_cell(1.0, 2.0, control=0.5), "!", "! nothing [1] scores 1.0, above its control's 0.5"),
        (a_cell(3.0, 2.0, Allowance((), 5, "so it is")), "*", "* nothing: so it is"),
        (a_cell(3.0, 2.0, Allowance((), 5, "alas", is_flaw=True)), "?", "? nothing: alas"),
        (a_cell(9.0, 2.0, Allowance((), 5, "")), "!", "! nothing [1] scores 9.0, above 5.0"),
    ],
)
def test_the_matrix_marks_what_is_above_its_ceiling(cell, mark, note):
    text = format_matrix([Column(ID, "rouge", 0.1, 0.5, "lead-3", 50.0, (cell,))])
    assert f"{cell.score.mean:.1f}{mark}".strip() in text.splitlines()[4]
    assert text.splitlines()[-1] == note


def test_the_command_writes_the_matrix_and_fails_where_a_canary_lives(
    monkeypatch, capsys, tmp_path
):
    path = tmp_path / "audit.json"
    command = ["audit", ID, "--episodes", "2", "--json", str(path)]
    names = {name: CANARIES[name] for name in ("nothing", "homoglyphs copies")}
    monkeypatch.setattr("lightbulb_envs.baselines.canaries.CANARIES", names)
    monkeypatch.setattr(sys, "argv", command)
    main()
    assert f"[2] {ID}, reward rouge" in capsys.readouterr().out
    told = json.loads(path.read_text(encoding="utf-8"))
    assert [list(column["scores"]) for column in told["columns"]] == [list(names)] * 2
    monkeypatch.setitem(ceilings.CEILINGS, "nothing", Ceiling(-500, ""))
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 1
    assert "! nothing [1] scores" in capsys.readouterr().out


class Labels:
    """A third party's engine: names one of three labels, of which the first is right most often."""

    Config = dataclasses.make_dataclass("Config", [("split", str, "train")], frozen=True)
    baselines = f"{__name__}:LABEL_BASELINES"
    num_instances = None
    action_space = gymnasium.spaces.Discrete(3)

    def __init__(self, config, num_envs, max_steps=None):
        self.num_envs = num_envs
        self._instance = np.zeros(num_envs, dtype=np.int64)

    def reset(self, rows, instances):
        self._instance[rows] = instances

    def right(self, rows):
        return self._instance[rows] % 4 % 3

    def step(self, rows, actions):
        reward = (actions == self.right(rows)).astype(float)
        yes = np.ones(len(rows), dtype=bool)
        return Step(reward, reward[:, None], yes, ~yes, ~yes)

    def observe(self, rows):
        return {"action_mask": np.ones((len(rows), 3), dtype=np.int8), "tokens": self.right(rows)}

    def instance(self, rows):
        return self._instance[rows]


class ReadsLabel:
    """Names the right label."""

    def reset(self, seed=None):
        pass

    def act(self, observation, info):
        return observation["tokens"]


class MostlyReadsLabel(ReadsLabel):
    """Names the right label, but for one document in eight."""

    def act(self, observation, info):
        return np.where(info["instance"] % 8 == 7, 1, observation["tokens"])


LABEL_BASELINES = {
    "random": BASELINES["random"],
    "rule": Baseline(lambda engine: MostlyReadsLabel()),
    "oracle": Baseline(lambda engine: ReadsLabel(), knows_truth=True),
}


@pytest.fixture
def labels(monkeypatch):
    """The id of a third party's environment, for one test."""
    monkeypatch.setitem(
        sys.modules, __name__, sys.modules.get(__name__, types.ModuleType(__name__))
    )
    monkeypatch.setattr(sys.modules[__name__], "Labels", Labels, raising=False)
    monkeypatch.setattr(sys.modules[__name__], "LABEL_BASELINES", LABEL_BASELINES, raising=False)
    row = lightbulb_envs.Row(
        id="Test/Labels-v0",
        engine=f"{__name__}:Labels",
        head="categorical",
        heuristic="rule",
        agent="dqn",
        max_episode_steps=4,
    )
    monkeypatch.setitem(lightbulb_envs.ROWS, row.id, row)
    return row.id


def test_a_third_party_s_labels_are_audited_by_actions_that_look_at_nothing(labels):
    assert rewards_of(labels) == (None,)
    column = audit(labels, None, 16)
    scores = {cell.canary: cell.score.mean for cell in column.cells}
    assert set(scores) == {"first legal", "last legal", "always 0", "always 1", "always 2"}
    assert scores["always 0"] == scores["first legal"] > 0 > scores["always 1"]
    assert scores["always 0"] < column.heuristic_score < 100
    assert not any(cell.is_over for cell in column.cells)


def test_an_action_space_without_canaries_is_named(labels, monkeypatch):
    monkeypatch.setattr(Labels, "action_space", gymnasium.spaces.Box(0, 1))
    with pytest.raises(ValueError, match=r"acts in Box.*no canary is known"):
        audit(labels, None, 4)


def test_an_unknown_id_is_named(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["audit", "Lightbulb/Nothing-v0"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert "there are Lightbulb/NewsSummariser-Easy-v0" in capsys.readouterr().err

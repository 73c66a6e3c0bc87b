"""Every kind of bad input ends in one clear error and changes no file.

An error says what came, what is allowed and what to do. Text that is odd and legal is in
`test_odd_input.py`; full disks, read-only folders, Ctrl-C and kills are in
`nothing_is_lost`.
"""

import json
import math
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

import lightbulb_envs
from lightbulb_agents.config import Sizes, TrainConfig
from lightbulb_agents.evaluate import EvaluateConfig, evaluate_run
from lightbulb_agents.train import run_training
from lightbulb_backbones.runs.checkpoint import latest_checkpoint
from lightbulb_envs.baselines.lead import Lead
from lightbulb_envs.record import read_records, records_of, write_records
from lightbulb_envs.replay import replay
from lightbulb_envs.rollout import roll_out

ID = "Lightbulb/NewsSummariser-v0"
GOOD = {"id": "a", "article": "One sentence. Another one. A third one.", "summary": "Another one."}
TINY = {
    "budget": "100",
    "rows": 16,
    "test_episodes": 2,
    "threads": 1,
    "sizes": Sizes(width=16, article_layers=0),
}


@dataclass
class Given:
    """What a kind of bad input is made of."""

    folder: Path
    trained: Callable[[], Path]
    """Returns a copy of a trained run, below the folder."""
    _before: dict[Path, bytes] | None = None

    @property
    def news(self) -> Path:
        return self.folder / "news.jsonl"

    def write(self, *rows: object) -> Path:
        """Writes rows to `news`; bytes stay as they are."""
        lines = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
        self.news.write_bytes(b"\n".join(lines) + b"\n")
        return self.news

    def is_set(self) -> None:
        """Remembers all files: what follows must leave them as they are."""
        self._before = self._files()

    def check_unchanged(self) -> None:
        assert self._before is not None, "the test did not say when its files were there"
        assert self._files() == self._before

    def _files(self) -> dict[Path, bytes]:
        return {one: one.read_bytes() for one in self.folder.rglob("*") if one.is_file()}


@dataclass(frozen=True)
class Kind:
    """A kind of bad input, and what the error must be."""

    make: Callable[[Given], Any]
    error: type[Exception]
    says: tuple[str, ...]
    """Substrings: what came, what is allowed, what to do. {folder} is that of the test."""


def _settings(error: type[Exception], *says: str, **settings: Any) -> Kind:
    """Returns the kind of an engine with these settings; {news} in them is a good file."""

    def make(given: Given) -> None:
        given.write(GOOD, {**GOOD, "id": "b"})
        given.is_set()
        lightbulb_envs.make_engine(ID, 1, **_fill(settings, given))

    return Kind(make, error, says)


def _fill(value: Any, given: Given) -> Any:
    if isinstance(value, str):
        return value.replace("{news}", str(given.news)).replace("{folder}", str(given.folder))
    if isinstance(value, dict):
        return {name: _fill(inner, given) for name, inner in value.items()}
    return [_fill(inner, given) for inner in value] if isinstance(value, list) else value


def _row(row: object, *says: str, **settings: Any) -> Kind:
    """Returns the kind of a file whose second row is bad."""

    def make(given: Given) -> None:
        given.write(GOOD, row)
        given.is_set()
        lightbulb_envs.make_engine(ID, 1, source=f"jsonl:{given.news}", **settings)

    return Kind(make, ValueError, ("{folder}/news.jsonl, line 2: ", *says, 'on_error="skip"'))


def _records(error: type[Exception], change: Callable[[Path], None], *says: str) -> Kind:
    """Returns the kind of a file of records to which something happened."""

    def make(given: Given) -> None:
        given.write(*({**GOOD, "id": str(number)} for number in range(3)))
        settings = {"source": f"jsonl:{given.news}"}
        engine = lightbulb_envs.make_engine(ID, 1, **settings)
        played = roll_out(Lead(2), engine, np.arange(3))
        path = given.folder / "episodes.jsonl"
        write_records(path, records_of(ID, settings, engine, played))
        change(path)
        given.is_set()
        replay(read_records(path))

    return Kind(make, error, says)


def _edit(**changes: Any) -> Callable[[Path], None]:
    """Returns a change of the second record of a file."""

    def change(path: Path) -> None:
        lines = path.read_text().splitlines()
        lines[1] = json.dumps({**json.loads(lines[1]), **changes})
        path.write_text("\n".join(lines) + "\n")

    return change


def _run(
    change: Callable[[Path], None], act: Callable[[Path], Any], error: type[Exception], *says: str
) -> Kind:
    """Returns the kind of a trained run to which something happened."""

    def make(given: Given) -> None:
        run = given.trained()
        change(run)
        given.is_set()
        act(run)

    return Kind(make, error, says)


def _cut(name: str) -> Callable[[Path], None]:
    """Returns a change: half of a file is lost; LAST in its name is the newest checkpoint."""

    def change(run: Path) -> None:
        path = run / name.replace("LAST", f"checkpoints/{latest_checkpoint(run).name}")
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    return change


def _put(name: str, text: str) -> Callable[[Path], None]:
    return lambda run: (run / name).write_text(text) and None


def _evaluate(run: Path) -> None:
    evaluate_run(EvaluateConfig(run, episodes=2))


def _resume(run: Path, **changes: Any) -> None:
    run_training(replace(TrainConfig(run_folder=run, resume=True, **TINY), **changes))


def _unchanged(run: Path) -> None:
    """Leaves a run as it is."""


def _step(action: Any) -> Callable[[Given], None]:
    """Returns an episode with an action."""

    def make(given: Given) -> None:
        given.is_set()
        env = gymnasium.make(ID)
        env.reset(seed=0)
        env.step(action)

    return make


def _after_the_end(given: Given) -> None:
    given.is_set()
    env = gymnasium.make(ID).unwrapped
    env.reset(seed=0)
    env.step(env.action_space.n - 1)
    env.step(0)


def _reset(**arguments: Any) -> Callable[[Given], None]:
    def make(given: Given) -> None:
        given.is_set()
        gymnasium.make(ID).unwrapped.reset(**arguments)

    return make


def _engine(env_id: str) -> Callable[[Given], None]:
    def make(given: Given) -> None:
        given.is_set()
        lightbulb_envs.make_engine(env_id, 1)

    return make


def _read(name: str) -> Callable[[Given], None]:
    """Reads records from a place below the folder; "folder" is one."""

    def make(given: Given) -> None:
        (given.folder / "folder").mkdir()
        (given.folder / "empty").touch()
        given.is_set()
        read_records(given.folder / name)

    return make


def _start_in_a_file(given: Given) -> None:
    given.write(GOOD)
    given.is_set()
    run_training(TrainConfig(run_folder=given.news / "run", **TINY))


WHOLE = "is whole: to go on from it, remove {folder}/run/checkpoints/"
ELSEWHERE = "start the run anew in another folder"
KINDS = {
    # Ids and keywords.
    "unknown id": Kind(_engine("Lightbulb/No-v0"), ValueError, ("'Lightbulb/No-v0'", f", {ID},")),
    "unknown id for Gymnasium": Kind(
        lambda given: (given.is_set(), gymnasium.make("Lightbulb/No-v0")),
        gymnasium.error.NameNotFound,
        ("`No` doesn't exist in namespace Lightbulb",),
    ),
    "id of an unknown module": Kind(
        _engine("nowhere:No-v0"), ValueError, ("the module 'nowhere'", "on PYTHONPATH")
    ),
    "unknown keyword": _settings(TypeError, "'colour'", "there are level=2", colour=1),
    "level out of range": _settings(ValueError, "one of 0 to 5, got 6", level=6),
    "level no integer": _settings(TypeError, "level must be an integer, got 2.0", level=2.0),
    "unknown split": _settings(ValueError, "one of train, validation", "got 'dev'", split="dev"),
    "heldout without its salt": _settings(
        ValueError, "set LIGHTBULB_HELDOUT_SALT to the path of a file", split="heldout"
    ),
    "budget out of range": _settings(ValueError, "in [1, 22] sentences, got 23", budget=23),
    "budget of words without one": _settings(
        ValueError, 'budget_unit="words" needs a budget=', budget_unit="words"
    ),
    "unknown reward part": _settings(
        ValueError, "'bleu'", "use some of fact_precision", reward={"bleu": 1.0}
    ),
    "weight no number": _settings(TypeError, "a number, got '1'", reward={"rouge1": "1"}),
    "weight too large": _settings(
        ValueError, "'rouge1' must be positive and 1e+06 or less, got inf", reward={"rouge1": 1e400}
    ),
    "weight of 400 digits": _settings(
        ValueError, "positive and 1e+06 or less, got inf", reward={"rouge1": 10**400}
    ),
    "reward on facts that nobody knows": _settings(
        ValueError,
        "this source knows none",
        'use reward="rouge"',
        source="jsonl:{news}",
        reward="facts_and_rouge",
    ),
    "penalty no number": _settings(TypeError, "must be a number, got '0.1'", illegal_penalty="0.1"),
    "penalty not finite": _settings(
        ValueError, "must be a finite number, got inf", illegal_penalty=math.inf
    ),
    "more instances than documents": _settings(
        ValueError, "in [1, 2], the documents", "got 3", source="jsonl:{news}", num_instances=3
    ),
    "room for too many sentences": _settings(
        ValueError,
        "max_sentences must be 1 or more and 65536 or less, got 1000",
        source="jsonl:{news}",
        max_sentences=10**30,
    ),
    "room for too many tokens": _settings(
        ValueError,
        "max_tokens must be 1 or more and 65536 or less, got 1000000000",
        source="jsonl:{news}",
        max_tokens=10**9,
    ),
    "another vocabulary": _settings(
        ValueError, "asks for 00", "give its tokenizer", vocabulary_digest="00"
    ),
    # Actions and episodes.
    "action out of range": Kind(_step(99), ValueError, ("in [0, 23), got [99]",)),
    "action no integer": Kind(_step(0.5), TypeError, ("actions must be integers, got float64",)),
    "step after the end": Kind(_after_the_end, RuntimeError, ("has ended", "call reset first")),
    "instance out of range": Kind(
        _reset(options={"instance": -1}), ValueError, ("an instance must be in [0, ", "got [-1]")
    ),
    "seed below 0": Kind(
        _reset(seed=-1),
        gymnasium.error.Error,
        ("Seed must be greater or equal to zero, actual value: -1",),
    ),
    # Files and data sets.
    "missing file": _settings(
        ValueError,
        "'{folder}/no.jsonl', which is no file",
        "check the path",
        source="jsonl:{folder}/no.jsonl",
    ),
    "directory for a file": _settings(
        ValueError,
        "'{folder}', which is no file",
        "a folder of files is read by hub:FOLDER",
        source="jsonl:{folder}",
    ),
    "name of 5,000 letters": _settings(
        ValueError, "which is no file: check the path", source="jsonl:" + "n" * 5000
    ),
    "name with NUL": _settings(ValueError, r"'n\x00', which is no file", source="jsonl:n\0"),
    "source of another type": _settings(
        ValueError, 'such as "newsroom" or "jsonl:FILE"', "got PosixPath", source=Path("news")
    ),
    "source of an unknown kind": _settings(
        ValueError, "(newsroom, jsonl, hub", "got 'csv:a'", source="csv:a"
    ),
    "source that names nothing": _settings(
        ValueError, "source names nothing: write it as in source={", source={}
    ),
    "no file for the split": _settings(
        ValueError,
        "nothing for split='test', only for train",
        source={"train": "jsonl:{news}"},
        split="test",
    ),
    "range after the last row": _settings(
        ValueError,
        "no document in {folder}/news.jsonl[2:]",
        "a range [FROM:TO], if any, that holds some",
        source="jsonl:{news}[2:]",
    ),
    "fields of another type": _settings(
        TypeError,
        "fields must be a dict",
        'such as {"article": "text"}, got []',
        source="jsonl:{news}",
        fields=[],
    ),
    "fields of numbers": _settings(
        TypeError, "got {'article': 5}", source="jsonl:{news}", fields={"article": 5}
    ),
    "unknown field": _settings(
        ValueError,
        "fields maps 'title': there are id, article, summary",
        source="jsonl:{news}",
        fields={"title": "x"},
    ),
    "tokenizer of another type": _settings(
        TypeError, "as a string, the path", "got 5", source="jsonl:{news}", tokenizer=5
    ),
    "tokenizer without a name": _settings(
        ValueError, "tokenizer='' is no file: name a JSON", source="jsonl:{news}", tokenizer=""
    ),
    "tokenizer that is none": _settings(
        ValueError,
        "{folder}/news.jsonl is no file of the tokenizers library",
        "name a file that",
        tokenizer="{news}",
    ),
    "data set without its commit": _settings(
        ValueError,
        "needs its commit, 40 digits 0-9a-f, got none",
        "write hub:EdinburghNLP/xsum@COMMIT",
        source="hub:EdinburghNLP/xsum",
    ),
    # Rows.
    "empty file": Kind(
        lambda given: (
            given.write(),
            given.is_set(),
            lightbulb_envs.make_engine(ID, 1, source=f"jsonl:{given.news}"),
        ),
        ValueError,
        ("no document in {folder}/news.jsonl: give rows with the fields article and summary",),
    ),
    "broken JSON": _row(b'{"article": "a.", ', "not JSON (Expecting property name"),
    "JSON that is no object": _row([1, 2], "a row must be an object, got list"),
    "wrong field": _row(
        {"text": "a.", "summary": "b"},
        "no field 'article' for the article, only 'text', 'summary'",
        'say where it is with fields={"article": ...}',
    ),
    "article of another type": _row(
        {"article": {"a": 1}, "summary": "b"},
        "the article must be a string or a list of strings, got dict",
    ),
    "empty article": _row({"article": "", "summary": "b"}, "the article has no words"),
    "empty list of sentences": _row({"article": [], "summary": "b"}, "the article has no words"),
    "article without a word": _row({"article": "… —", "summary": "b"}, "the article has no words"),
    "empty summary": _row({"article": "a.", "summary": None}, "the summary must be a string"),
    "not UTF-8": _row(
        '{"article": "Café.", "summary": "b"}'.encode("latin-1"), "not UTF-8 (invalid"
    ),
    "UTF-16": _row('{"article": "a."}'.encode("utf-16"), "not UTF-8 (invalid start byte at byte 0"),
    "lone surrogate": _row(
        b'{"article": "a \\ud83d b.", "summary": "b"}',
        "the article is no text (surrogates not allowed at character 2)",
    ),
    "lone surrogate in an id": _row({**GOOD, "id": "\ud800"}, "the id is no text (surrogates"),
    "brackets too deep": _row(b"[" * 100_000, "not JSON that can be read"),
    "number of 5,000 digits": _row(b"9" * 5000, "not JSON that can be read"),
    # Records.
    "missing records": Kind(
        _read("missing"),
        FileNotFoundError,
        ("{folder}/missing cannot be read (No such file", "give a file of episode records"),
    ),
    "directory for records": Kind(
        _read("folder"), IsADirectoryError, ("{folder}/folder cannot be read (Is a directory)",)
    ),
    "empty file of records": Kind(
        _read("empty"), ValueError, ("{folder}/empty is empty", "has a line an episode")
    ),
    "record cut short": _records(
        ValueError,
        lambda path: path.write_bytes(path.read_bytes()[:-20]) and None,
        "{folder}/episodes.jsonl, line 3: not JSON",
    ),
    "record of another version": _records(
        ValueError,
        _edit(versions={"suite": "99", "lightbulb": "7.1"}),
        "was played on version '99' of the suite, and this is version '",
        "replay it with lightbulb 7.1",
    ),
    "record with an unknown field": _records(
        ValueError, _edit(score=1.0), "line 2: a record has the fields env_id", "unknown 'score'"
    ),
    "record without a number": _records(
        ValueError, _edit(rewards=[math.nan, 0.0]), "line 2: NaN is no number", "must be finite"
    ),
    "record of other documents": _records(
        ValueError,
        lambda path: (
            path.with_name("news.jsonl").write_text(json.dumps({**GOOD, "summary": "x"})) and None
        ),
        "record 1: it was played on the documents",
        "replay it where the files are",
    ),
    # Runs and checkpoints.
    "folder without a run": _run(
        lambda run: (run / "run.json").unlink(),
        _evaluate,
        FileNotFoundError,
        "{folder}/run is no run folder: it holds no run.json; name a folder that",
    ),
    "nothing to resume": _run(
        lambda run: (run / "run.json").unlink(),
        _resume,
        FileNotFoundError,
        "{folder}/run holds no run to resume: start it without --resume",
    ),
    "run that is there already": _run(
        _unchanged,
        lambda run: _resume(run, resume=False),
        FileExistsError,
        "{folder}/run holds a run already: go on with it with --resume",
    ),
    "resumed with other flags": _run(
        _unchanged,
        lambda run: _resume(run, seed=5),
        ValueError,
        "started with other flags (seed was 0)",
        "give the flags that it was started with",
    ),
    "run.json cut short": _run(
        _cut("run.json"), _evaluate, ValueError, "run/run.json is damaged (", ELSEWHERE
    ),
    "run.json cut short, resumed": _run(
        _cut("run.json"), _resume, ValueError, "run/run.json is damaged (", ELSEWHERE
    ),
    "run.json of another program": _run(
        _put("run.json", "{}"), _evaluate, ValueError, "is damaged (it has no 'env_id')", ELSEWHERE
    ),
    "tokenizer cut short": _run(
        _put("tokenizer.json", "{"),
        _evaluate,
        ValueError,
        "run/tokenizer.json is no file of the tokenizers",
    ),
    "weights cut short": _run(
        _cut("LAST/network.safetensors"), _evaluate, ValueError, "network.safetensors is", WHOLE
    ),
    "weights cut short, resumed": _run(
        _cut("LAST/network.safetensors"), _resume, ValueError, "network.safetensors is", WHOLE
    ),
    "optimizer cut short": _run(
        _cut("LAST/optimizer.safetensors"), _resume, ValueError, "optimizer.safetensors is", WHOLE
    ),
    "state cut short": _run(
        _cut("LAST/state.json"), _resume, ValueError, "state.json is damaged (", WHOLE
    ),
    "latest.json cut short": _run(
        _cut("checkpoints/latest.json"),
        _evaluate,
        ValueError,
        "latest.json is damaged (",
        f"{WHOLE}latest.json",
    ),
    "latest.json names nothing": _run(
        _put("checkpoints/latest.json", '{"name": "000000009999"}'),
        _resume,
        ValueError,
        "latest.json is damaged (it names '000000009999', which is not there)",
        f"{WHOLE}latest.json",
    ),
    "no checkpoint is whole": _run(
        lambda run: (
            [path.write_bytes(path.read_bytes()[:-1]) for path in run.rglob("network.safetensors")]
            and None
        ),
        _evaluate,
        ValueError,
        "network.safetensors is damaged (",
        "no other checkpoint of the run is whole: start it anew",
    ),
    "metrics that are no numbers": _run(
        _put("metrics.csv", "steps,score\nten,1.5\n"),
        _resume,
        ValueError,
        "{folder}/run/metrics.csv, line 2: steps must be a number, got 'ten'; remove the line",
    ),
    "file for a run folder": Kind(
        _start_in_a_file,
        NotADirectoryError,
        ("{folder}/news.jsonl/run cannot be written: a file is where its folder should be",),
    ),
    "seed of 30 digits": Kind(
        lambda given: (given.is_set(), TrainConfig(seed=10**30)),
        ValueError,
        ("seed must be 9223372036854775807 or less, got 1000",),
    ),
    "episodes beyond number": Kind(
        lambda given: (given.is_set(), evaluate_run(EvaluateConfig(Path("x"), episodes=10**12))),
        ValueError,
        ("episodes must be 1000000 or less, got 1000000000000",),
    ),
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with two checkpoints."""
    run = tmp_path_factory.mktemp("trained") / "run"
    run_training(TrainConfig(run_folder=run, **TINY))
    assert len(list((run / "checkpoints").glob("0*"))) == 2
    return run


@pytest.fixture
def given_input(tmp_path: Path, request: pytest.FixtureRequest) -> Given:
    def copied() -> Path:
        return Path(shutil.copytree(request.getfixturevalue("trained"), tmp_path / "run"))

    return Given(tmp_path, copied)


def test_there_are_many_kinds():
    assert len(KINDS) >= 45


@pytest.mark.parametrize("name", KINDS)
def test_bad_input_ends_in_one_clear_error_and_changes_no_file(name, given_input, monkeypatch):
    kind = KINDS[name]
    monkeypatch.delenv("LIGHTBULB_HELDOUT_SALT", raising=False)
    with pytest.raises(kind.error) as caught:
        kind.make(given_input)
    message = str(caught.value)
    for words in kind.says:
        assert words.replace("{folder}", str(given_input.folder)) in message
    assert "\n" not in message
    assert len(message) < 700 + 2 * len(str(given_input.folder))
    given_input.check_unchanged()

"""Laws of making an environment: seeds, keywords, specs, pickles, batches, rendering."""

import contextlib
import dataclasses
import functools
import io
import json
import os
import pickle
import re
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from lightbulb_envs.checker.moves import SCRIPT, illegal_action, play, trace
from lightbulb_envs.checker.subject import (
    BrokenLawError,
    Subject,
    filled,
    quiet,
    require,
    require_same,
    same,
    write_files,
)
from lightbulb_envs.keywords import example_of
from lightbulb_envs.splits import HELDOUT_SALT_VARIABLE, SPLITS

_SEEDS = (0, 1, 12345)
_DOCUMENTS = 48
"""Documents of every split that are compared."""
_SURROUNDINGS = (("0", "1"), ("1", "2"), ("random", "1"))
"""PYTHONHASHSEED and the number of threads of processes that must agree."""


def gymnasium_check(subject: Subject) -> str:
    """Gymnasium's check_env passes without a warning."""
    with warnings.catch_warnings(record=True) as own:
        warnings.simplefilter("always")
        subject.make()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for warning in own:  # what it has to say about its keywords, such as rows left out
            warnings.filterwarnings("ignore", message=re.escape(str(warning.message)))
        try:
            with contextlib.redirect_stdout(io.StringIO()):  # mode "human" prints
                check_env(subject.make(render_mode="ansi").unwrapped)
        except BrokenLawError:
            raise
        except Exception as error:
            raise BrokenLawError(
                f"gymnasium.utils.env_checker.check_env says {type(error).__name__}: {error}"
            ) from error
    return f"gymnasium {gymnasium.__version__}, warnings as errors"


def seeds(subject: Subject) -> str:
    """The same seed gives the same episode, in every process; other seeds give others."""
    own = trace(subject.make(), _SEEDS)
    require(
        own == trace(subject.make(), _SEEDS),
        "two environments with the same seed give different episodes: draw from the instance "
        "alone, never from a global generator, a clock or the order of a set",
    )
    instances = {subject.make().reset(seed=seed)[1]["instance"] for seed in range(12)}
    require(
        len(instances) > 1,
        "twelve seeds give the same instance: draw it from the seed (`InstanceStream`)",
    )
    with ThreadPoolExecutor(len(_SURROUNDINGS)) as pool:
        others = list(pool.map(functools.partial(_trace_elsewhere, subject), _SURROUNDINGS))
    for (hash_seed, threads), other in zip(_SURROUNDINGS, others, strict=True):
        require(
            own == other,
            f"another process (PYTHONHASHSEED={hash_seed}, {threads} threads) gives another "
            "episode for the same seed: look for the order of sets or dicts, `hash()`, and sums "
            "whose order depends on threads",
        )
    return (
        f"seeds {_SEEDS}, here and in {len(_SURROUNDINGS)} processes of other hash seeds, threads"
    )


def _trace_elsewhere(subject: Subject, surroundings: tuple[str, str]) -> str:
    """Returns the trace that a process of its own computes."""
    hash_seed, threads = surroundings
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")
    variables = {**os.environ, **dict.fromkeys(names, threads), "PYTHONHASHSEED": hash_seed}
    order = {
        "path": sys.path,
        "modules": [subject.row.engine.partition(":")[0], subject.env_id.rpartition(":")[0]],
        "id": subject.name,
        "settings": dict(subject.settings),
        "seeds": _SEEDS,
    }
    done = subprocess.run(
        [sys.executable, "-m", "lightbulb_envs.checker.elsewhere"],
        input=json.dumps(order),
        capture_output=True,
        text=True,
        env=variables,
        check=False,
    )
    if done.returncode:
        raise BrokenLawError(
            f"{subject.name} cannot be made in another process: {done.stderr.strip()[-500:]}; it "
            "must be registered when the module of its engine is imported, or be named as "
            '"module:Id"'
        )
    return done.stdout.strip()


def keywords(subject: Subject) -> str:
    """Every keyword changes something, and one that is unknown is refused."""
    with quiet():
        try:
            subject.make(no_such_keyword=1)
        except TypeError:
            pass
        else:
            raise BrokenLawError(
                "no_such_keyword=1 is accepted: refuse unknown keywords with a TypeError, as "
                "`make_config` does"
            )
    tried = []
    with tempfile.TemporaryDirectory() as folder:
        paths = write_files(Path(folder))
        for one in subject.config_fields():
            _check_keyword(subject, one, paths)
            tried.append(one.name)
    return ", ".join(tried)


def _check_keyword(subject: Subject, one: dataclasses.Field[Any], paths: Mapping[str, str]) -> None:
    example = example_of(one.metadata)
    if example is None:
        raise BrokenLawError(
            f"keyword {one.name!r} has no example, so nobody can tell whether it changes anything: "
            f"declare it as `{one.name}: ... = keyword(default, example=...)`, from "
            "lightbulb_envs.keywords"
        )
    given, value = filled(example.given, paths), filled(example.value, paths)
    if "{tokenizer}" in (str(value) + str(given)):
        raise BrokenLawError(
            f"keyword {one.name!r} needs a tokenizer: pip install 'lightbulb[text]' to check it"
        )
    if given:
        subject = Subject(subject.env_id)  # what it is given may not go with the settings
    now = given.get(one.name, subject.setting(one.name))
    if same(now, value):
        value = one.default  # the example is what it is set to already
    without = _outcome(subject, given)
    with_it = _outcome(subject, {**given, one.name: value})
    is_refused = with_it.startswith("refused")
    if is_refused and not example.is_refused:
        raise BrokenLawError(
            f"{one.name}={value!r}{_with(given)}, the example of the keyword, is {with_it}: give "
            "an example that works, or is_refused=True where refusing is its effect"
        )
    require(
        without != with_it,
        f"{one.name}={value!r}{_with(given)} changes nothing: spaces, instances, observations, "
        "rewards and infos are those without it; use the keyword, or do not accept it (one that is "
        "inherited may be declared again, with an example of your own)",
    )


def _with(given: Mapping[str, Any]) -> str:
    return f" (beside {', '.join(given)})" if given else ""


def _outcome(subject: Subject, more: Mapping[str, Any]) -> str:
    """Returns a digest of episodes, or how the environment is refused."""
    with quiet():
        try:
            env = subject.make(**more)
        except (ValueError, TypeError) as error:
            return f"refused: {error}"
        # Legal moves to the end and an illegal one; seeds until every kind of step is likely.
        return trace(env, range(6), (*SCRIPT, *SCRIPT))


def options(subject: Subject) -> str:
    """Unknown reset options are ignored, and options["instance"] replays an instance."""
    env = subject.make()
    plain = env.reset(seed=3)
    try:
        other = env.reset(seed=3, options={"options": 1, "no such option": None})
    except Exception as error:
        raise BrokenLawError(
            f"reset(options={{'options': 1}}) raises {type(error).__name__} ({error}): ignore "
            "options that are not yours; PettingZoo's and others' tests pass some"
        ) from error
    require(same(plain, other), "unknown reset options change the episode: ignore them")
    again = subject.make().reset(options={"instance": plain[1]["instance"]})
    require_same(plain, again, "reset(options={'instance': i}) does not replay instance i")
    return "unknown ones, and the replay of an instance"


def specs(subject: Subject) -> str:
    """A spec survives JSON, and makes the same episode."""
    env = subject.make()
    assert env.spec is not None
    try:
        text = env.spec.to_json()
        again = gymnasium.make(EnvSpec.from_json(text))
    except Exception as error:
        raise BrokenLawError(
            f"the spec does not survive JSON ({type(error).__name__}: {error}): keywords must be "
            "plain data"
        ) from error
    require(
        trace(env, _SEEDS) == trace(again, _SEEDS),
        "an environment made from the spec's JSON plays another episode: keywords must be plain "
        "data, the same after JSON (no tuples, no int keys)",
    )
    return "spec to JSON to spec"


def pickles(subject: Subject) -> str:
    """An environment can be pickled in the middle of an episode, and goes on the same."""
    env = subject.make()
    observation, _ = env.reset(seed=5)
    forbidden = illegal_action(env.action_space, observation["action_mask"])
    if forbidden is not None:
        env.step(forbidden)  # a step that ends no episode
    try:
        other = pickle.loads(pickle.dumps(env))
    except Exception as error:
        raise BrokenLawError(
            f"the environment cannot be pickled ({type(error).__name__}: {error}): hold plain "
            "data, no lambdas, generators or open files"
        ) from error
    ahead = [(play(one, SCRIPT, observation), one.reset()) for one in (env, other)]
    require_same(ahead[0], ahead[1], "a pickled environment goes on differently")
    return "in the middle of an episode"


def batches(subject: Subject) -> str:
    """A batch is single environments, bit for bit, in every autoreset mode."""
    rows = 3
    for mode, limit in (*((mode, 5) for mode in AutoresetMode), (AutoresetMode.NEXT_STEP, 1)):
        ours = gymnasium.make_vec(
            subject.name,
            num_envs=rows,
            autoreset_mode=mode,
            max_episode_steps=limit,
            **subject.settings,
        )
        make = functools.partial(
            gymnasium.make, subject.name, max_episode_steps=limit, **subject.settings
        )
        theirs = SyncVectorEnv([make] * rows, autoreset_mode=mode)
        _check_batch(ours, theirs, mode, limit)
        for env in (ours, theirs):
            env.close()
    return f"{rows} rows, {len(AutoresetMode)} autoreset modes, against Gymnasium's SyncVectorEnv"


def _check_batch(ours: Any, theirs: Any, mode: AutoresetMode, limit: int) -> None:
    def compare(mine: Any, yours: Any, moment: str) -> None:
        require_same(
            mine,
            yours,
            f"in autoreset mode {mode.name} with a limit of {limit} steps, {moment}, a batch is "
            "not the single environments",
            "rows must not share state, observations must not depend on `max_steps`, and where it "
            "is given a row's last step is truncated",
        )

    seeds = [11, 22, 33]
    mine = ours.reset(seed=seeds)
    compare(mine, theirs.reset(seed=seeds), "after reset")
    generator = np.random.default_rng(0)
    masks = mine[0]["action_mask"]
    for number in range(12):
        drawn = theirs.action_space.sample()
        if number % 2:
            from lightbulb_envs.actions import draw_legal

            drawn = draw_legal(ours.single_action_space, masks, generator)
        mine, yours = ours.step(drawn), theirs.step(drawn)
        compare(mine, yours, f"at step {number}")
        masks = mine[0]["action_mask"]
        ended = mine[2] | mine[3]
        if mode is AutoresetMode.DISABLED and ended.any():
            options = {"reset_mask": ended}
            mine = ours.reset(options=dict(options))
            compare(mine, theirs.reset(options=dict(options)), f"after the reset of step {number}")
            masks = mine[0]["action_mask"]


def splits(subject: Subject) -> str:
    """No two splits share a document."""
    names = {one.name for one in subject.config_fields()}
    source = subject.settings.get("source", subject.row.settings.get("source", "newsroom"))
    if "split" not in names:
        return "not checked: there is no keyword split"
    if source != "newsroom" and not isinstance(source, Mapping):
        return "not checked: the documents are of one file, which is no split"
    known: tuple[str, ...] = SPLITS if os.environ.get(HELDOUT_SALT_VARIABLE) else SPLITS[:-1]
    if isinstance(source, Mapping):
        known = tuple(name for name in known if name in source)
    seen: dict[bytes, tuple[str, int]] = {}
    for split in known:
        engine = subject.engine(_DOCUMENTS, split=split)
        end = engine.num_instances
        # The first ones, and where documents have no end some far apart.
        instances = np.arange(min(_DOCUMENTS, end or _DOCUMENTS))
        if end is None:
            instances[len(instances) // 2 :] *= 7919
        engine.reset(np.arange(len(instances)), instances)
        told = engine.observe(np.arange(len(instances)))["tokens"]
        for instance, tokens in zip(instances.tolist(), told, strict=True):
            other, twin = seen.setdefault(tokens.tobytes(), (split, instance))
            require(
                other == split,
                f"the splits {other!r} and {split!r} share a document: key the draws of a "
                "document by its split (`document_key`)",
            )
            require(
                twin == instance or end is not None,
                f"instances {twin} and {instance} of {split!r} are the same document, and "
                "num_instances says that there is no end of them: draw each anew, or say how many "
                "there are",
            )
    return f"{_DOCUMENTS} documents each of {', '.join(known)}"


def rendering(subject: Subject) -> str:
    """Every render mode renders; a page is self-contained."""
    for mode in ("ansi", "html"):
        env = subject.make(render_mode=mode)
        observation, _ = env.reset(seed=0)
        play(env, SCRIPT[:1], observation)
        shown = env.render()
        require(
            isinstance(shown, str) and shown.strip() != "",
            f"render_mode={mode!r} renders {type(shown).__name__}: `render(row, {mode!r})` must "
            "return text",
        )
        if mode == "html":
            text = str(shown).lower()
            require(
                text.lstrip().startswith("<!doctype html") and "</html>" in text,
                'render_mode="html" renders no page: return a whole one, or '
                "`html_page.text_page(title, text)`",
            )
            for mark in ("<script", 'src="http', 'href="http', "@import"):
                require(
                    mark not in text,
                    f'render_mode="html" renders a page with {mark!r}: a page must need nothing '
                    "from elsewhere",
                )
    return "ansi and html"

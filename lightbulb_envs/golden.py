"""What every id is, frozen: `python -m lightbulb_envs.golden` compares this machine with it.

`golden.json` holds a digest for every id of the suite, of all that an agent may see and be paid
on some documents. It changes with an id's version alone: `--write` freezes what is here.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium.spaces import Box, MultiBinary, MultiDiscrete, Text
from numpy.typing import NDArray

from lightbulb_envs.actions import Space, to_plain
from lightbulb_envs.engines.engine import Engine
from lightbulb_envs.registry import ROWS, make_engine

FILE = Path(__file__).with_name("golden.json")
PREFIX = "Lightbulb/"
"""What ids of the suite begin with; others are their authors' to freeze."""
INSTANCES = np.arange(16)
"""Documents of split test that a digest is taken of."""
_ILLEGAL_EVERY = 3
_SHARES = 5
"""Weights that a scripted action may give, in steps that floats hold exactly."""


def episode_digest(env_id: str) -> str:
    """Returns the digest of an id's episodes: scripted ones, and those of its oracle."""
    engine = make_engine(env_id, len(INSTANCES), split="test")
    hasher = hashlib.blake2b(digest_size=16)
    for told in _tell_all(engine):
        array = np.asarray(told)
        values = array.astype(array.dtype.newbyteorder("<"))
        hasher.update(f"{values.dtype.str} {values.shape} ".encode())
        hasher.update(values.tobytes())
    return hasher.hexdigest()


def _tell_all(engine: Engine) -> Iterator[Any]:
    """Yields everything that the digest is taken of, as arrays and texts."""
    yield from engine.part_names
    rows = np.arange(len(INSTANCES))
    for is_oracle in (False, True):
        engine.reset(rows, INSTANCES)
        active, number = rows, 0
        while len(active):
            observation = engine.observe(active)
            for name in sorted(observation):
                yield name
                yield observation[name]
            masks = observation["action_mask"]
            actions = [
                to_plain(engine.oracle_action(row))
                if is_oracle
                else scripted_action(engine.action_space, mask, row, number)
                for row, mask in zip(active.tolist(), masks, strict=True)
            ]
            yield actions
            step = engine.step(active, actions)  # type: ignore[arg-type] # plain data is taken too
            yield from (step.reward, step.parts, step.terminated, step.truncated, step.is_illegal)
            active = active[~(step.terminated | step.truncated)]
            number += 1
    for row in rows.tolist():
        yield engine.oracle_return(row)
        yield engine.oracle_method(row)


def scripted_action(space: Space, mask: NDArray[np.int8], row: int, number: int) -> Any:
    """Returns the action number `number` of a row, as plain data; every third is not legal.

    It follows from the mask alone, by whole numbers: no generator, whose stream may change with
    its version. Where nothing is illegal, it is legal.
    """
    turn = 7 * row + 5 * number
    is_illegal = (row + number) % _ILLEGAL_EVERY == 0
    if isinstance(space, MultiBinary):
        legal, illegal = np.flatnonzero(mask), np.flatnonzero(mask == 0)
        bits = np.zeros(len(mask), dtype=np.int64)
        bits[legal[turn % 2 :: 2]] = 1
        if is_illegal and len(illegal):
            bits[illegal[turn % len(illegal)]] = 1
        return bits.tolist()
    if isinstance(space, MultiDiscrete):
        wrong = number % len(mask) if is_illegal else None
        return [
            _choose(row_mask[:size], turn + 3 * place, is_illegal=place == wrong)
            for place, (row_mask, size) in enumerate(zip(mask, space.nvec.tolist(), strict=True))
        ]
    if isinstance(space, Text):
        examples: tuple[str, ...] = getattr(space, "examples", ())
        return ("", f"Text {turn}.", *examples)[turn % (2 + len(examples))]
    if isinstance(space, Box):
        share = (turn + np.arange(len(mask))) % _SHARES / (_SHARES - 1)
        return np.where(is_illegal | (mask == 0), 0.0, share).tolist()
    return _choose(mask, turn, is_illegal=is_illegal)


def _choose(mask: NDArray[np.int8], turn: int, *, is_illegal: bool) -> int:
    wanted = np.flatnonzero(mask == (0 if is_illegal else 1))
    if not len(wanted):
        wanted = np.arange(len(mask))
    return int(wanted[turn % len(wanted)])


def frozen() -> dict[str, str]:
    """Returns the frozen digest of every id."""
    digests: dict[str, str] = json.loads(FILE.read_text(encoding="utf-8"))
    return digests


def own_ids() -> list[str]:
    """Returns the registered ids of the suite."""
    return [env_id for env_id in ROWS if env_id.startswith(PREFIX)]


def compare() -> Iterator[tuple[str, str | None, str | None]]:
    """Yields every id, its frozen digest and its digest here; None where there is none."""
    known = frozen()
    for env_id in own_ids():
        yield env_id, known.get(env_id), episode_digest(env_id)
    for env_id, digest in known.items():
        if env_id not in ROWS:
            yield env_id, digest, None


def main() -> None:
    """Prints whether every id is what was frozen; exit code 1 if one is not."""
    parser = argparse.ArgumentParser(
        prog="python -m lightbulb_envs.golden",
        description="Compare what every id is on this machine with what was frozen.",
    )
    parser.add_argument("--write", action="store_true", help="freeze what the ids are here")
    if parser.parse_args().write:
        digests = {env_id: episode_digest(env_id) for env_id in own_ids()}
        FILE.write_text(json.dumps(digests, indent=2) + "\n", encoding="utf-8")
        print(f"{len(digests)} ids written to {FILE}")
        return
    differing = 0
    for env_id, known, here in compare():
        differing += known != here
        if known == here:
            print(f"same     {env_id}  {here}")
        else:
            print(f"differs  {env_id}  frozen {known}, here {here}")
    if differing:
        sys.exit(
            f"{differing} differ: the id has another version here, or a document, reward or oracle "
            "was changed without one, or this platform computes floating point otherwise; do not "
            "compare scores of these ids with those of others"
        )


if __name__ == "__main__":
    main()

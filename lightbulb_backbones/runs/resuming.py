"""What must be the same for a run to go on: its flags, and if it can be its versions."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightbulb_backbones.runs.checkpoint import has_checkpoint, read_as_run

RUN = "run.json"


def check_folder(
    run: Path, config: Mapping[str, Any], versions: Mapping[str, str], *, is_resumed: bool
) -> None:
    """Checks that a run may begin in a folder, or go on there.

    Args:
        config: what of it decides the run's results.
        versions: of what computes them.

    Raises:
        FileExistsError: it would begin, and the folder holds a run already.
        FileNotFoundError: it would go on, and there is none.
        ValueError: it would go on, and was started with other flags.
    """
    marker = run / RUN
    if not is_resumed:
        if has_checkpoint(run):
            raise FileExistsError(
                f"{run} holds a run already: go on with it with --resume, choose another folder "
                "with --run-folder, or remove it"
            )
        return
    if not marker.exists():
        raise FileNotFoundError(
            f"{run} holds no run to resume: start it without --resume, or name its folder with "
            "--run-folder"
        )
    with read_as_run(marker):
        before = json.loads(marker.read_text(encoding="utf-8"))
        changed = differing(before["config"], config)
        updated = differing(before["versions"], versions)
    if changed:
        raise ValueError(
            f"the run in {run} was started with other flags ({', '.join(changed)}): a resumed run "
            "must be the same run; give the flags that it was started with"
        )
    if updated:
        print(
            f"Other versions than the run began with ({', '.join(updated)}): it will not end with "
            "the same weights, bit for bit",
            file=sys.stderr,
        )


def free_folder(base: Path, *, is_resumed: bool) -> Path:
    """Returns the first of BASE, BASE-2, … that is not there, or to resume the last that is."""
    number, last, folder = 1, base, base
    while folder.exists():
        number, last = number + 1, folder
        folder = base.with_name(f"{base.name}-{number}")
    return last if is_resumed else folder


def differing(one: Mapping[str, Any], other: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Returns the fields in which two configs differ, with their values in the first."""
    names = []
    for name in sorted(one.keys() | other.keys()):
        left, right = one.get(name), other.get(name)
        if isinstance(left, Mapping) and isinstance(right, Mapping):
            names += differing(left, right, f"{prefix}{name}.")
        elif left != right:
            names.append(f"{prefix}{name} was {json.dumps(left)}")
    return names

"""`python -m lightbulb_envs.checker ID [--settings NAME=JSON ...]` prints what was checked."""

import argparse
import sys
import textwrap

from lightbulb_envs.checker.check import check_text_env
from lightbulb_envs.checker.laws import LAWS
from lightbulb_envs.checker.subject import EXAMPLES, BrokenLawError
from lightbulb_envs.settings import parse_settings

_MARGIN = " " * 20


def main() -> None:
    """Checks one id law by law, and goes on after a broken one; exit code 1 if any is."""
    parser = argparse.ArgumentParser(
        prog="python -m lightbulb_envs.checker",
        description="Check that an environment keeps the laws of a text environment.",
    )
    parser.add_argument("id", help='a registered id, or "module:Id" for a package of your own')
    parser.add_argument(
        "--settings",
        nargs="*",
        default=[],
        metavar="NAME=JSON",
        help="keywords of the environment, such as level=3",
    )
    parser.add_argument("--laws", nargs="*", choices=list(LAWS), help="only these laws")
    parser.add_argument(
        "--examples", type=int, default=EXAMPLES, help=f"episodes a law is tried on ({EXAMPLES})"
    )
    arguments = parser.parse_args()
    counts = {"held": 0, "----": 0, "BROKEN": 0}
    try:
        settings = parse_settings(arguments.settings, {})
        for name in arguments.laws or LAWS:
            mark, note = _check(arguments.id, name, settings, arguments.examples)
            counts[mark] += 1
            print(f"{mark:<6} {name:<13}{LAWS[name].says}")
            print(textwrap.fill(note, 100, initial_indent=_MARGIN, subsequent_indent=_MARGIN))
            sys.stdout.flush()
    except (ValueError, TypeError, ImportError) as error:
        print(f"lightbulb: {error}", file=sys.stderr)
        sys.exit(2)
    print(
        f"{arguments.id}: {counts['held']} laws held, {counts['BROKEN']} broken, "
        f"{counts['----']} not checked"
    )
    print("These are properties that were tried, not a proof: they say nothing of what is learnt")
    if counts["BROKEN"]:
        sys.exit(1)


def _check(env_id: str, name: str, settings: dict[str, object], examples: int) -> tuple[str, str]:
    """Returns a mark for what became of a law, and what there is to say of it."""
    try:
        (outcome,) = check_text_env(env_id, laws=[name], examples=examples, **settings)
    except BrokenLawError as error:
        return "BROKEN", str(error)
    return ("held" if outcome.is_checked else "----"), outcome.note


if __name__ == "__main__":
    main()

"""`python -m lightbulb_envs.checker ID [--settings NAME=JSON ...]` prints what was checked."""

import argparse
import sys
import textwrap

from lightbulb_envs.checker.check import check_text_env
from lightbulb_envs.checker.laws import LAWS
from lightbulb_envs.checker.subject import BrokenLawError
from lightbulb_envs.settings import parse_settings


def main() -> None:
    """Checks one id; exit code 1 and the broken law's message if one is broken."""
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
    arguments = parser.parse_args()
    try:
        settings = parse_settings(arguments.settings, {})
        outcomes = check_text_env(arguments.id, laws=arguments.laws, **settings)
    except BrokenLawError as error:
        print(textwrap.fill(str(error), 100), file=sys.stderr)
        sys.exit(1)
    except (ValueError, TypeError, ImportError) as error:
        print(f"lightbulb: {error}", file=sys.stderr)
        sys.exit(2)
    for outcome in outcomes:
        mark = "held" if outcome.is_checked else "----"
        print(f"{mark}  {outcome.law:<12} {outcome.says}")
        print(f"      {'':<12} {outcome.note}")
    checked = sum(outcome.is_checked for outcome in outcomes)
    print(f"{arguments.id} keeps {checked} laws; {len(outcomes) - checked} were not checked")


if __name__ == "__main__":
    main()

"""Run as a process of its own: prints the trace of an environment that standard input names."""

import importlib
import json
import sys


def main() -> None:
    """Reads what to make as JSON; prints a digest of its episodes."""
    order = json.load(sys.stdin)
    sys.path[:] = order["path"]
    import gymnasium

    import lightbulb_envs  # noqa: F401 # registers its ids
    from lightbulb_envs.checker.moves import trace

    for module in order["modules"]:
        if module:
            importlib.import_module(module)
    print(trace(gymnasium.make(order["id"], **order["settings"]), order["seeds"]))


if __name__ == "__main__":
    main()

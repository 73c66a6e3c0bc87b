"""Serves an environment to OpenEnv's clients, over a WebSocket:

    python -m lightbulb_envs.adapters.openenv_server --env Lightbulb/NewsSummariser-v0 --port 8000

Every connection to `/ws` has an environment of its own. Over HTTP alone OpenEnv makes a fresh one
for each request, so that `/reset` answers, and `/step` finds no episode.
"""

import argparse
import functools
from typing import TYPE_CHECKING, Any

from lightbulb_envs.adapters.text import make_text_env
from lightbulb_envs.render import printable
from lightbulb_envs.settings import parse_settings

if TYPE_CHECKING:
    from fastapi import FastAPI

SESSIONS = 64
"""How many may play at once, if nobody says."""
_STATUS = {RuntimeError: 409, TypeError: 422, ValueError: 422}
"""What HTTP calls the errors of an environment: a conflict with its state, or a wrong request."""


def create_server(env_id: str, sessions: int = SESSIONS, **settings: Any) -> "FastAPI":
    """Returns an application for any ASGI server; `settings` are the keywords of the id.

    Raises:
        ImportError: openenv-core is not installed.
        TypeError, ValueError: no such id or keyword, or no session allowed.
    """
    from lightbulb_envs.adapters.openenv_env import ServedEnv, TextAction, TextObservation

    if sessions < 1:
        raise ValueError(f"sessions must be 1 or more, got {sessions}")
    make_text_env(env_id, **settings).close()  # or each client would be told that it has failed
    from openenv.core.env_server.http_server import create_app  # which is there: see `openenv_env`

    app: FastAPI = create_app(
        functools.partial(ServedEnv, env_id, **settings),
        TextAction,
        TextObservation,
        env_name=env_id,
        max_concurrent_envs=sessions,
    )
    for error, status in _STATUS.items():
        app.add_exception_handler(error, functools.partial(_tell, status))
    return app


async def _tell(status: int, request: Any, error: Exception) -> Any:
    """Returns what a request over HTTP gets for an error of the environment."""
    from fastapi.responses import JSONResponse

    return JSONResponse({"detail": str(error)}, status_code=status)


def main() -> None:
    """Serves what the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m lightbulb_envs.adapters.openenv_server",
        description="Serve an environment to OpenEnv's clients.",
    )
    parser.add_argument(
        "--env", required=True, metavar="ID",
        help="id of the environment; package:ID imports a package first, to register its own",
    )  # fmt: skip
    parser.add_argument("--host", default="127.0.0.1", help="(127.0.0.1: this machine alone)")
    parser.add_argument("--port", type=int, default=8000, help="(8000)")
    parser.add_argument(
        "--sessions", type=int, default=SESSIONS, metavar="N",
        help=f"how many may play at once ({SESSIONS})",
    )  # fmt: skip
    parser.add_argument(
        "--settings", nargs="+", action="extend", default=[], metavar="NAME=JSON",
        help="keywords of the environment, as in --settings level=4 split=validation",
    )  # fmt: skip
    arguments = parser.parse_args()
    try:
        settings = parse_settings(arguments.settings, {})
        app = create_server(arguments.env, arguments.sessions, **settings)
        import uvicorn
    except (ValueError, TypeError, ImportError, OSError) as error:
        parser.exit(2, f"openenv_server: {printable(str(error))}\n")
    uvicorn.run(app, host=arguments.host, port=arguments.port)


if __name__ == "__main__":
    main()

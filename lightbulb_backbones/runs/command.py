"""How a command ends: in one line for bad input, and with what to do next where it is stopped."""

import contextlib
import sys
from collections.abc import Iterator

from lightbulb_backbones.runs.interrupts import raise_from_now_on

_BAD_INPUT = (ValueError, TypeError, ImportError, OSError)


@contextlib.contextmanager
def ending_clearly(stopped: str) -> Iterator[None]:
    """Ends the process with code 1 for bad input, and with 130 for Ctrl-C.

    Args:
        stopped: what is said after Ctrl-C.
    """
    raise_from_now_on()
    try:
        yield
    except _BAD_INPUT as error:
        sys.exit(f"lightbulb: {error}")
    except KeyboardInterrupt:
        print(f"\nStopped. {stopped}", file=sys.stderr)
        sys.exit(130)

"""Ctrl-C: it ends a program at once while it is imported, and is an exception from then on.

Importing torch takes seconds, in which there is nothing to tidy up and nobody to catch an
exception.
"""

import signal


def end_at_once() -> None:
    """Lets Ctrl-C end the process, without a traceback; where it is ignored, it stays so."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def raise_from_now_on() -> None:
    """Lets Ctrl-C raise KeyboardInterrupt again."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)

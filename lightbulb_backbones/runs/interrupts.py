"""Ctrl-C: it ends a program at once while it is imported, and is an exception from then on.

Importing torch takes seconds, in which there is nothing to tidy up and nobody to catch an
exception. Later, an exception in a callback from C is printed and lost, and the program would go
on; an exception where what C made is freed may have it freed again, and the program would crash
when it ends. Numba does both, by way of llvmlite, when it compiles what Tianshou needs: there
Ctrl-C is put off.
"""

import os
import signal
import threading
from pathlib import Path
from types import FrameType

_OF_C = str(Path("llvmlite", "binding")) + os.sep
"""In the path of code that C calls, or that frees what C made."""
_SOON = 0.05
"""Seconds after which a Ctrl-C that was put off comes again."""


def end_at_once() -> None:
    """Lets Ctrl-C end the process, without a traceback; where it is ignored, it stays so."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def raise_from_now_on() -> None:
    """Lets Ctrl-C raise KeyboardInterrupt again, where somebody can catch it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, _raise_where_it_is_heard)


def _raise_where_it_is_heard(number: int, frame: FrameType | None) -> None:
    inner = frame
    while inner is not None:
        if _OF_C in inner.f_code.co_filename:
            again = threading.Timer(_SOON, os.kill, (os.getpid(), signal.SIGINT))
            again.daemon = True
            again.start()
            return
        inner = inner.f_back
    signal.default_int_handler(number, frame)

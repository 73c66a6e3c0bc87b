"""The C kernel: rewards and episodes at speed, and whether it is there.

The plain Python of `rewards` and `engines/drafts.py` is the specification, and what runs where the
extension was not built. Both give the same numbers bit for bit. The environment variable
`LIGHTBULB_KERNEL` chooses: `auto` (the default: C where it was built), `c` (an error where it was
not) or `python`.
"""

import functools
import importlib
import os
from dataclasses import dataclass
from types import ModuleType
from typing import Any

VARIABLE = "LIGHTBULB_KERNEL"
CHOICES = ("auto", "c", "python")
VERSION = 3
"""Of what Python and C agree upon; an extension of another version is not used."""
_REBUILD = (
    "install Lightbulb again where there is a C compiler (gcc or clang, and Python's headers): "
    "pip install --force-reinstall --no-deps ."
)


@dataclass(frozen=True)
class KernelInfo:
    """Which kernel new environments use, and why."""

    name: str
    """"c" or "python"."""
    reason: str

    def __str__(self) -> str:
        return f"kernel: {self.name} ({self.reason})"


def kernel_info() -> KernelInfo:
    """Returns which kernel new environments use, and why.

    Raises:
        ValueError: `LIGHTBULB_KERNEL` is none of its choices.
        ImportError: it asks for the C kernel, and there is none.
    """
    return _info(os.environ.get(VARIABLE, "auto"))


def native() -> Any:
    """Returns the C extension, or None where Python's own code is to run; see `kernel_info`."""
    return _load()[0] if kernel_info().name == "c" else None


@functools.cache
def _info(choice: str) -> KernelInfo:
    if choice not in CHOICES:
        raise ValueError(f"{VARIABLE} must be one of {', '.join(CHOICES)}, got {choice!r}")
    if choice == "python":
        return KernelInfo("python", f"{VARIABLE}=python")
    module, problem = _load()
    if module is not None:
        return KernelInfo("c", f"{VARIABLE}=c" if choice == "c" else "the extension was built")
    if choice == "c":
        raise ImportError(f"{VARIABLE}=c, and {problem}: {_REBUILD}")
    return KernelInfo("python", f"{problem}: {_REBUILD}")


@functools.cache
def _load() -> tuple[ModuleType | None, str]:
    """Returns the extension, or None and what is wrong with it."""
    try:
        module = importlib.import_module("lightbulb_envs.kernel._native")
    except ImportError as error:
        return None, f"the C extension cannot be loaded ({error})"
    if module.VERSION != VERSION:
        return None, f"the C extension is of version {module.VERSION}, and {VERSION} is needed"
    return module, ""

"""Resident memory of a process, as Linux counts it."""

from pathlib import Path


def resident_megabytes(process: int | str = "self", kind: str = "VmRSS") -> float:
    """Returns the memory of a process in MB (10^6 bytes): now, or at most so far ("VmHWM").

    Raises:
        OSError: there is no such process, or this is not Linux.
        ValueError: the process has ended, and holds no memory.
    """
    text = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name == kind:
            return round(int(value.split()[0]) * 1024 / 1e6, 2)
    raise ValueError(f"process {process} holds no memory: it has ended")

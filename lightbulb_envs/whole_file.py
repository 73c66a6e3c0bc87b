"""Files that are there, files that are written whole, and errors that say what to do."""

import contextlib
import errno
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

_REMEDIES = {
    errno.ENOSPC: "the disk is full: make room, and write again",
    errno.EDQUOT: "the quota is spent: make room, and write again",
    errno.EROFS: "the disk is read-only: choose another folder",
    errno.EACCES: "its folder may not be written to: choose another",
    errno.EPERM: "its folder may not be written to: choose another",
    errno.ENOENT: "its folder is not there: create it",
    errno.EISDIR: "it is a folder: choose another name",
    errno.ENOTDIR: "a file is where its folder should be: choose another folder",
    errno.EEXIST: "a file is where the folder should be: choose another folder",
}


def write_whole(path: Path, blocks: Iterable[bytes]) -> None:
    """Writes a file so that it is either the old one or the whole new one.

    Raises:
        OSError: the file cannot be written, and why; what was there before still is.
    """
    unfinished = path.with_name(path.name + ".unfinished")
    with explained(path):
        try:
            with unfinished.open("wb") as file:
                file.writelines(blocks)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                unfinished.unlink()
            raise


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Makes an OSError of writing to a path one that names the path and what to do."""
    try:
        yield
    except OSError as error:
        if error.errno is None:  # explained already
            raise
        reason = _REMEDIES.get(error.errno, error.strerror)
        raise type(error)(f"{path} cannot be written: {reason}") from error


def is_file(path: str | Path) -> bool:
    """Returns whether there is a file of that name; any name may be asked for."""
    try:
        return Path(path).is_file()
    except OSError:  # too long a name, or a folder that may not be looked into
        return False

"""A folder of tokenised texts, so that the same text is split and tokenised once a machine.

`LIGHTBULB_CACHE` names the folder, or is "off"; without it, it is `lightbulb` in
`$XDG_CACHE_HOME` or `~/.cache`. An entry is one file:

    magic, key, length of the index, index (JSON), arrays at multiples of 8 bytes, blake2b of all

It is written beside its place and moved there whole, so two processes may write one entry: the
last one wins. Whatever is not whole is told, and made again. Nothing is removed: delete the
folder, or files in it, at any time.
"""

import contextlib
import hashlib
import itertools
import json
import os
import secrets
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

VARIABLE = "LIGHTBULB_CACHE"
_MAGIC = b"lightbulb cache 1\n"
_KEY_BYTES = 32
_CHECKSUM_BYTES = 32
_ALIGNMENT = 8
_DTYPES = ("|u1", "|b1", "<i4", "<i8")


class _DamagedError(ValueError):
    """A file that is no whole entry; the message says what is wrong with it."""


def entry_key(decides: Any) -> str:
    """Returns the key of an entry: a digest of everything, as JSON, that decides its content."""
    text = json.dumps(decides, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=_KEY_BYTES).hexdigest()


def cache_folder() -> Path | None:
    """Returns where entries are, None if the cache is off; RuntimeError if there is no home."""
    named = os.environ.get(VARIABLE)
    if named is not None:
        return None if named.strip() in ("", "off") else Path(named).expanduser()
    caches = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not caches.is_absolute():  # relative ones are to be ignored, says the XDG specification
        caches = Path("~/.cache").expanduser()
    return caches / "lightbulb"


def load_entry(key: str) -> dict[str, NDArray[Any]] | None:
    """Returns the arrays of an entry; None if there is none, or, with a warning, no whole one."""
    try:
        folder = cache_folder()
    except RuntimeError:  # no home; `store_entry` tells
        return None
    if folder is None:
        return None
    path = folder / f"{key}.tokenised"
    try:
        return _unpack(path.read_bytes(), key)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, _DamagedError) as error:
        warnings.warn(
            f"{path} is no whole entry of the cache of tokenised texts ({error}): it is rebuilt",
            stacklevel=2,
        )
        return None


def store_entry(key: str, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Writes an entry; a warning says what to do when that is impossible."""
    try:
        folder = cache_folder()
    except RuntimeError as error:
        _tell_not_kept("~/.cache/lightbulb", error)
        return
    if folder is None:
        return
    path = folder / f"{key}.tokenised"
    waiting = folder / f".{key}.{os.getpid()}.{secrets.token_hex(8)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with waiting.open("xb") as file:
                for block in _pack(key, arrays):
                    file.write(block)
                file.flush()
                os.fsync(file.fileno())
            waiting.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                waiting.unlink(missing_ok=True)
            raise
    except OSError as error:
        _tell_not_kept(folder, error.strerror or error)


def _tell_not_kept(folder: Path | str, reason: Exception | str) -> None:
    warnings.warn(
        f"tokenised texts cannot be kept in {folder} ({reason}), so the next process tokenises "
        f"them again: name another folder with {VARIABLE}=FOLDER, or turn the cache off with "
        f"{VARIABLE}=off",
        stacklevel=3,
    )


def _pack(key: str, arrays: Mapping[str, NDArray[Any]]) -> Iterator[bytes]:
    """Yields the blocks of an entry's file."""
    index = json.dumps(
        [[name, _portable(values).str, len(values)] for name, values in arrays.items()]
    ).encode()
    hasher = hashlib.blake2b(digest_size=_CHECKSUM_BYTES)
    head = _MAGIC + bytes.fromhex(key) + len(index).to_bytes(8, "little") + index
    blocks = (values.astype(_portable(values)).tobytes() for values in arrays.values())
    for block in itertools.chain([head], blocks):
        padded = block + bytes(-len(block) % _ALIGNMENT)
        hasher.update(padded)
        yield padded
    yield hasher.digest()


def _portable(values: NDArray[Any]) -> np.dtype[Any]:
    """Returns the dtype in which an array is written, on any machine."""
    return values.dtype.newbyteorder("<")


def _unpack(data: bytes, key: str) -> dict[str, NDArray[Any]]:
    """Returns the arrays of an entry's file, not to be written to."""
    if not data.startswith(_MAGIC):
        raise _DamagedError("another format")
    body = memoryview(data)[:-_CHECKSUM_BYTES]
    checksum = hashlib.blake2b(body, digest_size=_CHECKSUM_BYTES).digest()
    if checksum != data[-_CHECKSUM_BYTES:]:
        raise _DamagedError(f"cut short or changed, at {len(data)} bytes")
    place = len(_MAGIC)
    if data[place : place + _KEY_BYTES] != bytes.fromhex(key):
        raise _DamagedError("the entry of another key")
    place += _KEY_BYTES
    length = int.from_bytes(data[place : place + 8], "little")
    place += 8
    index = json.loads(data[place : place + length])
    place += length
    arrays = {}
    for name, dtype, count in index:
        if dtype not in _DTYPES:
            raise _DamagedError(f"an array of {dtype}")
        place += -place % _ALIGNMENT
        arrays[name] = np.frombuffer(body, np.dtype(dtype), count, place)
        place += arrays[name].nbytes
    return arrays

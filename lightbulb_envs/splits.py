"""The five splits, their salts, and which names belong to which.

Splits share no document, person or place: each has its own key for draws, and its own fifth of
the names (a name is a pair of parts, and the pair's residue says whose it is). Every part occurs
in every split, so a test name is unseen as a whole and familiar in its pieces.
"""

import hashlib
import os
from pathlib import Path

from lightbulb_envs.randomness import derive_key

SUITE_VERSION = 0
"""Part of every key. A change here makes every document another one."""

SPLITS = ("train", "validation", "test", "ood", "heldout")
HELDOUT_SALT_VARIABLE = "LIGHTBULB_HELDOUT_SALT"
_PUBLIC_SALT = "lightbulb"


def check_split(split: str) -> None:
    """Raises ValueError when `split` is not one of the five."""
    if split not in SPLITS:
        raise ValueError(f"split must be one of {', '.join(SPLITS)}, got {split!r}")


def split_residue(split: str) -> int:
    """Returns which residue of name parts modulo 5 belongs to the split."""
    check_split(split)
    return SPLITS.index(split)


def document_key(suite: str, split: str, level: int) -> tuple[int, int]:
    """Returns the key of all draws of one suite, split and level."""
    check_split(split)
    salt = _read_heldout_salt() if split == "heldout" else _PUBLIC_SALT
    return derive_key(suite, str(SUITE_VERSION), salt, split, str(level))


def salt_digest(split: str) -> str:
    """Returns what a record may say of the salt: its digest for `heldout`, "public" otherwise."""
    if split != "heldout":
        return "public"
    return hashlib.blake2b(
        _read_heldout_salt().encode(), digest_size=8, person=b"salt digest"
    ).hexdigest()


def _read_heldout_salt() -> str:
    path = os.environ.get(HELDOUT_SALT_VARIABLE)
    if not path:
        raise ValueError(
            f'split="heldout" needs its secret salt: set {HELDOUT_SALT_VARIABLE} to the path of a '
            "file that holds it (any text of 16 characters or more)"
        )
    try:
        salt = Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ValueError(
            f"{HELDOUT_SALT_VARIABLE} names a file that cannot be read: {error.strerror}"
        ) from error
    except UnicodeDecodeError as error:
        raise ValueError(
            f"the file that {HELDOUT_SALT_VARIABLE} names is no UTF-8 text: a salt is text of 16 "
            "characters or more"
        ) from error
    if len(salt) < 16:
        raise ValueError(
            f"the file that {HELDOUT_SALT_VARIABLE} names holds {len(salt)} characters: "
            "a salt needs 16 or more, or it could be guessed"
        )
    return salt

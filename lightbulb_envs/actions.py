"""Actions of every kind of space that an environment may have: checks, masks, draws, plain data.

What a row of the observation's `action_mask` says, 1 where legal:

    Discrete(A)              (A,)    which actions are legal
    MultiDiscrete([A] * K)   (K, A)  which actions are legal in each place
    MultiBinary(A)           (A,)    which bits may be set; none has to be
    Box(0, high, (A,))       (A,)    which places may have weight; one of them has to
    Text(L)                  (1,)    always 1: any text may be written
"""

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete, MultiBinary, MultiDiscrete, Text
from numpy.typing import NDArray

Space = gymnasium.Space[Any]
_LONGEST_DRAWN = 40
"""Characters of a text that is drawn, at most."""


def check_actions(actions: Sequence[Any] | NDArray[Any], count: int, space: Space) -> NDArray[Any]:
    """Returns the actions of `count` rows as an array; TypeError or ValueError says what is wrong.

    Weights are of the space's type, texts objects, and all others int64. The bits of a MultiBinary
    space may be bools, or floats that are 0 or 1: the space contains them, and policies of other
    libraries draw them.

    Raises:
        TypeError: actions that are no integers, weights that are no numbers, texts that are no
            strings.
        ValueError: actions of another shape, or outside the space.
    """
    if isinstance(space, Text):
        return _check_texts(actions, count, space)
    array = np.asarray(actions)
    wanted = (count, *(space.shape or ()))
    if array.shape != wanted:
        raise ValueError(f"actions must have the shape {wanted}, got {array.shape}")
    if isinstance(space, Box):
        return _check_weights(array, space)
    if isinstance(space, MultiBinary) and array.dtype.kind in "bf":
        wrong = array[(array != 0) & (array != 1)]
        if len(wrong):
            raise ValueError(f"bits must be 0 or 1, got {wrong.tolist()}")
    elif not np.issubdtype(array.dtype, np.integer):
        raise TypeError(f"actions must be integers, got {array.dtype}")
    size = _size(space)
    if array.size and not (array.min() >= 0 and (array < size).all()):
        wrong = array[(array < 0) | (array >= size)]
        raise ValueError(f"actions must be in [0, {np.max(size)}), got {wrong.tolist()}")
    return array.astype(np.int64)


def _check_texts(
    actions: Sequence[Any] | NDArray[Any], count: int, space: Text
) -> NDArray[np.object_]:
    if isinstance(actions, str) or len(actions) != count:
        raise ValueError(f"there must be a text for each of {count} rows, got {actions!r:.80}")
    texts = as_objects(actions)
    for text in texts:
        if not isinstance(text, str):
            raise TypeError(f"an action must be a string, got {type(text).__name__}")
        if len(text) > space.max_length:
            raise ValueError(
                f"a text may have {space.max_length:,} characters, and one has {len(text):,}"
            )
    return texts


def as_batch(actions: Sequence[Any] | NDArray[Any], space: Space) -> NDArray[Any]:
    """Returns the actions of several rows as an array, unchecked."""
    return as_objects(actions) if isinstance(space, Text) else np.asarray(actions)


def as_objects(values: Sequence[Any] | NDArray[Any]) -> NDArray[np.object_]:
    """Returns values as they are in an array; of strings numpy cuts the zeros at their ends."""
    array = np.empty(len(values), dtype=object)
    for place, value in enumerate(values):
        array[place] = value
    return array


def _check_weights(array: NDArray[Any], space: Box) -> NDArray[Any]:
    if array.dtype.kind not in "fiu":
        raise TypeError(f"weights must be numbers, got {array.dtype}")
    weights = array.astype(space.dtype)
    wrong = ~((weights >= space.low) & (weights <= space.high))  # so that NaN is wrong too
    if wrong.any():
        raise ValueError(
            f"weights must be in [{space.low.min():g}, {space.high.max():g}], got "
            f"{array[wrong].tolist()}"
        )
    return weights


def _size(space: Space) -> NDArray[np.int64]:
    """Returns how many values each place of an action may take."""
    if isinstance(space, Discrete):
        return np.array(int(space.n))
    if isinstance(space, MultiBinary):
        return np.array(2)
    if isinstance(space, MultiDiscrete):
        return np.asarray(space.nvec, dtype=np.int64)
    raise TypeError(
        "actions are Discrete, MultiDiscrete, MultiBinary, Box or Text here, got "
        f"{type(space).__name__}"
    )


def mask_shape(space: Space) -> tuple[int, ...]:
    """Returns the shape of one row's `action_mask`."""
    if isinstance(space, MultiDiscrete):
        return (len(space.nvec), int(space.nvec.max()))
    if isinstance(space, Box):
        return space.shape
    if isinstance(space, Text):
        return (1,)
    return (int(space.n),)  # type: ignore[attr-defined] # the other two have it


def are_legal(space: Space, masks: NDArray[np.int8], actions: NDArray[Any]) -> NDArray[np.bool_]:
    """Returns which of N actions their masks (N, ...) allow."""
    if isinstance(space, Text):
        return np.ones(len(actions), dtype=bool)
    if isinstance(space, Box):
        has_weight = actions > 0
        is_within = (~has_weight | masks.astype(bool)).all(axis=1)
        return np.asarray(has_weight.any(axis=1) & is_within)
    if isinstance(space, MultiBinary):
        is_allowed = ~actions.astype(bool) | masks.astype(bool)
    else:
        is_allowed = np.take_along_axis(masks.astype(bool), actions[..., None], axis=-1)[..., 0]
    is_legal: NDArray[np.bool_] = np.logical_and.reduce(np.atleast_2d(is_allowed.T), axis=0)
    return is_legal


def draw_legal(
    space: Space, masks: NDArray[np.int8], generator: np.random.Generator
) -> NDArray[Any]:
    """Returns one action a row, uniform over the legal ones; of texts, an example or any."""
    if isinstance(space, Box):
        share = 1 - generator.random(masks.shape)  # in (0, 1], so that some place has weight
        return np.where(masks > 0, share * space.high, 0).astype(space.dtype)
    if isinstance(space, Text):
        return as_objects([_draw_text(space, generator) for _ in masks])
    if isinstance(space, MultiBinary):
        return np.where(generator.random(masks.shape) < 0.5, masks, 0).astype(np.int64)
    place = generator.random(masks.shape[:-1]) * masks.sum(axis=-1)
    action: NDArray[np.int64] = (masks.cumsum(axis=-1) <= place[..., None]).sum(axis=-1)
    return action


def _draw_text(space: Text, generator: np.random.Generator) -> str:
    examples: tuple[str, ...] = getattr(space, "examples", ())
    if examples and generator.random() < 0.5:
        return examples[generator.integers(len(examples))]
    length = generator.integers(min(_LONGEST_DRAWN, space.max_length) + 1)
    places = generator.integers(len(space.character_list), size=length)
    return "".join(space.character_list[place] for place in places)


def sample_mask(space: Space, mask: NDArray[np.int8]) -> Any:
    """Returns a row's mask in the form that `space.sample(mask=...)` takes."""
    if isinstance(space, MultiDiscrete):
        pairs = zip(mask, space.nvec.tolist(), strict=True)
        return tuple(np.ascontiguousarray(row[:size]) for row, size in pairs)
    if isinstance(space, MultiBinary):
        return mask * np.int8(2)  # where 2 stands for either
    return None if isinstance(space, Box | Text) else mask  # they take none


def flat_mask(space: Space, masks: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Returns masks (..., M) in the layout of sb3-contrib's MaskablePPO: place after place."""
    allowed = masks.astype(bool)
    if isinstance(space, MultiBinary):
        allowed = np.stack([np.ones_like(allowed), allowed], axis=-1)
        return allowed.reshape(*masks.shape[:-1], -1)
    if isinstance(space, MultiDiscrete):
        places = [allowed[..., place, :size] for place, size in enumerate(space.nvec.tolist())]
        return np.concatenate(places, axis=-1)
    return allowed


def to_plain(action: Any) -> Any:
    """Returns an action as plain data: an int, a list of ints or of floats, or a string."""
    if isinstance(action, str):
        return str(action)
    return np.asarray(action).tolist()

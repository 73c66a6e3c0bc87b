"""Windows cover the data once an epoch, and go on where they were."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightbulb_backbones.pretraining.corpus import open_corpus
from lightbulb_backbones.pretraining.tokenizer import encode, train_tokenizer
from lightbulb_backbones.pretraining.windows import ShuffledWindows, StreamedWindows


@given(st.integers(5, 60), st.integers(1, 5), st.integers(0, 9))
def test_an_epoch_has_every_token_in_one_window_but_those_at_its_ends(count, length, seed):
    tokens = np.arange(count, dtype=np.int32)
    windows = ShuffledWindows(tokens, length, seed)
    starts = set()
    first = windows.take(1)[0]
    epoch = windows.state()["epoch"]
    held = [first]
    while windows.state()["place"] < len(windows._starts):
        held.append(windows.take(1)[0])
    assert windows.state()["epoch"] == epoch == 0
    for window in held:
        assert window.tolist() == list(range(window[0], window[0] + length))
        starts.add(int(window[0]))
    assert len(starts) == len(held)
    assert len({start % length for start in starts}) == 1
    assert count - len(held) * length <= 2 * length - 1


def test_epochs_have_offsets_and_orders_of_their_own_and_seeds_too():
    tokens = np.arange(1000, dtype=np.int32)

    def starts(seed: int) -> list[int]:
        return ShuffledWindows(tokens, 10, seed).take(300)[:, 0].tolist()

    one = starts(0)
    assert {start % 10 for start in one[:99]} != {start % 10 for start in one[100:199]}
    assert sorted(one[:99]) != one[:99]
    assert one != starts(1)
    assert one == starts(0)


@given(st.integers(0, 30), st.integers(1, 30))
def test_windows_go_on_where_they_were(before, after):
    tokens = np.arange(50, dtype=np.int32)
    windows = ShuffledWindows(tokens, 4, 3)
    windows.take(before)
    again = ShuffledWindows(tokens, 4, 3)
    again.set_state(json.loads(json.dumps(windows.state())))
    assert again.take(after).tolist() == windows.take(after).tolist()
    assert again.place() == windows.place()


def test_too_little_data_for_a_window_is_told():
    with pytest.raises(ValueError, match=r"the data has 3 tokens, and a window has 4"):
        ShuffledWindows(np.arange(3, dtype=np.int32), 4, 0)


def test_a_stream_is_cut_as_it_comes_and_goes_on_where_it_was(tmp_path):
    texts = [f"text number {number}" for number in range(9)]
    lines = [json.dumps({"text": text}) for text in texts]
    (tmp_path / "train.jsonl").write_text("\n".join(lines))
    tokenizer = train_tokenizer("characters", texts, 0)
    stream = open_corpus((f"hub:{tmp_path}",))
    windows = StreamedWindows(stream.open(), tokenizer, 10)
    whole = np.concatenate([encode(tokenizer, text)[0] for text in texts * 2])
    assert windows.take(6).flatten().tolist() == whole[:60].tolist()
    assert windows.place() == f"what follows 5 texts of hub:{tmp_path}"
    again = StreamedWindows(stream.open(), tokenizer, 10)
    again.set_state(json.loads(json.dumps(windows.state())))
    for reading in (windows, again):
        assert reading.take(9).flatten().tolist() == whole[60:150].tolist()

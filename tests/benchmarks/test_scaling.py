"""Every axis at its smallest, and pictures of curves that were made up."""

import math
import time
from types import SimpleNamespace

import pytest
import torch

from benchmarks.scaling.pictures import AXES, draw_all

KILOBYTES = 60

CURVES = {
    f"{name} of things": [
        {"at": size, "median": 2.0 * size, "least": 1.5 * size, "most": 4.0 * size}
        for size in (1, 2, 1000)
    ]
    for name in ("steps", "microseconds")
}


def check(curves, names, sizes):
    """Checks that there is a finite positive cost for every name and size, in order."""
    assert list(curves) == names
    for points in curves.values():
        assert [point["at"] for point in points] == sizes
        for point in points:
            assert 0 < point["least"] <= point["median"] <= point["most"] < math.inf


def test_a_step_costs_something_in_every_number_of_environments():
    environments = pytest.importorskip("benchmarks.scaling.environments")
    curves = environments.by_count(1, sizes=[1, 2], seconds=0.0, pool=2)
    pool, fresh = "fixed pool, copy=", "fresh documents, copy=False"
    check(curves, [f"{pool}False", f"{pool}True", fresh], [1, 2])


def test_a_step_costs_something_in_articles_of_every_length():
    environments = pytest.importorskip("benchmarks.scaling.environments")
    curves = environments.by_sentences(1, sizes=[6, 8], seconds=0.0, rows=2)
    check(curves, ["copy=False", "copy=True"], [6, 8])


def test_a_sentence_costs_something_in_every_length_of_its_own_and_of_the_reference():
    kernel = pytest.importorskip("benchmarks.scaling.kernel")
    if not kernel_is_there():
        pytest.skip("this axis is of the C kernel")
    words = kernel.by_words(1, sizes=[3, 5], seconds=0.0, count=4)
    check(words, ["ours, ROUGE-1+2+L", "rouge-score-rs, ROUGE-1+2+L"], [3, 5])
    reference = kernel.by_reference(1, sizes=[10, 40], seconds=0.0, count=4)
    kinds = ("ROUGE-1+2+L", "ROUGE-1+2+Lsum")
    names = [f"{who}, {kind}" for kind in kinds for who in ("ours", "rouge-score-rs")]
    check(reference, names, [10, 40])


def kernel_is_there():
    from lightbulb_envs.kernel import native

    return native() is not None


def test_documents_have_the_sizes_that_are_asked_for():
    module = pytest.importorskip("benchmarks.scaling.documents")
    told = module.documents(3, sentences=5, words=7, reference=40)
    assert told == module.documents(3, sentences=5, words=7, reference=40)
    for text in told:
        assert [len(sentence.split()) for sentence in text.sentences] == [7] * 5
        assert len(text.reference.split()) == 40
        assert len(text.reference.split("\n")) == 2
    (short,) = module.documents(1, reference=1)
    assert len(short.reference.split()) == 1


def test_training_is_timed_by_the_clock_and_by_the_processor():
    processes = pytest.importorskip("benchmarks.scaling.processes")

    class Training(SimpleNamespace):
        def update(self):
            time.sleep(0.01)
            self.steps += 10

    steps, passed, used = processes._train_for(Training(steps=5), 0.02)
    assert steps in (10, 20)
    assert 0 <= used <= passed
    assert passed >= 0.02


@pytest.mark.slow
def test_processes_train_side_by_side():
    processes = pytest.importorskip("benchmarks.scaling.processes")
    curves = processes.by_processes(1, sizes=[1, 2], seconds=0.1, config={"rows": 4})
    check(curves, ["steps a second", "microseconds a step"], [1, 2])


def test_scans_that_race_are_the_same():
    backbones = pytest.importorskip("benchmarks.scaling.backbones")
    inputs = [one.detach() for one in backbones.scan_inputs(20)]
    expected = backbones.scan(*inputs)[0]
    assert torch.allclose(backbones.scan_of_transformers(inputs), expected, atol=1e-5)
    curves = backbones.by_length_of_scan(1, sizes=[8, 16], seconds=0.001)
    check(curves, ["ours", "transformers, without kernels", "Mamba-2, ours"], [8, 16])


def test_a_token_that_goes_on_is_the_last_of_all_read_anew():
    backbones = pytest.importorskip("benchmarks.scaling.backbones")
    curves = backbones.by_place(1, sizes=[4, 8], seconds=0.001)
    assert set(curves) == {
        f"{name}{anew}"
        for name in ("Mamba", "Mamba-2", "attention")
        for anew in ("", ", all read anew")
    }
    check(curves, list(curves), [4, 8])
    torch.manual_seed(0)
    attention = backbones.AttentionBlock(backbones.CausalAttention(256, 4), 64)
    text, carried = torch.randn(1, 5, 256), backbones.Carried({})
    backbones.read([attention], text[:, :4], carried)
    last = backbones.read([attention], text[:, 4:], carried)
    assert torch.allclose(last, backbones.read([attention], text, None)[:, 4:], atol=1e-5)


def test_ways_of_sparse_attention_that_race_are_the_same_and_grow_a_process():
    backbones = pytest.importorskip("benchmarks.scaling.backbones")
    heads = [one.detach() for one in backbones.attention_inputs(500)]
    gathered, masked, everything = (way(*heads) for way in backbones.WAYS.values())
    assert torch.allclose(gathered, masked, atol=1e-5)
    assert not torch.allclose(everything, masked, atol=1e-2)
    curves = backbones.by_length_of_attention(1, sizes=[8, 16], seconds=0.001)
    check(curves, list(backbones.WAYS), [8, 16])
    grown = backbones.by_length_in_memory(2, sizes=[1024])
    assert (
        grown["block-sparse, a mask"][0]["least"] > 4
    )  # a mask of 1024 times 1024 numbers of 4 bytes


def test_an_article_that_was_read_is_decided_about():
    backbones = pytest.importorskip("benchmarks.scaling.backbones")
    curves = backbones.by_article(1, sizes=[5, 6], seconds=0.001)
    ways = ("read before", "read anew")
    check(curves, [f"{name}, {way}" for name in backbones.READERS for way in ways], [5, 6])


@pytest.mark.parametrize("name", ["environments", "processes"])
def test_an_axis_is_drawn_in_a_small_file(name, tmp_path):
    (path,) = draw_all({name: {"curves": CURVES}}, tmp_path / "new")
    assert path.name == f"scaling_{name}.png"
    assert path.read_bytes().startswith(b"\x89PNG")
    assert path.stat().st_size < KILOBYTES * 1000


def test_every_axis_that_is_measured_has_a_picture(tmp_path):
    main = pytest.importorskip("benchmarks.scaling.__main__")
    assert list(main.MEASURES) == list(AXES)
    assert draw_all({}, tmp_path) == []

"""Towers learn which passage answers, an index finds it, and outlives the process."""

import copy
import inspect
import math
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file

from lightbulb_backbones.faiss_candidates import FaissCandidates
from lightbulb_backbones.language_model import LanguageExpertModel
from lightbulb_backbones.passage_index import PassageIndex
from lightbulb_backbones.presets import preset
from lightbulb_backbones.retrieval import Retriever


def _retriever():
    torch.manual_seed(0)
    return Retriever(30, 8, heads=2, layers=1).double()


def _tokens(rows, length=5, seed=0):
    return torch.randint(1, 30, (rows, length), generator=torch.Generator().manual_seed(seed))


def test_a_search_finds_the_largest_products():
    chance = torch.Generator().manual_seed(0)
    index = PassageIndex(4, 5)
    vectors = torch.randn(50, 4, generator=chance)
    index.add(_tokens(20), vectors[:20])
    index.add(_tokens(30, length=3), vectors[20:])
    asked = torch.randn(7, 4, generator=chance)
    values, found = index.search(asked, 6)
    products = asked @ vectors.T
    assert torch.equal(found, products.argsort(dim=1, descending=True)[:, :6])
    assert torch.allclose(values, products.gather(1, found))
    assert index.search(asked, 99)[1].shape == (7, 50)
    assert index.tokens[20:, 3:].eq(0).all()


def test_an_index_outlives_its_process(tmp_path):
    index = PassageIndex(4, 5)
    index.add(_tokens(3), torch.eye(4)[:3])
    index.save(tmp_path / "index")
    again = PassageIndex.load(tmp_path / "index")
    assert torch.equal(again.tokens, index.tokens)
    assert torch.equal(again.vectors, index.vectors)
    assert again.search(torch.eye(4)[1:2], 1)[1].item() == 1


def test_the_loss_by_hand():
    retriever = _retriever()
    asked, told = _tokens(3), _tokens(3, seed=1)
    question, passage = (
        vectors.detach() for vectors in (retriever.questions(asked)[0], retriever.passages(told)[0])
    )
    expected = 0.0
    for row in range(3):
        products = [float(question[row] @ other) / retriever.temperature for other in passage]
        expected -= math.log(math.exp(products[row]) / sum(map(math.exp, products))) / 3
    assert retriever.loss(asked, told).item() == pytest.approx(expected)


def test_towers_begin_as_large_as_positions_and_products_are_divided_by_the_root_of_the_width():
    retriever = LanguageExpertModel(preset("tiny")).retriever
    for tower in (retriever.questions, retriever.passages):
        assert tower.embed.weight.std().item() == pytest.approx(1.0, abs=0.05)
    assert retriever.temperature == pytest.approx(48**0.5)


def test_padding_changes_no_vector():
    retriever = _retriever()
    short = _tokens(2, length=3)
    vectors, states = retriever.passages(short)
    padded = torch.nn.functional.pad(short, (0, 4))
    other, more = retriever.passages(padded)
    assert torch.allclose(vectors, other, atol=1e-6)
    assert torch.allclose(states, more[:, :3], atol=1e-6)


def test_towers_learn_which_passage_answers():
    torch.manual_seed(0)
    retriever = Retriever(64, 16, heads=2, layers=1)
    optimizer = torch.optim.Adam(retriever.parameters(), lr=3e-3)
    chance = torch.Generator().manual_seed(0)

    def pairs(count):
        # What is asked for stands in the passage among other words, under another number.
        asked = torch.randint(2, 32, (count, 1), generator=chance)
        noise = torch.randint(2, 32, (count, 2), generator=chance)
        passages = torch.cat((torch.ones_like(asked), asked + 32, noise), dim=1)
        return asked, passages

    asked, passages = pairs(200)
    distinct = torch.arange(2, 32)[:, None]
    answers = torch.cat((torch.ones_like(distinct), distinct + 32, distinct, distinct), dim=1)

    def found():
        index = retriever.index(answers)
        return (
            (index.search(retriever.questions(distinct)[0], 1)[1][:, 0] == torch.arange(30))
            .float()
            .mean()
        )

    assert found() < 0.4
    for _ in range(150):
        asked, passages = pairs(32)
        optimizer.zero_grad()
        retriever.loss(asked, passages).backward()
        optimizer.step()
    assert found() > 0.9


def test_what_is_retrieved_carries_gradients_to_both_towers():
    retriever, passages = _retriever(), _tokens(20)
    passages[::2, 3:] = 0
    index = retriever.index(passages)
    context = retriever.retrieve(index, _tokens(2, seed=3), None, 4)
    assert context.states.shape == (2, 20, 8)
    _, found = index.search(retriever.questions(_tokens(2, seed=3))[0], 4)
    assert torch.equal(context.keep, (passages[found] != 0).flatten(1))
    assert not context.keep.all()
    assert torch.allclose(context.log_probability[:, ::5].exp().sum(dim=1), torch.ones(2).double())
    (context.states.sum(dim=2) * context.log_probability).sum().backward()
    for tower in (retriever.questions, retriever.passages):
        assert tower.embed.weight.grad.abs().sum() > 0


def test_bad_indices_are_refused(tmp_path):
    index = PassageIndex(4, 5)
    with pytest.raises(ValueError, match="the index is empty"):
        index.search(torch.zeros(1, 4), 1)
    with pytest.raises(ValueError, match="have 3 numbers, and this index is of vectors of 4"):
        index.add(_tokens(2), torch.zeros(2, 3))
    with pytest.raises(ValueError, match="a passage has 6 tokens, and this index holds 5"):
        index.add(_tokens(2, length=6), torch.zeros(2, 4))
    with pytest.raises(ValueError, match="must be finite"):
        index.add(_tokens(2), torch.full((2, 4), torch.nan))
    index.add(_tokens(2), torch.zeros(2, 4))
    with pytest.raises(ValueError, match="questions have 5 numbers"):
        index.search(torch.zeros(1, 5), 1)
    with pytest.raises(ValueError, match="count must be 1 or more, got 0"):
        index.search(torch.zeros(1, 4), 0)
    with pytest.raises(FileNotFoundError, match="holds no index"):
        PassageIndex.load(tmp_path)
    with pytest.raises(ValueError, match="3 passages came with 2 vectors"):
        # Without the check of shapes that only tests turn on.
        inspect.unwrap(PassageIndex.add)(index, _tokens(3), torch.zeros(2, 4))
    index.save(tmp_path)
    file = tmp_path / "passages.safetensors"
    whole = file.read_bytes()
    file.write_bytes(whole[:-5])
    with pytest.raises(ValueError, match=r"is damaged \(.*index the passages again"):
        PassageIndex.load(tmp_path)
    file.write_bytes(whole.replace(b'"version":"1"', b'"version":"9"'))
    with pytest.raises(ValueError, match="is of version 9, and this one reads 1"):
        PassageIndex.load(tmp_path)


def _indices(factory, passages=300, width=8):
    chance = torch.Generator().manual_seed(0)
    vectors = torch.randn(passages, width, generator=chance)
    found = []
    for one in (None, factory):
        index = PassageIndex(width, 5, one)
        index.add(_tokens(passages), vectors)
        found.append(index)
    return (*found, torch.randn(20, width, generator=chance))


def test_faiss_finds_what_a_search_of_all_finds():
    exact, flat, asked = _indices("Flat")
    for one, other in zip(flat.search(asked, 6), exact.search(asked, 6), strict=True):
        assert torch.allclose(one, other, atol=1e-6)
    exact, graph, asked = _indices("HNSW32")
    values, found = graph.search(asked, 6)
    assert (found == exact.search(asked, 6)[1]).float().mean() > 0.9
    assert torch.allclose(values, (asked @ exact.vectors.T).gather(1, found), atol=1e-6)
    assert (values.diff(dim=1) <= 0).all()


def test_where_faiss_finds_too_few_every_passage_is_looked_at():
    exact, parts, asked = _indices("IVF16,Flat")
    for one, other in zip(parts.search(asked, 100), exact.search(asked, 100), strict=True):
        assert torch.allclose(one, other, atol=1e-6)


def test_passages_that_are_added_later_are_found_by_faiss_too():
    _, graph, asked = _indices("HNSW32")
    graph.search(asked, 1)
    graph.add(_tokens(1), 100 * asked[:1])
    assert graph.search(asked[:1], 1)[1].item() == 300
    with torch.no_grad():
        graph.vectors[7] = 200 * asked[0]
    assert graph.search(asked[:1], 1)[1].item() == 7


def test_a_copy_of_an_index_has_a_faiss_of_its_own():
    _, graph, asked = _indices("HNSW32")
    found = graph.search(asked, 3)[1]
    other = copy.deepcopy(graph)
    assert torch.equal(other.search(asked, 3)[1], found)
    other.add(_tokens(1), 100 * asked[:1])
    assert other.search(asked[:1], 1)[1].item() == 300
    assert torch.equal(graph.search(asked, 3)[1], found)


def test_an_index_of_faiss_outlives_its_process(tmp_path, monkeypatch):
    _, graph, asked = _indices("HNSW32")
    graph.save(tmp_path)
    again = PassageIndex.load(tmp_path)
    assert again.factory == "HNSW32"
    monkeypatch.setattr(FaissCandidates, "_make", None)  # it is not made again
    for one, other in zip(again.search(asked, 3), graph.search(asked, 3), strict=True):
        assert torch.equal(one, other)


def test_a_damaged_index_of_faiss_is_told(tmp_path):
    _, graph, _ = _indices("HNSW32")
    graph.save(tmp_path)
    file = tmp_path / "passages.safetensors"
    kept = load_file(file)
    told = {"version": "1", "factory": "HNSW32"}
    save_file({**kept, "faiss": kept["faiss"][:50].clone()}, file, told)
    with pytest.raises(ValueError, match=r"is damaged \(what FAISS has kept is no index"):
        PassageIndex.load(tmp_path)
    fewer = {name: kept[name][:9].clone() for name in ("vectors", "tokens")}
    save_file({**kept, **fewer}, file, told)
    with pytest.raises(ValueError, match="kept 300 vectors of 8 numbers, and there are 9 of 8"):
        PassageIndex.load(tmp_path)


def test_what_faiss_cannot_do_is_told(monkeypatch, tmp_path):
    with pytest.raises(ValueError, match="makes no index of vectors of 4 numbers by 'tree'"):
        PassageIndex(4, 5, "tree")
    _, parts, asked = _indices("IVF999,Flat")
    with pytest.raises(ValueError, match="cannot learn 'IVF999,Flat' from 300 passages"):
        parts.search(asked, 1)
    PassageIndex(4, 5, "HNSW32").save(tmp_path)
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(ImportError, match=r"pip install 'lightbulb\[faiss\]'"):
        PassageIndex.load(tmp_path)

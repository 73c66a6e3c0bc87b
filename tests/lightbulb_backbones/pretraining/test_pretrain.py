"""The command leaves a model that others load, and says what is wrong with what it was given."""

import json
import sys
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, AutoTokenizer, GPT2Config, GPT2LMHeadModel

from lightbulb_backbones import pretrain
from lightbulb_backbones.pretrain import run_pretraining
from lightbulb_backbones.pretraining import corpus, reading
from lightbulb_backbones.pretraining.language_score import score_text
from lightbulb_backbones.pretraining.reading import hold_out, learn_tokenizer, open_windows


def test_a_run_leaves_a_model_that_transformers_loads_and_what_it_reached(make_config):
    config = make_config()
    score = run_pretraining(config)
    folder = config.folder() / "model"
    model = AutoModelForCausalLM.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert model.config.vocab_size == len(tokenizer)
    _, held = open_windows(config.text, tokenizer, config.seed)
    again = score_text(model, held.tokens, held.characters, 24, model.config.prefix)
    assert again.nats == pytest.approx(score.nats, rel=1e-6)
    results = json.loads((config.folder() / "results.json").read_text())
    assert results["perplexity"] == score.perplexity
    assert results["tokens"] == 6 * 4 * 24
    start = torch.tensor([tokenizer("The ")["input_ids"]])
    mask = torch.ones_like(start)
    told = model.generate(start, attention_mask=mask, max_new_tokens=5, do_sample=False)
    assert tokenizer.decode(told[0]).startswith("The ")
    assert sorted(one.name for one in config.folder().iterdir()) == [
        *("checkpoints", "metrics.csv", "model", "results.json", "run.json", "samples.jsonl"),
        *("tensorboard", "tokenizer"),
    ]


@given(st.lists(st.text("ab", min_size=1, max_size=30), max_size=8))
def test_the_last_twentieth_of_texts_is_held_out(texts):
    kept, held = hold_out(texts)
    assert "".join(kept) + "".join(held) == "".join(texts)
    assert len("".join(held)) == round(len("".join(texts)) * 0.05)
    assert kept[:-1] == texts[: max(len(kept) - 1, 0)]


def test_neither_model_nor_tokenizer_learns_from_what_is_held_out(make_config, tmp_path):
    path = tmp_path / "two.txt"
    path.write_text("a" * 950 + "b" * 50)
    config = make_config(text={"data": (str(path),)}).text
    tokenizer = learn_tokenizer(config, 300)
    windows, held = open_windows(config, tokenizer, 0)
    assert "b" not in tokenizer.get_vocab()
    assert windows.tokens.tolist() == [tokenizer.vocab["a"]] * 950 + [tokenizer.eos_token_id]
    assert held.tokens.tolist() == [tokenizer.unk_token_id] * 50 + [tokenizer.eos_token_id]
    other = tmp_path / "other.txt"
    other.write_text("aaa")
    config = make_config(text={"data": (str(path),), "validation": (str(other),)}).text
    windows, held = open_windows(config, tokenizer, 0)
    assert tokenizer.decode(held.tokens[:-1]) == "aaa"
    assert len(windows.tokens) == 1001


def test_what_is_both_learnt_from_and_held_out_is_refused(
    make_config, text_file, make_stream, monkeypatch
):
    monkeypatch.chdir(text_file.parent)
    other = text_file.parent / "other" / "val.txt"
    other.parent.mkdir()
    other.write_text("The mayor is Ada. " * 9)
    stream = make_stream(210)
    for data, validation, named in (
        (str(other.parent), "other/../other/val.txt", "val.txt"),
        (stream, f"{stream}[train]", "copy-210"),
    ):
        config = make_config(text={"data": (data,), "validation": (validation,)})
        with pytest.raises(ValueError, match=f"{named} .*leave it out of --data"):
            run_pretraining(config)
        assert not config.folder().exists()


def test_too_short_a_validation_text_is_told_before_anything_is_learnt(make_config, text_file):
    short = text_file.parent / "short.txt"
    config = make_config(text={"validation": (str(short),)})
    for text, tokens in (("", 0), ("The", 4)):
        short.write_text(text)
        with pytest.raises(ValueError, match=f"{tokens} tokens .* the 4 by which a text is routed"):
            run_pretraining(config)
        assert not config.folder().exists()
    short.write_text("The ")
    run_pretraining(config)


@pytest.fixture
def make_stream(tmp_path):
    """Returns data sets of so many short texts."""

    def make(texts):
        folder = tmp_path / f"copy-{texts}"
        folder.mkdir()
        lines = [json.dumps({"text": f"town {number} "}) for number in range(texts)]
        (folder / "train.jsonl").write_text("\n".join(lines) + "\n")
        return f"hub:{folder}"

    return make


def test_a_stream_holds_out_its_first_texts_whenever_it_begins(
    make_config, make_stream, monkeypatch
):
    config = make_config(text={"data": (make_stream(210),), "length": 10})
    opened, own = [], corpus._load
    monkeypatch.setattr(corpus, "_load", lambda place: (opened.append(place), own(place))[1])
    tokenizer = learn_tokenizer(config.text, 300)
    assert len(opened) == 2  # what is held out, and once what is learnt from
    windows, held = open_windows(config.text, tokenizer, 0)
    told = tokenizer.decode(held.tokens, skip_special_tokens=True)
    assert told == "".join(f"town {number} " for number in range(200))
    learnt = tokenizer.decode(windows.take(30).reshape(-1), skip_special_tokens=True)
    numbers = [int(number) for number in learnt.split("town ")[1:-1]]
    assert numbers == [*range(200, 210)] * 2 + [*range(200, 200 + len(numbers) - 20)]
    run_pretraining(config)


def test_characters_are_learnt_from_all_texts_of_files_and_of_a_streams_first(
    make_config, tmp_path, monkeypatch
):
    monkeypatch.setattr(reading, "_TEXTS_OF_TOKENIZER", 2)
    monkeypatch.setattr(reading, "_TEXTS_HELD_OUT", 1)
    folder = tmp_path / "texts"
    folder.mkdir()
    lines = [json.dumps({"text": letter * 100}) for letter in "abcdefgh"]
    (folder / "train.jsonl").write_text("\n".join(lines))
    for place, kind, expected in (
        (str(folder), "characters", "abcdefgh"),
        (f"hub:{folder}", "characters", "bc"),
        (str(folder), "bytes", "aabb"),
    ):
        text = {"data": (place,), "tokenizer": kind, "vocabulary": 300}
        found = learn_tokenizer(make_config(text=text).text, 300).get_vocab()
        if kind == "bytes":
            assert "aaaa" in found
            assert "bbbb" in found
            assert "cc" not in found
        else:
            assert "".join(sorted(one for one in found if len(one) == 1)) == expected


def test_how_much_is_unknown_to_the_tokenizer_is_told(make_config, make_stream, tmp_path, capsys):
    run_pretraining(make_config("known", text={"validation": (_of("Town. ", tmp_path),)}))
    assert "nknown" not in capsys.readouterr().err
    run_pretraining(make_config("held", text={"validation": (_of("Town [~~~]", tmp_path),)}))
    told = "Unknown to the tokenizer: 5 of 11 held-out tokens"
    assert told in capsys.readouterr().err
    tokenizer = str(make_config("held").folder() / "tokenizer")
    other = {"data": (_of("~ Town" * 20, tmp_path),), "tokenizer": tokenizer}
    run_pretraining(make_config("given", text=other))
    told = "Unknown to the tokenizer: 1 of 7 held-out tokens and 19 of 115 learnt tokens; each"
    assert told in capsys.readouterr().err
    (tmp_path / "stream").mkdir()
    rows = [json.dumps({"text": "town ~"})] * 201
    (tmp_path / "stream" / "train.jsonl").write_text("\n".join(rows))
    text = {"data": (f"hub:{tmp_path / 'stream'}",), "tokenizer": tokenizer}
    run_pretraining(make_config("stream", text=text))
    assert "Unknown to the tokenizer: 200 of 1,400 held-out tokens;" in capsys.readouterr().err


def _of(text, folder):
    """Returns the path of a text."""
    path = folder / "own.txt"
    path.write_text(text)
    return str(path)


def test_a_stream_of_held_out_texts_alone_is_refused(make_config, make_stream):
    short = make_stream(150)
    with pytest.raises(ValueError, match="behind its first 200 rows, which are held out"):
        run_pretraining(make_config(text={"data": (short,)}))
    other = make_stream(151)
    config = make_config("given", text={"validation": (short,), "data": (other,)}, steps=1)
    _, held = open_windows(config.text, learn_tokenizer(config.text, 300), 0)
    assert held.characters.sum() == len("".join(f"town {number} " for number in range(150)))
    run_pretraining(config)


def test_another_causal_model_is_trained_the_same_way(make_config):
    def plain(config, tokenizer):
        return GPT2LMHeadModel(
            GPT2Config(
                vocab_size=len(tokenizer),
                n_embd=16,
                n_head=2,
                n_layer=1,
                n_positions=128,
                bos_token_id=tokenizer.eos_token_id,
                eos_token_id=tokenizer.eos_token_id,
            )
        )

    config = make_config()
    run_pretraining(config, plain)
    model = AutoModelForCausalLM.from_pretrained(config.folder() / "model")
    assert isinstance(model, GPT2LMHeadModel)


def test_a_folder_that_holds_a_run_is_kept(make_config):
    run_pretraining(make_config(steps=1))
    with pytest.raises(FileExistsError, match="holds a run already"):
        run_pretraining(make_config(steps=1))
    with pytest.raises(ValueError, match="started with other flags \\(steps was 1\\)"):
        run_pretraining(make_config(steps=2, resume=True))
    with pytest.raises(FileNotFoundError, match="holds no run to resume"):
        run_pretraining(make_config("other", resume=True))


def test_runs_without_a_folder_are_numbered(make_config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for expected in ("tiny-0", "tiny-0-2"):
        config = make_config(run_folder=None)
        assert config.folder().name == expected
        config.folder().mkdir(parents=True)
    assert make_config(run_folder=None, resume=True).folder().name == "tiny-0-2"


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ([], "no data: name files"),
        (["--data", "missing.txt"], "missing.txt is not there"),
        (["--data", "TEXT", "--preset", "huge"], "preset must be one of tiny, small, base, 1b"),
        (["--data", "TEXT", "--length", "16"], "length must be more than the 16 tokens"),
        (["--data", "TEXT", "--length", "9999"], "tokens, and a window has 9,999"),
        (["--data", "TEXT", "--settings", "prefix"], "--settings takes NAME=JSON, got 'prefix'"),
        (["--data", "TEXT", "--settings", "prefix=x"], "'x' is no JSON"),
        (["--data", "TEXT", "--settings", 'experts=["vim"]'], "experts must be some of rag, dpo"),
        (["--data", "TEXT", "--device", "tpu"], 'device must be "auto", "cpu" or "cuda"'),
        (["--data", "TEXT", "--vocabulary", "9"], "vocabulary must be 258 or more, got 9"),
        (["--data", "TEXT", "--optimisation.max-grad-norm", "0"], "must be more than 0, got 0"),
        (["--data", "TEXT", "--batch", "0"], "batch must be 1 or more, got 0"),
        (["--data", "TEXT", "--tokenizer", "none"], 'tokenizer must be "bytes", "characters"'),
    ],
)
def test_bad_input_ends_in_one_clear_line(flags, told, text_file, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    flags = [str(text_file) if flag == "TEXT" else flag for flag in flags]
    monkeypatch.setattr(sys, "argv", ["pretrain", *flags, "--run-folder", "run"])
    with pytest.raises(SystemExit) as stopped:
        pretrain.main()
    said = str(stopped.value.code) + capsys.readouterr().err
    assert told in said
    assert "Traceback" not in said
    assert not (tmp_path / "run").exists()


def test_a_run_that_shortens_no_gradient_is_written_and_goes_on(make_config):
    config = make_config(optimisation={"max_grad_norm": float("inf")})
    run_pretraining(config)
    written = json.loads((config.folder() / "run.json").read_text())
    assert written["config"]["optimisation"]["max_grad_norm"] == "Infinity"
    run_pretraining(replace(config, resume=True))
    with pytest.raises(ValueError, match=r"other flags \(optimisation.max_grad_norm was .Infinity"):
        run_pretraining(make_config(resume=True))


def test_a_number_that_the_model_has_not_is_told(make_config):
    with pytest.raises(ValueError, match="no setting 'hiden_size'"):
        run_pretraining(make_config(settings=("hiden_size=8",)))


def test_ctrl_c_says_how_to_go_on(make_config, monkeypatch, capsys):
    def stop(config):
        raise KeyboardInterrupt

    monkeypatch.setattr(pretrain, "run_pretraining", stop)
    monkeypatch.setattr(sys, "argv", ["pretrain"])
    with pytest.raises(SystemExit) as stopped:
        pretrain.main()
    assert stopped.value.code == 130
    assert "--resume goes on from the last checkpoint" in capsys.readouterr().err

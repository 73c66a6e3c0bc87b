"""Passages are looked up while a model is pretrained, and come with it."""

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GPT2Config, GPT2LMHeadModel

from lightbulb_backbones.pretrain import make_language_expert, run_pretraining
from lightbulb_backbones.pretraining import curve
from lightbulb_backbones.pretraining.reading import learn_tokenizer, open_passages
from lightbulb_backbones.pretraining.tokenizer import train_tokenizer
from lightbulb_backbones.runs.checkpoint import latest_checkpoint, read_weights

ALONE = ('experts=["rag"]',)


@pytest.fixture
def other_file(tmp_path):
    """A file of texts that nothing is learnt from."""
    path = tmp_path / "other.txt"
    path.write_text("The mayor of town 7 is Ada. The mayor of town 8 is Bo.")
    return path


def test_texts_are_cut_into_passages(make_config, other_file):
    config = make_config(text={"passages": (str(other_file),), "passage_length": 20}).text
    tokenizer = learn_tokenizer(config, 300)
    passages = open_passages(config, tokenizer)
    text = other_file.read_text()
    expected = tokenizer(text)["input_ids"]
    assert passages.shape == (3, 20)
    assert passages.flatten().tolist() == expected + [0] * (60 - len(expected))


def test_what_is_looked_up_comes_with_the_model_and_changes_what_it_predicts(
    make_config, other_file
):
    text = {"passages": (str(other_file),), "passage_length": 20}
    config = make_config(text=text, settings=ALONE)
    run_pretraining(config)
    model = AutoModelForCausalLM.from_pretrained(config.folder() / "model")
    index, retriever = model.model.index, model.model.retriever
    assert len(index) == 3
    told = torch.randint(3, model.config.vocab_size, (2, 12))
    with torch.no_grad():
        found = model(told).logits
        model.model.index = None
        assert not torch.allclose(model(told).logits, found)
    # The tower of questions learnt through what was looked up; vectors stayed as they began.
    tokenizer = AutoTokenizer.from_pretrained(config.folder() / "model")
    torch.manual_seed(config.seed)
    fresh = make_language_expert(config, tokenizer).model.retriever
    assert torch.equal(index.vectors, fresh.index(index.tokens).vectors)
    assert not torch.equal(retriever.questions.embed.weight, fresh.questions.embed.weight)


def test_a_run_with_passages_goes_on_with_them(make_config, other_file, monkeypatch):
    text = {"passages": (str(other_file),), "passage_length": 20}
    run_pretraining(make_config("whole", text=text, settings=ALONE))

    class StoppedError(Exception):
        pass

    with monkeypatch.context() as patch:
        own = curve.Curve.follow

        def follow(self, measured):
            if measured["steps"] == 3:
                raise StoppedError
            own(self, measured)

        patch.setattr(curve.Curve, "follow", follow)
        with pytest.raises(StoppedError):
            run_pretraining(make_config("stopped", text=text, settings=ALONE))
    run_pretraining(make_config("stopped", text=text, settings=ALONE, resume=True))
    whole, stopped = (
        read_weights(latest_checkpoint(make_config(name).folder())) for name in ("whole", "stopped")
    )
    assert {"model.index.vectors", "model.index.tokens"} <= whole.keys()
    for name, weight in whole.items():
        assert torch.equal(weight, stopped[name]), name


def test_passages_that_will_not_do_are_told(make_config, other_file, text_file, tmp_path):
    def refused(message, settings=(), make_model=None, **text):
        config = make_config(text=text, settings=settings)
        with pytest.raises(ValueError, match=message):
            run_pretraining(config, *([make_model] if make_model else []))
        assert not config.folder().exists()

    refused("text.txt would be looked up while it is read", passages=(str(text_file),))
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "other.txt").write_text("The mayor of town 9 is Cy.")
    refused(
        "other.txt would be looked up while it is read",
        passages=(str(tmp_path / "folder"),),
        validation=(str(tmp_path / "folder" / "other.txt"),),
    )
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "none.txt").write_text("")
    refused("empty hold no passage", passages=(str(tmp_path / "empty"),))
    refused("is streamed, and passages are held in memory", passages=(f"hub:{tmp_path}",))
    refused("nowhere is not there", passages=("nowhere",))
    refused(
        "looked up by the expert 'rag', which this model has not",
        settings=('experts=["dpo"]',),
        passages=(str(other_file),),
    )

    def plain(config, tokenizer):
        return GPT2LMHeadModel(GPT2Config(vocab_size=len(tokenizer), n_embd=8, n_head=2, n_layer=1))

    refused("which this model has not", make_model=plain, passages=(str(other_file),))
    with pytest.raises(ValueError, match="--passage-length is of --passages"):
        make_config(text={"passage_length": 5})
    tokenizer = train_tokenizer("characters", ["ab"], 300)
    tokenizer.pad_token = "a"
    config = make_config(text={"passages": (str(other_file),)}).text
    with pytest.raises(
        ValueError, match=r"padded with token 0, and in this tokenizer that is '\[pad\]'"
    ):
        open_passages(config, tokenizer)

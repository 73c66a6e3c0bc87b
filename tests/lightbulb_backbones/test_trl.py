"""TRL's own trainer of preferences works on the language expert."""

import pytest
import torch

from lightbulb_backbones.dpo import completion_log_probability, dpo_loss
from lightbulb_backbones.language import LanguageExpertForCausalLM
from lightbulb_backbones.presets import preset
from lightbulb_backbones.pretraining.tokenizer import train_tokenizer

datasets = pytest.importorskip("datasets")
trl = pytest.importorskip("trl")

TEXTS = ["abcdefghijkl says: yes", "abcdefghijkl says: no"]
ROWS = [
    {"prompt": f"abcdefgh{letter}jkl says: ", "chosen": "yes", "rejected": "no"}
    for letter in "abcdefghijkl"
]


def _model(tokenizer):
    torch.manual_seed(0)
    small = {"hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 16, "prefix": 4}
    own = {"vocab_size": len(tokenizer), "eos_token_id": tokenizer.eos_token_id}
    return LanguageExpertForCausalLM(preset("tiny", **small, **own, balance=0.0, z=0.0))


@pytest.mark.filterwarnings("ignore")
def test_the_trainer_of_trl_prefers_what_is_preferred_and_begins_with_our_loss(tmp_path):
    tokenizer = train_tokenizer("characters", TEXTS, 0)
    model, reference = _model(tokenizer), _model(tokenizer)
    arguments = trl.DPOConfig(
        output_dir=str(tmp_path),
        per_device_train_batch_size=12,
        max_steps=25,
        learning_rate=3e-3,
        logging_steps=1,
        report_to=[],
        use_cpu=True,
        bf16=False,
        save_strategy="no",
        gradient_checkpointing=False,
        disable_tqdm=True,
        seed=0,
    )
    trainer = trl.DPOTrainer(
        model=model,
        ref_model=reference,
        args=arguments,
        train_dataset=datasets.Dataset.from_list(ROWS),
        processing_class=tokenizer,
    )
    trainer.train()
    told = [row for row in trainer.state.log_history if "loss" in row]
    assert told[0]["loss"] == pytest.approx(0.6931, abs=1e-3)  # both are the reference
    assert told[-1]["loss"] < 0.55
    assert told[-1]["rewards/accuracies"] == 1.0
    model.eval()
    with torch.no_grad():
        logs = []
        for one in (model, reference.eval()):
            pair = []
            for name in ("chosen", "rejected"):
                prompts = [tokenizer(row["prompt"])["input_ids"] for row in ROWS]
                whole = [
                    prompt + tokenizer(row[name])["input_ids"] + [tokenizer.eos_token_id]
                    for prompt, row in zip(prompts, ROWS, strict=True)
                ]
                text = torch.tensor(whole)
                of_completion = torch.zeros_like(text, dtype=torch.bool)
                of_completion[:, len(prompts[0]) :] = True
                pair.append(completion_log_probability(one(text).logits, text, of_completion))
            logs.append(pair)
    ours = dpo_loss(*logs[0], *logs[1], beta=0.1)
    assert ours.accuracy == 1.0
    assert float(ours.loss) == pytest.approx(told[-1]["loss"], abs=0.01)

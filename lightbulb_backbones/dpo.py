"""Direct preference optimisation (Rafailov et al. 2023, equation 7): what is preferred becomes
likelier than what is not, as against a reference that the policy began as.

    L = -log sigmoid(beta [(log pi(y+|x) - log ref(y+|x)) - (log pi(y-|x) - log ref(y-|x))])

log pi(y|x) is a sum over exactly the completion's tokens.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional


def completion_log_probability(
    logits: Float[Tensor, "B T V"], tokens: Int[Tensor, "B T"], of_completion: Bool[Tensor, "B T"]
) -> Float[Tensor, " B"]:
    """Returns the log-probability of completions, each token's from the logits before it.

    Args:
        of_completion: which tokens are counted; a text's first token has nothing before it.

    Raises:
        ValueError: a first token is counted.
    """
    if of_completion[:, 0].any():
        raise ValueError(
            "a text's first token follows nothing, so it has no probability: begin with a prompt"
        )
    shares = logits[:, :-1].float().log_softmax(dim=2)
    each = shares.gather(2, tokens[:, 1:].unsqueeze(2)).squeeze(2)
    return each.where(of_completion[:, 1:], 0.0).sum(dim=1)  # an impossible token times 0 is nan


@dataclass(frozen=True)
class Preferences:
    """What a step of learning measured of n pairs."""

    loss: Float[Tensor, ""]
    accuracy: Float[Tensor, ""]
    """Share of pairs whose preferred completion gained more on the reference."""
    margin: Float[Tensor, ""]
    """beta times by how much more, on average."""


def dpo_loss(
    chosen: Float[Tensor, " n"],
    rejected: Float[Tensor, " n"],
    reference_chosen: Float[Tensor, " n"],
    reference_rejected: Float[Tensor, " n"],
    beta: float = 0.1,
) -> Preferences:
    """Returns the loss of pairs, from log-probabilities of their completions.

    Args:
        beta: how dearly leaving the reference is paid for.
    """
    if not beta > 0:
        raise ValueError(f"beta must be more than 0, got {beta}")
    margin = beta * ((chosen - reference_chosen) - (rejected - reference_rejected))
    return Preferences(
        loss=-functional.logsigmoid(margin).mean(),
        accuracy=(margin.detach() > 0).to(torch.float32).mean(),
        margin=margin.detach().mean(),
    )

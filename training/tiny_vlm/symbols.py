"""Ideal tokens: what a projected vision token should be, in the language model's own word vectors.

They replace images while the language model learns to answer (stage 2), and are the targets of the projector (stage 3).
"""

import math

import numpy as np
import torch
from torch import Tensor, nn

from .config import Config
from .dataset import SIGN, Objects, Tokens, describe_tokens
from .scenes import BACKGROUNDS, COLORS, SHAPES, SIZES
from .text import ID

_COLOR_WORDS = [ID[word] for word in (*COLORS, *BACKGROUNDS)]
_SHAPE_WORDS = [ID[word] for word in (*SHAPES, "background", "sign")]
_SIZE_WORDS = [ID[word] for word in SIZES]
_GROUND_WORDS = [ID[word] for word in BACKGROUNDS]

# The weight of each part of a token.
SIZE_SHARE, GROUND_SHARE, PLACE_SHARE = 0.6, 0.35, 0.7


class IdealTokens(nn.Module):
    """Color + shape + size + place + mark of an object's center + the scene's background, as word vectors."""

    def __init__(self, config: Config):
        super().__init__()
        self.place = nn.Linear(18, config.width, bias=False)
        nn.init.normal_(self.place.weight, std=0.025 * math.sqrt(128 / config.width))
        self.centre = nn.Parameter(torch.randn(config.width) * 0.05)
        words = {"color": _COLOR_WORDS, "shape": _SHAPE_WORDS, "size": _SIZE_WORDS, "ground": _GROUND_WORDS}
        for name, ids in words.items():
            self.register_buffer(f"{name}_words", torch.tensor(ids), persistent=False)

    def forward(self, words: Tensor, tokens: Tokens) -> Tensor:
        """`words` is the embedding table; returns `[B, n, width]`."""
        on = tokens.is_object[..., None]
        sized = on & (tokens.shape != SIGN)[..., None]
        return (
            words[self.color_words[tokens.color]]
            + words[self.shape_words[tokens.shape]]
            + SIZE_SHARE * words[self.size_words[tokens.size]] * sized
            + GROUND_SHARE * words[self.ground_words[tokens.background]][:, None] * on
            + PLACE_SHARE * self.placed(tokens)
            + tokens.is_centre[..., None] * self.centre
        )

    def placed(self, tokens: Tokens) -> Tensor:
        """The parts of tokens that encode the positions of what they show, `[B, n, width]`."""
        return self.place(place_features(tokens.xy))


def place_features(xy: Tensor) -> Tensor:
    """Positions in [0, 1] as 18 smooth features."""
    waves = torch.arange(1, 5, device=xy.device).float() * math.pi
    x, y = (xy[..., i, None] for i in (0, 1))
    parts = [f(c * waves) for c in (x, y) for f in (torch.sin, torch.cos)]
    return torch.cat([3 * (xy - 0.5), *parts], -1)


def sample_tokens(rng: np.random.Generator, objects: Objects, length: int) -> Tokens:
    """A context of `length` tokens per scene: one or several tokens per object, the rest background, shuffled."""
    counts = objects.present.sum(1).tolist()
    owner = torch.full((len(counts), length), -1, dtype=torch.int64)
    for row, count in enumerate(counts):
        repeats = rng.integers(1, max(2, min(5, length // count)), count)
        listed = np.repeat(np.arange(count), repeats)[:length]
        owner[row, torch.from_numpy(rng.permutation(length)[: len(listed)])] = torch.from_numpy(listed)
    places = torch.from_numpy(rng.random((len(counts), length, 2), np.float32))
    return describe_tokens(owner, places, objects)

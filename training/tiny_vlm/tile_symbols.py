"""Ideal tokens of the tiled model: those of symbols.py, plus characters, marks, and whether a token belongs to a tile."""

import numpy as np
import torch
from torch import Tensor, nn

from .config import Config
from .dataset import SIGN, Objects, describe_tokens
from .glyphs import CHARACTERS
from .scenes import Scene
from .sign_scenes import CELLS, MARKS, MAX_LENGTH, SIZE
from .symbols import IdealTokens
from .text import ID
from .tiles import TileTokens, characters_of, marks_of

# The weights of characters and marks.
CHARACTER_SHARE, MARK_SHARE = 1.2, 0.8
# Minimum and maximum number of tile tokens that show an object.
SEEN_BY = (1, 4)


class TileIdealTokens(IdealTokens):
    """Adds to the ideal tokens of tiles the character and its number on the sign, and the mark of an object."""

    def __init__(self, config: Config):
        super().__init__(config)
        self.slots = nn.Parameter(torch.randn(MAX_LENGTH + 1, config.width) * 0.08)
        self.overview = nn.Parameter(torch.randn(config.width) * 0.08)
        self.register_buffer("character_words", torch.tensor([ID[c] for c in CHARACTERS]), persistent=False)
        self.register_buffer("mark_words", torch.tensor([ID[m] for m in MARKS]), persistent=False)

    def forward(self, words: Tensor, tokens: TileTokens) -> Tensor:
        written = (tokens.slot > 0)[..., None]
        bears = (tokens.is_tile & tokens.is_object & (tokens.shape != SIGN))[..., None]
        character = tokens.character.clamp(max=len(CHARACTERS) - 1)
        return (
            super().forward(words, tokens)
            + (CHARACTER_SHARE * words[self.character_words[character]] + self.slots[tokens.slot]) * written
            + MARK_SHARE * words[self.mark_words[tokens.mark]] * bears
            + self.overview * ~tokens.is_tile[..., None]
        )

    def placed(self, tokens: TileTokens) -> Tensor:
        """Only tokens of the overview encode positions: a position within a tile would only blur the one in the image."""
        return super().placed(tokens) * ~tokens.is_tile[..., None]


def sample_tile_tokens(rng: np.random.Generator, scenes: list[Scene], objects: Objects, length: int) -> TileTokens:
    """A context of `length` tile tokens and the whole overview per scene: objects take one or several tile tokens, signs one or
    two per character, the rest is background.
    """
    count, cells = len(scenes), CELLS * CELLS
    owner = torch.full((count, length + cells), -1)
    slot = torch.zeros_like(owner)
    for row, scene in enumerate(scenes):
        shown: list[tuple[int, int]] = []
        for j, thing in enumerate(scene.objects):
            if thing.text:
                shown += [(j, k + 1) for k in range(len(thing.text)) for _ in range(rng.integers(1, 3))]
            else:
                shown += [(j, 0)] * int(rng.integers(SEEN_BY[0], SEEN_BY[1] + 1))
            owner[row, length + int(thing.y * CELLS // SIZE) * CELLS + int(thing.x * CELLS // SIZE)] = j
        shown = [shown[i] for i in rng.permutation(len(shown))[:length]]
        places = torch.from_numpy(np.sort(rng.permutation(length)[: len(shown)]))
        # Tokens of an object are consecutive, as in a tile.
        told = torch.tensor(sorted(shown))
        owner[row, places], slot[row, places] = told[:, 0], told[:, 1]
    at = (torch.arange(CELLS) + 0.5) / CELLS
    overview = torch.stack([at.repeat(CELLS), at.repeat_interleave(CELLS)], -1).expand(count, -1, -1)
    tiles = describe_tokens(owner[:, :length], torch.from_numpy(rng.random((count, length, 2), np.float32)), objects)
    whole = describe_tokens(owner[:, length:], overview, objects)
    joined = {
        name: value if name == "background" else torch.cat([value, getattr(whole, name)], 1)
        for name, value in vars(tiles).items()
    }
    is_tile = (torch.arange(length + cells) < length).expand(count, -1)
    return TileTokens(
        **joined, slot=slot, character=characters_of(scenes, owner, slot), mark=marks_of(scenes, owner), is_tile=is_tile
    )

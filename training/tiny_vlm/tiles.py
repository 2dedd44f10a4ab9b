"""Images split into tiles as by the processor of the exported model, and what each token of each tile shows."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields
from functools import cache, partial

import numpy as np
import torch
from torch import Tensor

from .dataset import Objects, Pictures, Scenes, Tokens, describe_tokens, patch_places, scene_generator
from .draw import draw, text_corner
from .glyphs import CHARACTERS, COLUMNS, DOT, PITCH, ROWS
from .scenes import MAX_OBJECTS, Scene
from .sign_scenes import CELLS, MARKS, MAX_LENGTH, SIZE, sample_sign_scene
from .text import AROUND, ID, IMAGE, OVERVIEW

# Side of a tile in pixels, and tokens along it.
TILE, TILE_TOKENS = 64, 4
GRID = SIZE // TILE * TILE_TOKENS
NO_CHARACTER = len(CHARACTERS)
# A token shows a character if it covers this share of the character's height.
MIN_CHARACTER = 0.35


@dataclass
class TileTokens(Tokens):
    """What tokens of tiles and of overviews show: `slot` is a character's number on its sign, from 1, or 0; `mark` is an index
    of MARKS. Overviews have neither. `xy` is relative to the tile or overview.
    """

    slot: Tensor
    character: Tensor
    mark: Tensor
    is_tile: Tensor

    @property
    def views(self) -> list[Tensor]:
        """Tiles, then the overview: an object is in both, and counted in the latter."""
        return [self.is_tile, ~self.is_tile]

    def at(self, rows: Tensor) -> "TileTokens":
        return TileTokens(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


@dataclass
class TilePictures(Pictures):
    """Images as frames `[B, tiles² + 1, 64, 64, 3]`, row by row, the overview last; `tiles` along an edge."""

    rows: Tensor
    tiles: int


@dataclass
class TileScenes(Scenes):
    """Scenes split into tiles: `pixels` are frames `[n, 17, 64, 64, 3]`, `halves` those at half the scale `[n, 5, 64, 64, 3]`.
    Owners and slots of all tile tokens are `[n, 16, 16]`.
    """

    halves: np.ndarray
    slots: np.ndarray

    def images(self, rows: Sequence[int], size: int = TILE) -> np.ndarray:
        return self.pixels[list(rows)]

    def see(self, rows: Sequence[int], size: int = TILE, tiles: int = CELLS) -> TilePictures:
        rows = [int(row) for row in rows]
        scenes = [self.scenes[i] for i in rows]
        objects = Objects.of(scenes)
        tokens = describe_frames(scenes, objects, self.owners[rows], self.slots[rows], tiles)
        pixels = torch.from_numpy((self.pixels if tiles == CELLS else self.halves)[rows])
        return TilePictures(pixels, tokens, objects, torch.tensor(rows), tiles)


def load_tile_scenes(split: str, count: int, workers: int = 2) -> TileScenes:
    with ProcessPoolExecutor(workers) as pool:
        drawn = list(pool.map(partial(_draw_one, split), range(count), chunksize=50))
    scenes, pixels, halves, owners, slots = zip(*drawn, strict=True)
    return TileScenes(list(scenes), np.stack(pixels), np.stack(owners), np.stack(halves), np.stack(slots))


def _draw_one(split: str, index: int):
    scene = sample_sign_scene(scene_generator(split, index))
    pixels, owner = draw(scene, GRID)
    frames, halves = (cut(pixels[None], tiles)[0] for tiles in (CELLS, CELLS // 2))
    return scene, frames, halves, owner, _slots(scene, owner)


def cut(pixels: np.ndarray, tiles: int) -> np.ndarray:
    """Images `[B, S, S, 3]` as frames `[B, tiles² + 1, 64, 64, 3]`: tiles row by row and the overview, as transformers.js does.
    With fewer tiles, the image is first scaled down by averaging pixels.
    """
    batch, side = pixels.shape[:2]
    factor = side // (tiles * TILE)
    whole = pixels.astype(np.float32)
    if factor > 1:
        whole = whole.reshape(batch, tiles * TILE, factor, tiles * TILE, factor, 3).mean((2, 4))
    parts = whole.reshape(batch, tiles, TILE, tiles, TILE, 3).swapaxes(2, 3).reshape(batch, tiles**2, TILE, TILE, 3)
    overview = _overview(whole, tiles)[:, None]
    return np.floor(np.concatenate([parts, overview], 1) + 0.5).astype(np.uint8)


def _overview(pixels: np.ndarray, factor: int) -> np.ndarray:
    """Bilinear without antialiasing: the mean of the two middle pixels of each `factor`, along both axes."""
    first = factor // 2 - 1
    half = (pixels[:, first::factor] + pixels[:, first + 1 :: factor]) / 2
    return (half[:, :, first::factor] + half[:, :, first + 1 :: factor]) / 2


def _slots(scene: Scene, owner: np.ndarray) -> np.ndarray:
    """Which of its sign's characters each tile token shows, from 1; 0 for none."""
    slots = np.zeros((GRID, GRID), np.int8)
    token = SIZE // GRID
    for index, sign in enumerate(scene.objects):
        if not sign.text:
            continue
        left, top = text_corner(sign)
        left -= (PITCH - COLUMNS * DOT) // 2
        height = ROWS * DOT
        for row, column in np.argwhere(owner == index):
            seen = min(top + height, (row + 1) * token) - max(top, row * token)
            if seen >= MIN_CHARACTER * height:
                number = int(np.floor(((column + 0.5) * token - left) / PITCH))
                slots[row, column] = 1 + min(max(number, 0), len(sign.text) - 1)
    return slots


def describe_frames(scenes: list[Scene], objects: Objects, owners: np.ndarray, slots: np.ndarray, tiles: int) -> TileTokens:
    """What each token of images with `tiles`² tiles and an overview shows, `[B, (tiles² + 1) · 16]`."""
    fine, slot = torch.from_numpy(owners.astype(np.int64)), torch.from_numpy(slots.astype(np.int64))
    if tiles < CELLS:
        fine, slot = _coarser(fine, CELLS // tiles), torch.zeros(len(scenes), tiles * TILE_TOKENS, tiles * TILE_TOKENS).long()
    grid = tiles * TILE_TOKENS
    order = tile_order(tiles)
    parts = describe_tokens(fine.flatten(1), patch_places(grid).expand(len(scenes), -1, -1), objects)
    whole = describe_tokens(_cell_owners(scenes), patch_places(TILE_TOKENS).expand(len(scenes), -1, -1), objects)
    # Positions within the tile.
    corner = torch.floor(patch_places(grid) * tiles) / tiles
    parts.xy = (parts.xy - corner) * tiles
    joined = {}
    for field in fields(Tokens):
        one, other = getattr(parts, field.name), getattr(whole, field.name)
        joined[field.name] = one if field.name == "background" else torch.cat([one[:, order], other], 1)
    owner = joined["owner"]
    slot = torch.cat([slot.flatten(1)[:, order], torch.zeros(len(scenes), TILE_TOKENS**2).long()], 1)
    is_tile = torch.arange(owner.shape[1]).expand_as(owner) < len(order)
    return TileTokens(
        **joined, slot=slot, character=characters_of(scenes, owner, slot), mark=marks_of(scenes, owner), is_tile=is_tile
    )


def characters_of(scenes: list[Scene], owner: Tensor, slot: Tensor) -> Tensor:
    """Indices into CHARACTERS of the characters that tokens `[B, n]` show; NO_CHARACTER for none."""
    table = torch.full((len(scenes), MAX_OBJECTS + 1, MAX_LENGTH + 1), NO_CHARACTER)
    for i, scene in enumerate(scenes):
        for j, thing in enumerate(scene.objects):
            for k, character in enumerate(thing.text):
                table[i, j, k + 1] = CHARACTERS.index(character)
    return table[torch.arange(len(scenes))[:, None], owner, slot]


def marks_of(scenes: list[Scene], owner: Tensor) -> Tensor:
    """Indices into MARKS of the marks of tokens' objects `[B, n]`; that of no mark if there is no object."""
    table = torch.zeros(len(scenes), MAX_OBJECTS + 1).long()
    for i, scene in enumerate(scenes):
        for j, thing in enumerate(scene.objects):
            table[i, j] = MARKS.index(thing.mark) if thing.mark else 0
    return table[torch.arange(len(scenes))[:, None], owner]


def _coarser(owner: Tensor, factor: int) -> Tensor:
    """Owners of larger tokens: the owner of most of the smaller ones."""
    n, grid = len(owner), owner.shape[1] // factor
    small = owner.reshape(n, grid, factor, grid, factor).transpose(2, 3).reshape(n, grid, grid, factor**2)
    votes = (small[..., :, None] == small[..., None, :]).sum(-1).float() - 10.0 * (small < 0)
    return small.gather(-1, votes.argmax(-1, keepdim=True))[..., 0]


def _cell_owners(scenes: list[Scene]) -> Tensor:
    """The owner of each cell, `[B, 16]`."""
    owner = torch.full((len(scenes), CELLS * CELLS), -1)
    for i, scene in enumerate(scenes):
        for j, thing in enumerate(scene.objects):
            owner[i, int(thing.y * CELLS // SIZE) * CELLS + int(thing.x * CELLS // SIZE)] = j
    return owner


@cache
def tile_order(tiles: int) -> Tensor:
    """Reorders the tokens of an image's whole grid, from row by row to tile by tile."""
    grid = torch.arange((tiles * TILE_TOKENS) ** 2).reshape(tiles, TILE_TOKENS, tiles, TILE_TOKENS)
    return grid.transpose(1, 2).flatten()


@cache
def layout(tiles: int) -> Tensor:
    """The ids of an image after `<s>`, as Idefics3Processor writes them."""
    tokens = [IMAGE] * TILE_TOKENS**2
    ids: list[int] = []
    for row in range(tiles):
        for column in range(tiles):
            ids += [ID[AROUND], ID[f"<row_{row + 1}_col_{column + 1}>"], *tokens]
    return torch.tensor([*ids, ID[AROUND], ID[OVERVIEW], *tokens, ID[AROUND]])

"""Drawn scenes in bulk, and what each vision token shows. Not questions: see questions.py.

Training, validation and held-out scenes come from disjoint seeds: each scene has a generator of its own, seeded by
(SPLITS[split], index).
"""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from .draw import GRID, draw
from .scenes import BACKGROUNDS, COLORS, IMAGE_SIZE, MAX_OBJECTS, SHAPES, SIZES, Scene, sample_scene

SPLITS = {"train": 1, "validation": 2, "held-out": 3, "samples": 4}
NO_SHAPE = len(SHAPES)


def scene_generator(split: str, index: int) -> np.random.Generator:
    """The random numbers of one scene and of its questions."""
    return np.random.default_rng([SPLITS[split], index])


def scene_at(split: str, index: int) -> Scene:
    return sample_scene(scene_generator(split, index))


@dataclass
class Scenes:
    """Scenes with their pixels `[n, 128, 128, 3]` and the owners of cells of 8 × 8 pixels `[n, 16, 16]`."""

    scenes: list[Scene]
    pixels: np.ndarray
    owners: np.ndarray

    def __len__(self) -> int:
        return len(self.scenes)

    def images(self, rows: Sequence[int], size: int) -> np.ndarray:
        """Pixels `[B, size, size, 3]`, scaled down as an image processor does."""
        pixels = self.pixels[list(rows)]
        if size == IMAGE_SIZE:
            return pixels
        return np.stack([np.asarray(Image.fromarray(p).resize((size, size), Image.Resampling.BICUBIC)) for p in pixels])


def load_scenes(split: str, count: int, workers: int = 2) -> Scenes:
    """Draws the first `count` scenes of a split."""
    with ProcessPoolExecutor(workers) as pool:
        drawn = list(pool.map(_draw_one, [(split, i) for i in range(count)], chunksize=100))
    scenes, pixels, owners = zip(*drawn, strict=True)
    return Scenes(list(scenes), np.stack(pixels), np.stack(owners))


def _draw_one(key: tuple[str, int]):
    scene = scene_at(*key)
    return scene, *draw(scene)


@dataclass
class Objects:
    """A batch's objects as tensors, [B, MAX_OBJECTS] each, padded; `xy` in [0, 1]."""

    present: torch.Tensor
    shape: torch.Tensor
    color: torch.Tensor
    size: torch.Tensor
    xy: torch.Tensor
    background: torch.Tensor

    @staticmethod
    def of(scenes: list[Scene]) -> "Objects":
        n = len(scenes)
        table = np.zeros((n, MAX_OBJECTS, 4), np.int64)
        xy = np.zeros((n, MAX_OBJECTS, 2), np.float32)
        for i, scene in enumerate(scenes):
            for j, o in enumerate(scene.objects):
                table[i, j] = (1, _SHAPE[o.shape], _COLOR[o.color], _SIZE[o.size])
                xy[i, j] = (o.x / IMAGE_SIZE, o.y / IMAGE_SIZE)
        present, shape, color, size = torch.from_numpy(table).unbind(-1)
        background = torch.tensor([_BACKGROUND[s.background.color] for s in scenes])
        return Objects(present > 0, shape, color, size, torch.from_numpy(xy), background)


@dataclass
class Tokens:
    """What each token of a context shows, [B, n] each. `owner` is -1 where it shows the background.

    `xy` in [0, 1] is the centre of the owner, or the token's own place; `is_centre` marks one token per object.
    """

    owner: torch.Tensor
    shape: torch.Tensor
    color: torch.Tensor
    size: torch.Tensor
    xy: torch.Tensor
    is_centre: torch.Tensor
    background: torch.Tensor

    @property
    def is_object(self) -> torch.Tensor:
        return self.owner >= 0


def describe_tokens(owner: torch.Tensor, places: torch.Tensor, objects: Objects) -> Tokens:
    """Says what tokens show, given their owners `[B, n]` and their own places `[B, n, 2]` in [0, 1]."""
    is_object = owner >= 0
    index = owner.clamp(min=0)
    centre = objects.xy.gather(1, index[..., None].expand(-1, -1, 2))
    distance = ((places - centre) ** 2).sum(-1)
    is_centre = torch.zeros_like(is_object)
    for j in range(MAX_OBJECTS):
        mine = torch.where(owner == j, distance, torch.inf)
        nearest, at = mine.min(1)
        rows = torch.isfinite(nearest).nonzero()[:, 0]
        is_centre[rows, at[rows]] = True
    shape = torch.where(is_object, objects.shape.gather(1, index), NO_SHAPE)
    ground = len(COLORS) + objects.background[:, None].expand_as(owner)
    return Tokens(
        owner=owner,
        shape=shape,
        color=torch.where(is_object, objects.color.gather(1, index), ground),
        size=objects.size.gather(1, index),
        xy=torch.where(is_object[..., None], centre, places),
        is_centre=is_centre,
        background=objects.background,
    )


def patch_places(grid: int) -> torch.Tensor:
    """The centres of all patches, `[grid², 2]` in [0, 1], row by row."""
    at = (torch.arange(grid) + 0.5) / grid
    y, x = torch.meshgrid(at, at, indexing="ij")
    return torch.stack([x.flatten(), y.flatten()], -1)


def describe_patches(scenes: list[Scene], owners: np.ndarray, grid: int) -> Tokens:
    """What each patch of drawn scenes shows, on a grid as fine as the owners' or coarser.

    A coarser patch belongs to the object that owns most of its cells.
    """
    owner = torch.from_numpy(owners.astype(np.int64))
    if grid != GRID:
        side = GRID // grid
        cells = owner.unfold(1, side, side).unfold(2, side, side).flatten(3)
        votes = torch.nn.functional.one_hot(cells + 1, MAX_OBJECTS + 1).sum(3)[..., 1:]
        most, index = votes.max(-1)
        owner = torch.where(most > 0, index, -1)
    places = patch_places(grid).expand(len(scenes), -1, -1)
    return describe_tokens(owner.flatten(1), places, Objects.of(scenes))


_SHAPE = {name: i for i, name in enumerate(SHAPES)}
_COLOR = {name: i for i, name in enumerate(COLORS)}
_SIZE = {name: i for i, name in enumerate(SIZES)}
_BACKGROUND = {name: i for i, name in enumerate(BACKGROUNDS)}

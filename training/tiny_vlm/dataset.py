"""Drawn scenes in bulk, and what each vision token shows. For questions, see questions.py.

Training, validation, and held-out scenes come from disjoint seeds: each scene has its own generator, seeded by
(SPLITS[split], index).
"""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from PIL import Image

from .draw import draw
from .scenes import BACKGROUNDS, COLORS, IMAGE_SIZE, MAX_OBJECTS, SHAPES, SIZES, Scene, sample_scene

SPLITS = {"train": 1, "validation": 2, "held-out": 3, "samples": 4}
# What a token shows besides shapes: the background, or a sign.
NO_SHAPE = len(SHAPES)
SIGN = NO_SHAPE + 1


def scene_generator(split: str, index: int) -> np.random.Generator:
    """The random numbers of one scene and of its questions."""
    return np.random.default_rng([SPLITS[split], index])


def scene_at(split: str, index: int) -> Scene:
    return sample_scene(scene_generator(split, index))


@dataclass
class Scenes:
    """Scenes with their pixels `[n, 128, 128, 3]` and the owners of their patches `[n, grid, grid]`."""

    scenes: list[Scene]
    pixels: np.ndarray
    owners: np.ndarray

    def __len__(self) -> int:
        return len(self.scenes)

    def images(self, rows: Sequence[int], size: int) -> np.ndarray:
        """Pixels `[B, size, size, 3]`, scaled as an image processor does."""
        pixels = self.pixels[list(rows)]
        if size == IMAGE_SIZE:
            return pixels
        return np.stack([np.asarray(Image.fromarray(p).resize((size, size), Image.Resampling.BICUBIC)) for p in pixels])

    def see(self, rows: Sequence[int], size: int) -> "Pictures":
        """A batch of images of `size` × `size` pixels with what they show."""
        rows = list(rows)
        objects = Objects.of([self.scenes[i] for i in rows])
        return Pictures(torch.from_numpy(self.images(rows, size)), describe_patches(objects, self.owners[rows]), objects)


def load_scenes(split: str, count: int, grid: int, workers: int = 2) -> Scenes:
    """Draws the first `count` scenes of a split; `grid` is the number of patches along an edge of the image."""
    with ProcessPoolExecutor(workers) as pool:
        drawn = list(pool.map(partial(_draw_one, split, grid), range(count), chunksize=100))
    scenes, pixels, owners = zip(*drawn, strict=True)
    return Scenes(list(scenes), np.stack(pixels), np.stack(owners))


def _draw_one(split: str, grid: int, index: int) -> tuple[Scene, np.ndarray, np.ndarray]:
    scene = scene_at(split, index)
    return scene, *draw(scene, grid)


def rows_of_batch(seed: int, count: int, size: int, step: int) -> np.ndarray:
    """Which of `count` rows make up a batch. Every row occurs once before any occurs again."""
    epoch, place = divmod(step, count // size)
    order = np.random.default_rng([seed, epoch]).permutation(count)
    return order[place * size : (place + 1) * size]


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
                table[i, j] = (1, _SHAPE[o.shape], _COLOR[o.color], _SIZE.get(o.size, 0))
                xy[i, j] = (o.x / scene.side, o.y / scene.side)
        present, shape, color, size = torch.from_numpy(table).unbind(-1)
        background = torch.tensor([_BACKGROUND[s.background.color] for s in scenes])
        return Objects(present > 0, shape, color, size, torch.from_numpy(xy), background)


@dataclass
class Tokens:
    """What each token of a context shows, [B, n] each. `owner` is -1 if it shows the background.

    `xy` in [0, 1] is the center of the owner, or the token's own place; `is_centre` marks one token per object.
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

    @property
    def views(self) -> list[torch.Tensor]:
        """The tokens of each view of the image. In the last one, one token marks each object's center."""
        return [torch.ones_like(self.is_centre)]


@dataclass
class Pictures:
    """A batch of drawn scenes: pixels `[B, S, S, 3]` (uint8), what every patch shows, and the objects."""

    pixels: torch.Tensor
    patches: Tokens
    objects: Objects


def picture_batch(scenes: Scenes, size: int, count: int, seed: int, rng: np.random.Generator, step: int) -> Pictures:
    """The images of a step, which depend only on seed and step."""
    return scenes.see(rows_of_batch(seed, len(scenes), count, step), size)


def describe_tokens(owner: torch.Tensor, places: torch.Tensor, objects: Objects) -> Tokens:
    """What tokens show, given their owners `[B, n]` and their own positions `[B, n, 2]` in [0, 1]."""
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
    """The centers of all patches, `[grid², 2]` in [0, 1], row by row."""
    at = (torch.arange(grid) + 0.5) / grid
    y, x = torch.meshgrid(at, at, indexing="ij")
    return torch.stack([x.flatten(), y.flatten()], -1)


def describe_patches(objects: Objects, owners: np.ndarray) -> Tokens:
    """What each patch of drawn scenes shows, given their objects and the patches' owners `[B, grid, grid]`."""
    owner = torch.from_numpy(owners.astype(np.int64)).flatten(1)
    places = patch_places(owners.shape[1]).expand(len(owners), -1, -1)
    return describe_tokens(owner, places, objects)


_SHAPE = {name: i for i, name in enumerate(SHAPES)} | {"sign": SIGN}
_COLOR = {name: i for i, name in enumerate(COLORS)}
_SIZE = {name: i for i, name in enumerate(SIZES)}
_BACKGROUND = {name: i for i, name in enumerate(BACKGROUNDS)}

"""Scenes for the tiled model: four times the area, objects with small marks, and signs with one to three characters.

Each thing has its own cell, a sixteenth of the image. A cell is a tile, and also what one token of the overview shows.
Characters have the same spacing as the vision tokens of a tile, within a few pixels, so that a token shows one character.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from .config import Config
from .glyphs import CHARACTERS, HALF_HEIGHT, MARGIN, PITCH
from .scenes import (
    COLORS,
    SHAPES,
    SIZES,
    Scene,
    Thing,
    pick,
    rounded,
    sample_background,
    sample_scene,
    sample_stroke,
    sample_thing,
    stray,
)

SIZE = 256
CELLS = 4
CELL = SIZE // CELLS
MIN_OBJECTS, MAX_OBJECTS = 4, 8
MAX_SIGNS, MAX_LENGTH = 3, 3
MARKS = ("none", "dot", "bar")
RADII = {"small": (11.5, 14.0), "large": (18.0, 22.0)}

# Maximum distance of an object from the middle of its cell, and of characters from the edges of tokens.
STRAY = 12
SHIFT = 5


def sampler_of(config: Config) -> Callable[[np.random.Generator], Scene]:
    """The function that generates a model's scenes."""
    return sample_sign_scene if config.tiles else sample_scene


def sample_sign_scene(rng: np.random.Generator) -> Scene:
    """Draws a scene of 256 × 256 pixels: 4 to 8 objects, 1 to 3 signs of different colors, clutter, and a background."""
    background = sample_background(rng)
    cells = rng.permutation(CELLS * CELLS)
    signs = int(rng.integers(1, MAX_SIGNS + 1))
    colors = rng.permutation(len(COLORS))
    things = [_sign(rng, tuple(COLORS)[colors[i]], *divmod(int(cells[i]), CELLS)) for i in range(signs)]
    things += _objects(rng, cells[signs:])
    # Ordered by cell, so that counts and descriptions do not depend on the order of creation.
    things.sort(key=lambda thing: (thing.y // CELL, thing.x // CELL))
    clutter = tuple(sample_stroke(rng, SIZE) for _ in range(rng.integers(0, 13)))
    return Scene(background, tuple(things), clutter, SIZE)


def _objects(rng: np.random.Generator, cells: np.ndarray) -> list[Thing]:
    theme = rng.choice(("color", "shape", "none"), p=(0.25, 0.25, 0.5))
    colors = tuple(COLORS)
    theme_color, theme_shape = pick(rng, colors), pick(rng, SHAPES)
    objects: list[Thing] = []
    for cell in cells[: rng.integers(MIN_OBJECTS, MAX_OBJECTS + 1)]:
        follows = rng.random() < 0.65
        color = theme_color if theme == "color" and follows else pick(rng, colors)
        shape = theme_shape if theme == "shape" and follows else pick(rng, SHAPES)
        size = pick(rng, SIZES)
        row, column = divmod(int(cell), CELLS)
        x, y = ((at + 0.5) * CELL + rng.uniform(-STRAY, STRAY) for at in (column, row))
        thing = sample_thing(rng, shape, color, size, x, y, rng.uniform(*RADII[size]), COLORS[color])
        objects.append(replace(thing, mark=pick(rng, MARKS)))
    return objects


def _sign(rng: np.random.Generator, color: str, row: int, column: int) -> Thing:
    length = int(rng.integers(1, MAX_LENGTH + 1))
    first = int(rng.integers(0, CELL // PITCH - length + 1)) * PITCH
    lowest, highest = max(-SHIFT, MARGIN - first), min(SHIFT, CELL - MARGIN - first - length * PITCH)
    left = column * CELL + first + int(rng.integers(lowest, highest + 1))
    y = row * CELL + int(rng.integers(HALF_HEIGHT + 1, CELL - HALF_HEIGHT))
    ramp = rng.uniform(-9, 9, 2)
    return Thing(
        shape="sign",
        color=color,
        size="",
        x=left + length * PITCH // 2,
        y=y,
        radius=length * PITCH // 2 + MARGIN,
        cos=1,
        sin=0,
        rgb=stray(rng, COLORS[color], 9),
        shade=(rounded(ramp[0]), rounded(ramp[1])),
        text="".join(pick(rng, CHARACTERS) for _ in range(length)),
    )

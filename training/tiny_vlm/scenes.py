"""What a scene is, and how a random one is generated. Pixels are drawn in draw.py.

A scene is plain data with rounded numbers, so JSON represents it exactly, and other languages draw the same pixels.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

IMAGE_SIZE = 128
SHAPES = ("circle", "square", "triangle", "star", "cross", "ring")
SIZES = ("small", "large")
COLORS = {
    "red": (215, 35, 40),
    "green": (40, 160, 60),
    "blue": (40, 75, 215),
    "yellow": (240, 215, 40),
    "orange": (245, 135, 25),
    "purple": (125, 45, 165),
    "pink": (250, 130, 190),
    "cyan": (50, 205, 215),
}
BACKGROUNDS = {"white": (238, 238, 236), "gray": (132, 134, 138), "black": (26, 26, 30), "brown": (112, 78, 48)}
PATTERNS = ("plain", "stripes", "checks")
MIN_OBJECTS, MAX_OBJECTS = 3, 15
RADII = {"small": (5.5, 7.5), "large": (9.5, 13.0)}

# Object and background colors as they are stored: the standard deviation of a channel from the color's own.
COLOR_SPREAD = 9
PLACING_ATTEMPTS = 60


@dataclass(frozen=True)
class Thing:
    """An object, a sign, or a stroke of clutter. Lengths in pixels; (cos, sin) is its rotation; shade is a gradient across it.

    `mark` is a small mark on an object, and `text` the text of a sign; see sign_scenes.py.
    """

    shape: str
    color: str
    size: str
    x: float
    y: float
    radius: float
    cos: float
    sin: float
    rgb: tuple[int, int, int]
    shade: tuple[float, float]
    mark: str = ""
    text: str = ""


@dataclass(frozen=True)
class Background:
    """The background surface. Amplitudes are in levels of 255; `period` and (cos, sin) are those of the pattern."""

    color: str
    rgb: tuple[int, int, int]
    gradient: tuple[float, float]
    blotch: float
    pattern: str
    contrast: float
    period: float
    cos: float
    sin: float
    grain: float
    seed: int


@dataclass(frozen=True)
class Scene:
    background: Background
    objects: tuple[Thing, ...]
    clutter: tuple[Thing, ...]
    side: int = IMAGE_SIZE

    def to_json(self) -> dict:
        """The scene as the TypeScript package reads it, without empty fields."""
        return _without_blanks(asdict(self))


def _without_blanks(value):
    if isinstance(value, dict):
        return {k: _without_blanks(v) for k, v in value.items() if v != "" and (k, v) != ("side", IMAGE_SIZE)}
    return [_without_blanks(v) for v in value] if isinstance(value, tuple) else value


def pick(rng: np.random.Generator, options: Sequence):
    """A random option. Equivalent to `rng.choice`, which first creates an array and takes five times as long."""
    return options[int(rng.integers(len(options)))]


def sample_scene(rng: np.random.Generator) -> Scene:
    """Draws a scene of 3 to 15 objects that do not overlap, a few strokes of clutter, and a background."""
    background = sample_background(rng)
    objects = _sample_objects(rng)
    clutter = tuple(sample_stroke(rng) for _ in range(rng.integers(0, 7)))
    return Scene(background, objects, clutter)


def sample_background(rng: np.random.Generator) -> Background:
    color = pick(rng, tuple(BACKGROUNDS))
    angle = rng.uniform(0, 2 * np.pi)
    slope = rng.uniform(0, 16)
    turn = rng.uniform(0, np.pi)
    return Background(
        color=color,
        rgb=stray(rng, BACKGROUNDS[color], 6),
        gradient=(rounded(slope * np.cos(angle)), rounded(slope * np.sin(angle))),
        blotch=rounded(rng.uniform(1, 9)),
        pattern=str(rng.choice(PATTERNS, p=(0.5, 0.25, 0.25))),
        contrast=rounded(rng.uniform(3, 10)),
        period=rounded(rng.uniform(6, 20)),
        cos=rounded(np.cos(turn)),
        sin=rounded(np.sin(turn)),
        grain=rounded(rng.uniform(0, 8)),
        seed=int(rng.integers(2**32)),
    )


def _sample_objects(rng: np.random.Generator) -> tuple[Thing, ...]:
    wanted = int(rng.integers(MIN_OBJECTS, MAX_OBJECTS + 1))
    # Half of the scenes have a theme: a color or a shape that most objects share.
    theme = rng.choice(("color", "shape", "none"), p=(0.25, 0.25, 0.5))
    colors = tuple(COLORS)
    theme_color, theme_shape = pick(rng, colors), pick(rng, SHAPES)
    objects: list[Thing] = []
    for _ in range(wanted):
        follows = rng.random() < 0.65
        color = theme_color if theme == "color" and follows else pick(rng, colors)
        shape = theme_shape if theme == "shape" and follows else pick(rng, SHAPES)
        size = pick(rng, SIZES)
        placed = _place(rng, objects, size)
        if placed is None:
            continue
        x, y, radius = placed
        objects.append(sample_thing(rng, shape, color, size, x, y, radius, COLORS[color]))
    return tuple(objects)


def _place(rng: np.random.Generator, others: list[Thing], size: str) -> tuple[float, float, float] | None:
    """A free position, or `None` after many attempts."""
    radius = rng.uniform(*RADII[size])
    for _ in range(PLACING_ATTEMPTS):
        x, y = rng.uniform(radius + 2, IMAGE_SIZE - radius - 2, 2)
        if all((x - o.x) ** 2 + (y - o.y) ** 2 > ((radius + o.radius) * 1.12 + 2) ** 2 for o in others):
            return x, y, radius
    return None


def sample_thing(rng, shape, color, size, x, y, radius, rgb, turn=0.2) -> Thing:
    angle = rng.uniform(-turn, turn)
    ramp = rng.uniform(-9, 9, 2)
    return Thing(
        shape=shape,
        color=color,
        size=size,
        x=rounded(x),
        y=rounded(y),
        radius=rounded(radius),
        cos=rounded(np.cos(angle)),
        sin=rounded(np.sin(angle)),
        rgb=stray(rng, rgb, COLOR_SPREAD),
        shade=(rounded(ramp[0]), rounded(ramp[1])),
    )


def sample_stroke(rng: np.random.Generator, side: int = IMAGE_SIZE) -> Thing:
    """A thin gray stroke: not an object, and never asked about. It is drawn below the objects."""
    x, y = rng.uniform(0, side, 2)
    level = int(rng.uniform(60, 200))
    return sample_thing(rng, "stroke", "grey", "small", x, y, rng.uniform(3, 8), (level,) * 3, turn=np.pi)


def stray(rng: np.random.Generator, rgb, spread: float) -> tuple[int, int, int]:
    return tuple(min(max(round(c + d), 0), 255) for c, d in zip(rgb, rng.normal(0, spread, 3), strict=True))


def rounded(value: float) -> float:
    return round(float(value), 3)

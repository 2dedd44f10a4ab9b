"""A scene's pixels, and which object covers which patch.

It uses only + - * / sqrt floor abs min max on 64-bit floats, in a fixed order, and noise from integers, so every language that
follows IEEE 754 draws the same bytes. A test compares them with those of packages/tiny-vlm/src/scenes/draw-scene.ts.
"""

from functools import cache

import numpy as np

from .glyphs import COLUMNS, DOT, GLYPHS, HALF_HEIGHT, PITCH, ROWS
from .scenes import Background, Scene, Thing

BLOTCH_CELLS = 7

# An object owns a patch if it covers at least this much of it, and more than any other object.
MIN_COVER = 0.14

# Half width and half height in pixels of the small marks on objects. Their areas are equal, so they differ only in form.
MARK_HALVES = {"dot": (2, 2), "bar": (4, 1)}
# Writing and marks are light on dark colors and dark on light ones.
LIGHT, DARK, BRIGHT_SUM = 244.0, 20.0, 380
# Offset of a ring's mark toward the top, in radii: a mark in the hole would not be on the ring.
RING_BAND = 0.74

# The five directions of a star's tips, the first one up.
STAR_NORMALS = (
    (0.0, -1.0),
    (0.9510565162951535, -0.3090169943749474),
    (0.5877852522924731, 0.8090169943749475),
    (-0.5877852522924731, 0.8090169943749475),
    (-0.9510565162951535, -0.3090169943749474),
)


def draw(scene: Scene, grid: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the pixels `[side, side, 3]` (uint8) and the owner of each patch `[grid, grid]` (object's index, -1 for none)."""
    side = scene.side
    image = _draw_background(scene.background, side)
    for stroke in scene.clutter:
        _paint(image, stroke)
    owner = np.full((grid, grid), -1, np.int8)
    cover = np.full((grid, grid), MIN_COVER)
    shares = _shares(grid, side)
    for index, thing in enumerate(scene.objects):
        alpha, rows, columns = _paint(image, thing)
        covered = shares[:, rows] @ alpha @ shares[:, columns].T
        _write_on(image, thing)
        wins = covered > cover
        owner[wins], cover[wins] = index, covered[wins]
    grain = (_noise(scene.background.seed, side * side) - 0.5) * (2 * scene.background.grain)
    image += grain.reshape(side, side, 1)
    return np.floor(np.clip(image, 0, 255) + 0.5).astype(np.uint8), owner


@cache
def _centres(side: int) -> np.ndarray:
    return np.arange(side) + 0.5


@cache
def _shares(grid: int, side: int) -> np.ndarray:
    """`[grid, side]`: the share of each row of patches that each row of pixels covers. Patches need not be whole pixels."""
    edges = np.arange(grid + 1) * (side / grid)
    pixels = np.arange(side)
    ends, starts = (np.minimum(edges[1:, None], pixels + 1), np.maximum(edges[:-1, None], pixels))
    return np.clip(ends - starts, 0, None) * (grid / side)


def _draw_background(ground: Background, side: int) -> np.ndarray:
    x, y = _centres(side)[None, :], _centres(side)[:, None]
    level = (x / side - 0.5) * ground.gradient[0] + (y / side - 0.5) * ground.gradient[1]
    level = level + _blotches(ground, side) + _pattern(ground, x, y)
    return np.array(ground.rgb, np.float64) + level[:, :, None]


def _blotches(ground: Background, side: int) -> np.ndarray:
    """Smooth noise: random levels on a coarse grid, bilinear between them."""
    nodes = BLOTCH_CELLS + 1
    levels = (_noise(ground.seed ^ 0x5EED, nodes * nodes) - 0.5) * (2 * ground.blotch)
    levels = levels.reshape(nodes, nodes)
    position = _centres(side) / side * BLOTCH_CELLS
    cell = np.floor(position).astype(int)
    t = position - cell
    tx, ty = t[None, :], t[:, None]
    top = levels[cell][:, cell] * (1 - tx) + levels[cell][:, cell + 1] * tx
    bottom = levels[cell + 1][:, cell] * (1 - tx) + levels[cell + 1][:, cell + 1] * tx
    return top * (1 - ty) + bottom * ty


def _pattern(ground: Background, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    if ground.pattern == "plain":
        return np.zeros(np.broadcast_shapes(x.shape, y.shape))
    along = np.floor((x * ground.cos + y * ground.sin) / ground.period)
    across = np.floor((y * ground.cos - x * ground.sin) / ground.period) if ground.pattern == "checks" else 0
    band = along + across
    is_odd = band - 2 * np.floor(band / 2)
    return (is_odd - 0.5) * ground.contrast


def _paint(image: np.ndarray, thing: Thing) -> tuple[np.ndarray, slice, slice]:
    """Blends a thing into the image. Returns its coverage of each pixel around it, and the rows and columns of those pixels."""
    side = len(image)
    reach = thing.radius * 1.25 + 2
    x0, y0 = (max(0, int(np.floor(c - reach))) for c in (thing.x, thing.y))
    x1, y1 = (min(side, int(np.floor(c + reach)) + 1) for c in (thing.x, thing.y))
    x = _centres(side)[None, x0:x1] - thing.x
    y = _centres(side)[y0:y1, None] - thing.y
    distance = _distance(thing.shape, x * thing.cos + y * thing.sin, y * thing.cos - x * thing.sin, thing.radius)
    a = np.clip(0.5 - distance, 0, 1)[:, :, None]
    ramp = (x * thing.shade[0] + y * thing.shade[1]) / thing.radius
    paint = np.array(thing.rgb, np.float64) + ramp[:, :, None]
    image[y0:y1, x0:x1] = image[y0:y1, x0:x1] * (1 - a) + paint * a
    return a[:, :, 0], slice(y0, y1), slice(x0, x1)


def _write_on(image: np.ndarray, thing: Thing) -> None:
    """Paints a sign's characters or an object's mark, in whole pixels."""
    ink = DARK if sum(thing.rgb) > BRIGHT_SUM else LIGHT
    if thing.mark in MARK_HALVES:
        half_width, half_height = MARK_HALVES[thing.mark]
        up = RING_BAND * thing.radius if thing.shape == "ring" else 0
        x, y = int(np.floor(thing.x + 0.5)), int(np.floor(thing.y - up + 0.5))
        _fill(image, x - half_width, y - half_height, 2 * half_width, 2 * half_height, ink)
    left, top = text_corner(thing)
    for number, character in enumerate(thing.text):
        for row, dots in enumerate(GLYPHS[character]):
            for column, dot in enumerate(dots):
                if dot == "#":
                    _fill(image, left + number * PITCH + column * DOT, top + row * DOT, DOT, DOT, ink)


def text_corner(sign: Thing) -> tuple[int, int]:
    """The top left corner of a sign's first character."""
    left = int(np.floor(sign.x)) - len(sign.text) * PITCH // 2 + (PITCH - COLUMNS * DOT) // 2
    return left, int(np.floor(sign.y)) - ROWS * DOT // 2


def _fill(image: np.ndarray, x: int, y: int, width: int, height: int, level: float) -> None:
    image[max(0, y) : max(0, y + height), max(0, x) : max(0, x + width)] = level


def _distance(shape: str, x: np.ndarray, y: np.ndarray, r: float) -> np.ndarray:
    """Signed distance (roughly, near the edge) of points to a shape's outline; y points down."""
    if shape == "circle":
        return np.sqrt(x * x + y * y) - r
    if shape == "ring":
        return np.abs(np.sqrt(x * x + y * y) - 0.74 * r) - 0.26 * r
    if shape == "square":
        return np.maximum(np.abs(x), np.abs(y)) - 0.86 * r
    if shape == "cross":
        return np.maximum(np.minimum(np.abs(x), np.abs(y)) - 0.3 * r, np.maximum(np.abs(x), np.abs(y)) - r)
    if shape == "sign":
        return np.maximum(np.abs(x) - r, np.abs(y) - HALF_HEIGHT)
    if shape == "stroke":
        return np.maximum(np.abs(x) - r, np.abs(y) - 0.7)
    if shape == "triangle":
        down = y - 0.12 * r
        side = np.abs(x) * 0.8660254037844386 - down * 0.5
        return np.maximum(down, side) - 0.55 * r
    if shape == "star":
        # A point is inside if it is in all but at most one of five half-planes, so take the second largest distance.
        planes = [x * nx + y * ny - 0.36 * r for nx, ny in STAR_NORMALS]
        return np.sort(np.stack(np.broadcast_arrays(*planes)), axis=0)[-2]
    raise ValueError(f"unknown shape {shape!r}")


def _noise(seed: int, count: int) -> np.ndarray:
    """`count` numbers in [0, 1): a 32-bit integer hash of seed and index."""
    h = (np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B9)) + np.uint32(seed)
    h ^= h >> np.uint32(16)
    h *= np.uint32(0x21F0AAAD)
    h ^= h >> np.uint32(15)
    h *= np.uint32(0x735A2D97)
    h ^= h >> np.uint32(15)
    return h / 4294967296.0

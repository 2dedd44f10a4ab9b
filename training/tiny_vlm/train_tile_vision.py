"""Stage 1 of the tiled model: the vision tower learns what each token of tiles and overviews shows, including characters."""

from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import Config
from .dataset import SIGN, rows_of_batch
from .glyphs import CHARACTERS
from .scenes import BACKGROUNDS, COLORS, SIZES
from .schedule import Training
from .sign_scenes import MARKS, MAX_LENGTH
from .tiles import TILE_TOKENS, TilePictures, TileScenes, TileTokens
from .vision import VisionTower, to_pixels

# As for the other models (train_vision.py); then character, slot, mark, and whether it is a tile.
PARTS = (
    SIGN + 1,
    len(COLORS) + len(BACKGROUNDS),
    len(SIZES),
    2,
    1,
    len(BACKGROUNDS),
    len(CHARACTERS),
    MAX_LENGTH + 1,
    len(MARKS),
    1,
)
# For each image whose tiles are all used: how many contribute only their overview, and how many their tiles at half the scale.
OVERVIEWS, HALVES = 4, 0.34


class TokenReader(nn.Module):
    """Linear probes on the features, discarded after this stage."""

    def __init__(self, config: Config):
        super().__init__()
        self.token = nn.Linear(config.feature_width, sum(PARTS))

    def forward(self, features: Tensor) -> tuple[Tensor, ...]:
        return self.token(features).split(PARTS, -1)


def train_tile_vision(config: Config, scenes: TileScenes, validation: TileScenes, training: Training) -> VisionTower:
    tower, reader = VisionTower(config).to(training.device), TokenReader(config).to(training.device)
    parameters = [*tower.parameters(), *reader.parameters()]
    optimiser = torch.optim.AdamW(parameters, betas=(0.9, 0.95), weight_decay=0.02)
    make = partial(frame_batch, scenes, config.vision_batch, training.seed)
    for step, (pixels, tokens) in training.steps("vision", config.vision_steps, optimiser, peak=2e-3, warmup=60, make=make):
        with training.precision():
            loss = frame_loss(tower, reader, pixels, tokens)
        training.update(optimiser, parameters, loss)
        if training.reports(step):
            training.log(loss=loss.item(), **read_frames(tower, reader, validation, training))
    return tower.eval()


def frame_batch(scenes: TileScenes, count: int, seed: int, rng: np.random.Generator, step: int) -> tuple[Tensor, TileTokens]:
    """Frames `[F, 64, 64, 3]` and their tokens `[F, 16]`: tiles that show something, a few empty ones, and overviews."""
    rows = rows_of_batch(seed, len(scenes), count * (1 + OVERVIEWS), step)
    whole, half, rest = scenes.see(rows[:count], 0), scenes.see(rows[count : count + round(count * HALVES)], 0, 2), rows[count:]
    parts = [_frames(whole, rng), _frames(half, rng), _overviews(scenes.see(rest, 0))]
    return torch.cat([p for p, _ in parts]), _join([t for _, t in parts])


def _frames(pictures: TilePictures, rng: np.random.Generator) -> tuple[Tensor, TileTokens]:
    pixels, tokens = flat_frames(pictures)
    chosen = tokens.is_object.any(1) | torch.from_numpy(rng.random(len(pixels)) < 0.15)
    return pixels[chosen], tokens.at(chosen)


def _overviews(pictures: TilePictures) -> tuple[Tensor, TileTokens]:
    pixels, tokens = flat_frames(pictures)
    return pixels[~tokens.is_tile[:, 0]], tokens.at(~tokens.is_tile[:, 0])


def flat_frames(pictures: TilePictures) -> tuple[Tensor, TileTokens]:
    """All frames of a batch, one after the other: pixels `[F, 64, 64, 3]`, tokens `[F, 16]`."""
    frames = pictures.pixels.shape[1]

    def split(value: Tensor) -> Tensor:
        return value.unflatten(1, (frames, TILE_TOKENS**2)).flatten(0, 1)

    known = pictures.patches
    values = {name: split(value) for name, value in vars(known).items() if name != "background"}
    return pictures.pixels.flatten(0, 1), TileTokens(**values, background=known.background.repeat_interleave(frames))


def _join(parts: list[TileTokens]) -> TileTokens:
    return TileTokens(**{name: torch.cat([getattr(part, name) for part in parts]) for name in vars(parts[0])})


def frame_loss(tower: VisionTower, reader: TokenReader, pixels: Tensor, tokens: TileTokens) -> Tensor:
    features, _, _ = tower(to_pixels(pixels))
    shape, color, size, xy, centre, ground, character, slot, mark, is_tile = reader(features)
    on, tile = tokens.is_object, tokens.is_tile
    weight = torch.where(on, 1.0, 0.15)

    def weighted(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        loss = F.cross_entropy(logits.flatten(0, 1).float(), target.flatten(), reduction="none")
        return (loss * weight.flatten()).sum() / weight.sum().clamp(min=1)

    written, bears = (tokens.slot > 0).float(), (on & tile & (tokens.shape != SIGN)).float()
    sized = (on & (tokens.shape != SIGN)).float()
    every_ground = tokens.background[:, None].expand_as(on)
    return (
        weighted(shape, tokens.shape, weight)
        + weighted(color, tokens.color, weight)
        + 0.5 * weighted(size, tokens.size, sized)
        + 3 * (xy[on] - tokens.xy[on]).abs().mean()
        + F.binary_cross_entropy_with_logits(centre[..., 0], tokens.is_centre.float())
        + 0.3 * F.cross_entropy(ground.flatten(0, 1), every_ground.flatten())
        + 1.5 * weighted(character, tokens.character.clamp(max=len(CHARACTERS) - 1), written)
        + weighted(slot, tokens.slot, torch.where(tile, torch.where(on, 1.0, 0.1), 0.1))
        + weighted(mark, tokens.mark, bears)
        + 0.2 * F.binary_cross_entropy_with_logits(is_tile[..., 0], tile.float())
    )


@torch.no_grad()
def read_frames(tower: VisionTower, reader: TokenReader, validation: TileScenes, training: Training) -> dict[str, float]:
    """Accuracy of the probes on unseen images, at the objects' centers. `o_` is for overviews; xy is in pixels of a frame."""
    tower.eval()
    pixels, tokens = flat_frames(training.to(validation.see(range(min(len(validation), 40)), 0)))
    features, _, _ = tower(to_pixels(pixels))
    shape, color, size, xy, centre, _, character, slot, mark, is_tile = reader(features)
    tower.train()
    tile, mid = tokens.is_tile, tokens.is_centre
    thing = tokens.shape != SIGN

    def share(right: Tensor, among: Tensor) -> float:
        return right[among].float().mean().item()

    found = {}
    for name, where in (("", mid & tile), ("o_", mid & ~tile)):
        found[f"{name}shape"] = share(shape.argmax(-1) == tokens.shape, where)
        found[f"{name}color"] = share(color.argmax(-1) == tokens.color, where)
        found[f"{name}size"] = share(size.argmax(-1) == tokens.size, where & thing)
        found[f"{name}xy"] = 64 * (xy[where] - tokens.xy[where]).abs().mean().item()
    found["o_centre"] = share((centre[..., 0] > 0) == mid, ~tile)
    found["slot"] = share(slot.argmax(-1) == tokens.slot, tile & tokens.is_object)
    found["character"] = share(character.argmax(-1) == tokens.character, tokens.slot > 0)
    found["mark"] = share(mark.argmax(-1) == tokens.mark, mid & tile & thing)
    found["is_tile"] = share((is_tile[..., 0] > 0) == tile, torch.ones_like(tile))
    return found

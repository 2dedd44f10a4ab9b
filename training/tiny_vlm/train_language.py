"""Stages 2 to 4: the language model learns to answer about ideal tokens, the projector learns to produce them, and both learn
from images. They correspond to text pretraining, feature alignment, and visual instruction tuning. No vision token is ever
dropped.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from . import losses
from .config import Config
from .dataset import Objects, Pictures, Scenes, Tokens, picture_batch, rows_of_batch
from .language import LanguageModel, Reading
from .questions import Question, ask, kinds_of
from .scenes import MAX_OBJECTS, Scene
from .schedule import Training
from .sign_scenes import sampler_of
from .symbols import IdealTokens, sample_tokens
from .text import EOS, Packed, pack
from .tile_symbols import TileIdealTokens, sample_tile_tokens
from .tiles import TilePictures, TileScenes, TileTokens, layout
from .vision import Projector, VisionTower, to_pixels

# How often each kind is asked in training; harder kinds are asked more often.
MIX = {
    "existence": 4,
    "color": 3,
    "shape": 3,
    "size": 2,
    "background": 1,
    "count": 7,
    "location": 3,
    "relation": 4,
    "description": 4,
}
SIGN_MIX = {**MIX, "location": 5, "relation": 6, "detail": 3, "reading": 4}
# For the tiled model, every n-th batch is split into only this many tiles along an edge, like smaller images.
FEW_TILES, FEW_TILES_EVERY = 2, 8
# Text tokens after a context of symbols or image tokens, and the lengths of symbol contexts.
SYMBOL_TEXT, IMAGE_TEXT = 160, 320
SYMBOL_CONTEXTS = (32, 48, 64, 96)


@dataclass
class Model:
    vision: VisionTower
    projector: Projector
    language: LanguageModel
    ideal: IdealTokens

    def read(self, config: Config, projected: Tensor, packed: Packed) -> Reading:
        """Runs questions after the projected tokens of images `[B, n, width]`; those of tiles are between markers."""
        if config.tiles == 0:
            return self.language.read(projected, packed)
        tiles = round((projected.shape[1] / config.grid**2 - 1) ** 0.5)
        return self.language.read(projected, packed, layout(tiles).to(projected.device))

    @staticmethod
    def of(config: Config, vision: VisionTower, device: torch.device) -> "Model":
        ideal = TileIdealTokens(config) if config.tiles else IdealTokens(config)
        parts = (Projector(config), LanguageModel(config), ideal)
        return Model(vision.to(device), *(part.to(device) for part in parts))


def train_symbols(config: Config, model: Model, training: Training) -> None:
    """Stage 2: answers about ideal tokens, in contexts shorter than an image."""
    reader = losses.NounReader(config).to(training.device)
    parameters = [*model.language.parameters(), *model.ideal.parameters(), *reader.parameters()]
    optimiser = torch.optim.AdamW(parameters, betas=(0.9, 0.98), weight_decay=0.02)
    make = partial(make_symbols, config)
    for step, batch in training.steps("symbols", config.symbol_steps, optimiser, peak=2e-3, warmup=100, make=make):
        tokens, packed, objects = batch
        with training.precision():
            image = model.ideal(model.language.embedding.weight, tokens)
            image = image + 0.04 * torch.randn_like(image)
            reading = model.language.read(image, packed)
            answers = losses.answer_loss(model.language, reading, packed)
            habits = _habits(model, reader, reading, packed, tokens, objects)
            loss = answers + 0.5 * habits["grounding"] + 0.2 * habits["pointing"] + 0.5 * habits["noun"]
            loss = loss + 0.5 * habits["crowding"] + 0.3 * habits.get("spelling", 0)
        training.update(optimiser, parameters, loss)
        if training.reports(step):
            entries = {name: value.item() for name, value in habits.items()}
            training.log(loss=answers.item(), **entries, **_symbol_accuracy(config, model, training))


def train_projector(config: Config, model: Model, scenes: Scenes, sight: "Sight", training: Training) -> None:
    """Stage 3: the projector alone learns to turn features into ideal tokens."""
    parameters = list(model.projector.parameters())
    optimiser = torch.optim.AdamW(parameters, weight_decay=0.0)
    make = partial(picture_batch, scenes, config.image_size, config.joint_batch, training.seed)
    for step, pictures in training.steps("projector", config.align_steps, optimiser, peak=3e-3, warmup=10, make=make):
        tokens = pictures.patches
        with training.precision(), torch.no_grad():
            ideal = model.ideal(model.language.embedding.weight, tokens)
        loss = losses.alignment_loss(model.projector(sight.see(pictures)), ideal, tokens)
        training.update(optimiser, parameters, loss)
        if training.reports(step):
            training.log(loss=loss.item())


def train_jointly(config: Config, model: Model, scenes: Scenes, validation: Scenes, sight: "Sight", training: Training) -> None:
    """Stage 4: projector and language model learn from images, with all vision tokens and a frozen vision tower."""
    reader = losses.NounReader(config).to(training.device)
    parameters = [*model.projector.parameters(), *model.language.parameters(), *reader.parameters()]
    optimiser = torch.optim.AdamW(parameters, betas=(0.9, 0.98), weight_decay=0.02)
    make = partial(_make_lessons, scenes, config, training.seed)
    for step, batch in training.steps("images", config.joint_steps, optimiser, peak=1.4e-3, warmup=40, make=make):
        pictures, packed = batch
        features, tokens = sight.see(pictures), pictures.patches
        with training.precision():
            projected = model.projector(features)
            reading = model.read(config, projected, packed)
            answers = losses.answer_loss(model.language, reading, packed)
            habits = _habits(model, reader, reading, packed, tokens, pictures.objects)
            with torch.no_grad():
                ideal = model.ideal(model.language.embedding.weight, tokens)
            aligned = losses.alignment_loss(projected.float(), ideal.float(), tokens)
            loss = answers + 0.3 * aligned + 0.2 * habits["grounding"] + 0.2 * habits["pointing"]
            loss = loss + 0.5 * habits["noun"] + 0.5 * habits["crowding"]
            loss = loss + 0.2 * habits.get("spelling", 0)
        training.update(optimiser, parameters, loss)
        if training.reports(step):
            entries = {name: value.item() for name, value in habits.items()}
            accuracy = accuracy_by_kind(config, model, validation, training)
            training.log(loss=answers.item(), aligned=aligned.item(), **entries, **accuracy)


def sample_questions(rng: np.random.Generator, scenes: list[Scene], length: int, mix: dict[str, int] = MIX) -> Packed:
    """As many questions about each scene as fit in `length` tokens."""
    kinds, weights = list(mix), np.array(list(mix.values())) / sum(mix.values())
    contexts = []
    for scene in scenes:
        drawn = rng.choice(len(kinds), size=length // 9, p=weights)
        contexts.append([q for kind in drawn if (q := ask(rng, scene, kinds[kind])) is not None])
    return pack(contexts, length, MAX_OBJECTS, rng)


@torch.no_grad()
def accuracy_by_kind(config: Config, model: Model, scenes: Scenes, training: Training) -> dict[str, float]:
    """Share of questions answered correctly in every word, by kind and on average, with one question of each kind per scene."""
    marks: dict[str, list[bool]] = {kind: [] for kind in kinds_of(config)}
    for start in range(0, len(scenes), 20):
        rows = range(start, min(start + 20, len(scenes)))
        features = _see(model, training.to(torch.from_numpy(scenes.images(rows, config.image_size))), training)
        contexts, packed = _exam(config, [scenes.scenes[i] for i in rows], start)
        packed = training.to(packed)
        with training.precision():
            _mark(model, model.read(config, model.projector(features), packed), packed, contexts, marks)
    return _means(marks)


def _symbol_accuracy(config: Config, model: Model, training: Training) -> dict[str, float]:
    rng = np.random.default_rng(7)
    scenes = [sampler_of(config)(rng) for _ in range(100)]
    marks: dict[str, list[bool]] = {kind: [] for kind in kinds_of(config)}
    contexts, packed = _exam(config, scenes, 0)
    packed = training.to(packed)
    with torch.no_grad(), training.precision():
        tokens = training.to(_sample_context(config, rng, scenes, Objects.of(scenes), 64))
        reading = model.language.read(model.ideal(model.language.embedding.weight, tokens), packed)
        _mark(model, reading, packed, contexts, marks)
    return _means(marks)


def _exam(config: Config, scenes: list[Scene], first: int) -> tuple[list[list[Question]], Packed]:
    """One question of each kind about each scene, seeded by the scene's index."""
    kinds = kinds_of(config)
    contexts = []
    for number, scene in enumerate(scenes, first):
        rng = np.random.default_rng(number)
        contexts.append([q for kind in kinds if (q := ask(rng, scene, kind)) is not None])
    return contexts, pack(contexts, 20 * (len(kinds) + 1), MAX_OBJECTS, None)


def _mark(model: Model, reading: Reading, packed: Packed, contexts: list[list[Question]], marks: dict) -> None:
    """Scores answers, each word predicted from the correct words before it; correct only if all words are."""
    right = model.language.logits(reading.states).argmax(-1) == packed.labels
    for row, questions in enumerate(contexts):
        for number, question in enumerate(questions):
            mine = (packed.segment[row] == number) & (packed.labels[row] >= 0) & (packed.labels[row] != EOS)
            marks[question.kind].append(bool(right[row][mine].all()))


def _means(marks: dict[str, list[bool]]) -> dict[str, float]:
    everything = [mark for all_of_kind in marks.values() for mark in all_of_kind]
    return {kind: float(np.mean(m)) for kind, m in marks.items() if m} | {"all": float(np.mean(everything))}


def _habits(model: Model, reader, reading: Reading, packed: Packed, tokens: Tokens, objects: Objects) -> dict[str, Tensor]:
    habits = {
        "grounding": losses.grounding_loss(reading, packed, tokens),
        "pointing": losses.pointing_loss(reading, packed),
        "noun": reader.loss(reading, packed, objects),
        "crowding": losses.crowding_loss(model.language),
    }
    return {**habits, "spelling": losses.reading_loss(reading, packed, tokens)} if isinstance(tokens, TileTokens) else habits


class Sight:
    """Features of images from the frozen vision tower. Tiled images, which take longest, are encoded once and cached."""

    def __init__(self, model: Model, training: Training):
        self.model, self.training = model, training
        self._known: dict[tuple[int, int], Tensor] = {}

    def see(self, pictures: Pictures) -> Tensor:
        """Features `[B, n, width]`."""
        if not isinstance(pictures, TilePictures):
            return _see(self.model, pictures.pixels, self.training)
        keys = [(row, pictures.tiles) for row in pictures.rows.tolist()]
        new = [at for at, key in enumerate(keys) if key not in self._known]
        if new:
            for at, features in zip(new, _see(self.model, pictures.pixels[new], self.training), strict=True):
                self._known[keys[at]] = features.half()
        return torch.stack([self._known[key] for key in keys]).float()


@torch.no_grad()
def _see(model: Model, pixels: Tensor, training: Training) -> Tensor:
    """Features `[B, n, width]` of images `[B, S, S, 3]` (uint8), or of all frames of images `[B, frames, S, S, 3]`."""
    with training.precision():
        features, _, _ = model.vision(to_pixels(pixels.flatten(0, -4)))
    return features.float().reshape(len(pixels), -1, features.shape[-1])


def _sample_context(config: Config, rng: np.random.Generator, scenes: list[Scene], objects: Objects, length: int) -> Tokens:
    return sample_tile_tokens(rng, scenes, objects, length) if config.tiles else sample_tokens(rng, objects, length)


def make_symbols(config: Config, rng: np.random.Generator, step: int) -> tuple[Tokens, Packed, Objects]:
    """A batch of stage 2: what tokens show, questions, objects. Its scenes are generated for it and not reused."""
    scenes = [sampler_of(config)(rng) for _ in range(config.symbol_batch)]
    objects = Objects.of(scenes)
    tokens = _sample_context(config, rng, scenes, objects, int(rng.choice(SYMBOL_CONTEXTS)))
    return tokens, sample_questions(rng, scenes, SYMBOL_TEXT, SIGN_MIX if config.tiles else MIX), objects


def _make_lessons(scenes: Scenes, config: Config, seed: int, rng: np.random.Generator, step: int) -> tuple[Pictures, Packed]:
    rows = rows_of_batch(seed, len(scenes), config.joint_batch, step)
    questions = sample_questions(rng, [scenes.scenes[i] for i in rows], IMAGE_TEXT, SIGN_MIX if config.tiles else MIX)
    few = isinstance(scenes, TileScenes) and step % FEW_TILES_EVERY == FEW_TILES_EVERY - 1
    return (scenes.see(rows, config.image_size, FEW_TILES) if few else scenes.see(rows, config.image_size)), questions

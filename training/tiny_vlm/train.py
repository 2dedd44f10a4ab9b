"""A training run from scratch to a checkpoint. An interrupted run resumes after its last finished stage."""

import json
from dataclasses import asdict
from functools import cache, partial
from pathlib import Path

import torch
from torch import nn

from .config import Config
from .dataset import Scenes, load_scenes
from .exported_tower import read_tower
from .schedule import Training
from .tiles import load_tile_scenes
from .train_language import Model, Sight, accuracy_by_kind, train_jointly, train_projector, train_symbols
from .train_tile_vision import train_tile_vision
from .train_vision import train_vision
from .vision import VisionTower

PARTS = ("vision", "projector", "language", "ideal")


def train(
    config: Config, folder: Path, seed: int, device: str, bfloat16: bool, workers: int = 0, tower: Path | None = None
) -> Model:
    """Runs all stages; every stage has its own random numbers, so a resumed run equals an uninterrupted one.

    `tower` is an exported model whose vision tower is used in place of stage 1.
    """
    _use_plain_attention_on_cuda()
    folder.mkdir(parents=True, exist_ok=True)
    source = {"tower": str(tower)} if tower else {}
    settings = json.dumps({"seed": seed, **source, **asdict(config)}, indent=2)
    record = folder / "settings.json"
    if record.exists() and record.read_text() != settings:
        raise ValueError(f"{folder} has a run with other settings: choose another folder, or remove it")
    record.write_text(settings)

    def stage(number: int) -> Training:
        # The contexts of stage 2 are so short that on a CPU, converting them to bfloat16 and back takes longer than it saves.
        is_short = number == 2 and device == "cpu"
        return Training(folder, 10 * seed + number, device, bfloat16 and not is_short, workers)

    # Drawn on first use.
    scenes = cache(partial(pictures_of, config, "train", workers=max(2, workers)))
    validation = cache(partial(pictures_of, config, "validation", config.validation_scenes))
    torch.manual_seed(10 * seed)
    model = Model.of(config, VisionTower(config), torch.device(device))
    if not _restore(model, folder / "1-vision.pt", ("vision",)):
        if tower:
            model.vision = read_tower(config, tower).to(device)
        else:
            teach = train_tile_vision if config.tiles else train_vision
            model.vision = teach(config, scenes(config.train_scenes), validation(), stage(1))
        _save(model, folder / "1-vision.pt", ("vision",))
    model.vision.eval()
    if not _restore(model, folder / "2-symbols.pt", ("language", "ideal")):
        train_symbols(config, model, stage(2))
        _save(model, folder / "2-symbols.pt", ("language", "ideal"))
    sight = Sight(model, stage(3))
    shown = config.joint_scenes or config.train_scenes
    if not _restore(model, folder / "3-projector.pt", ("projector",)):
        train_projector(config, model, scenes(shown), sight, stage(3))
        _save(model, folder / "3-projector.pt", ("projector",))
    if not _restore(model, folder / "model.pt", PARTS):
        train_jointly(config, model, scenes(shown), validation(), sight, stage(4))
        _save(model, folder / "model.pt", PARTS)
    return model


def pictures_of(config: Config, split: str, count: int, workers: int = 2) -> Scenes:
    """The first scenes of a split, drawn as the model sees them."""
    return load_tile_scenes(split, count, workers) if config.tiles else load_scenes(split, count, config.grid, workers)


def _use_plain_attention_on_cuda() -> None:
    """With CUDA's fused kernels (PyTorch 2.11, H200), the base model learned far less: 47 to 51 % after 650 steps of stage 2,
    and 69 to 89 % with plain attention.
    """
    torch.backends.cuda.enable_flash_sdp(False)
    torch.backends.cuda.enable_mem_efficient_sdp(False)
    torch.backends.cuda.enable_cudnn_sdp(False)


def load(config: Config, folder: Path) -> Model:
    """A finished run's model, on the CPU."""
    model = Model.of(config, VisionTower(config), torch.device("cpu"))
    if not _restore(model, folder / "model.pt", PARTS):
        raise FileNotFoundError(f"{folder} has no model.pt: train first, or let the run finish")
    for part in PARTS:
        getattr(model, part).eval()
    return model


def evaluate(config: Config, folder: Path, split: str, count: int) -> dict[str, float]:
    """Accuracy of a finished run by kind, in full precision, with all vision tokens."""
    scenes = pictures_of(config, split, count)
    return accuracy_by_kind(config, load(config, folder), scenes, Training(folder, 0, bfloat16=False))


def _save(model: Model, path: Path, parts: tuple[str, ...]) -> None:
    unfinished = path.with_suffix(".part")
    torch.save({part: getattr(model, part).state_dict() for part in parts}, unfinished)
    unfinished.replace(path)


def _restore(model: Model, path: Path, parts: tuple[str, ...]) -> bool:
    if not path.exists():
        return False
    stored = torch.load(path, map_location="cpu", weights_only=True)
    for part in parts:
        module: nn.Module = getattr(model, part)
        module.load_state_dict(stored[part])
    return True

"""The two models' dimensions and their training schedules."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Config:
    """A model and how long it trains. Steps are optimiser steps."""

    image_size: int
    vision_width: int
    vision_layers: int
    width: int
    layers: int
    mlp_width: int
    heads: int = 4

    train_scenes: int = 20_000
    validation_scenes: int = 200
    vision_steps: int = 1_200
    vision_batch: int = 64
    symbol_steps: int = 2_600
    symbol_batch: int = 8
    align_steps: int = 300
    joint_steps: int = 1_800
    joint_batch: int = 12

    @property
    def grid(self) -> int:
        return self.image_size // 8

    @property
    def tokens(self) -> int:
        return self.grid**2

    @property
    def head_width(self) -> int:
        return self.width // self.heads


BASE = Config(image_size=192, vision_width=128, vision_layers=3, width=128, layers=4, mlp_width=352)
SMALL = Config(image_size=64, vision_width=80, vision_layers=3, width=80, layers=4, mlp_width=216)
PRESETS = {"base": BASE, "small": SMALL}


def quick(config: Config) -> Config:
    """The same model, trained for about two minutes: proves that everything runs, learns next to nothing."""
    return replace(
        config,
        train_scenes=200,
        validation_scenes=20,
        vision_steps=30,
        vision_batch=16,
        symbol_steps=40,
        symbol_batch=6,
        align_steps=10,
        joint_steps=12,
        joint_batch=8,
    )

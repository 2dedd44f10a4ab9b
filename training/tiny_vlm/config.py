"""The models' dimensions and their training schedules."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Config:
    """A model's dimensions and how long it trains, in optimizer steps."""

    image_size: int
    vision_width: int
    vision_layers: int
    width: int
    layers: int
    mlp_width: int
    heads: int = 4
    # Tiles along an edge of an image that is split, not counting the overview; `image_size` is then that of a tile.
    tiles: int = 0
    # This many patches along each axis become one token, which concatenates their features.
    shuffle: int = 1

    train_scenes: int = 20_000
    validation_scenes: int = 200
    vision_steps: int = 1_200
    vision_batch: int = 64
    symbol_steps: int = 2_600
    symbol_batch: int = 8
    align_steps: int = 300
    joint_steps: int = 1_800
    joint_batch: int = 12
    # How many of the training scenes stages 3 and 4 use; 0 means all.
    joint_scenes: int = 0

    @property
    def patch_grid(self) -> int:
        return self.image_size // 8

    @property
    def grid(self) -> int:
        """Tokens along an edge of the vision tower's input."""
        return self.patch_grid // self.shuffle

    @property
    def tokens(self) -> int:
        """Vision tokens of an image."""
        return self.grid**2 * (self.tiles**2 + 1 if self.tiles else 1)

    @property
    def feature_width(self) -> int:
        """Width of a token before the projector."""
        return self.vision_width * self.shuffle**2

    @property
    def head_width(self) -> int:
        return self.width // self.heads


BASE = Config(image_size=192, vision_width=128, vision_layers=3, width=128, layers=4, mlp_width=352)
SMALL = Config(image_size=64, vision_width=80, vision_layers=3, width=80, layers=4, mlp_width=216)
TILED = Config(
    image_size=64,
    vision_width=128,
    vision_layers=3,
    width=128,
    layers=4,
    mlp_width=352,
    tiles=4,
    shuffle=2,
    train_scenes=4_000,
    validation_scenes=60,
    vision_steps=1_400,
    vision_batch=6,
    symbol_steps=2_800,
    symbol_batch=8,
    align_steps=150,
    joint_steps=1_400,
    joint_batch=8,
    joint_scenes=2_000,
)
PRESETS = {"base": BASE, "small": SMALL, "tiled": TILED}


def quick(config: Config) -> Config:
    """The same model, trained for about two minutes, to check that everything runs; it learns almost nothing."""
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
        joint_scenes=0,
    )

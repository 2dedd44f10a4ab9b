"""Stage 1: the vision tower learns what each patch shows. It corresponds to a pretrained image encoder."""

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import Config
from .dataset import NO_SHAPE, Pictures, Scenes, picture_batch
from .scenes import BACKGROUNDS, COLORS, SHAPES, SIZES
from .schedule import Training
from .vision import VisionTower, to_pixels

# What the probes read from a patch: shape or none, color of object or background, size, center of its object, whether it is
# the center, and the background of the whole scene, which every patch encodes.
PARTS = (NO_SHAPE + 1, len(COLORS) + len(BACKGROUNDS), len(SIZES), 2, 1, len(BACKGROUNDS))


class PatchReader(nn.Module):
    """Linear probes on the features, discarded after this stage."""

    def __init__(self, config: Config):
        super().__init__()
        self.patch = nn.Linear(config.vision_width, sum(PARTS))
        self.scene = nn.Linear(config.vision_width, len(SHAPES) * len(COLORS))

    def forward(self, features: Tensor) -> tuple[Tensor, ...]:
        return self.patch(features).split(PARTS, -1)


def train_vision(config: Config, scenes: Scenes, validation: Scenes, training: Training) -> VisionTower:
    tower, reader = VisionTower(config).to(training.device), PatchReader(config).to(training.device)
    parameters = [*tower.parameters(), *reader.parameters()]
    optimiser = torch.optim.AdamW(parameters, betas=(0.9, 0.95), weight_decay=0.02)
    make = partial(picture_batch, scenes, config.image_size, config.vision_batch, training.seed)
    for step, pictures in training.steps("vision", config.vision_steps, optimiser, peak=2e-3, warmup=60, make=make):
        with training.precision():
            loss = vision_loss(tower, reader, pictures)
        training.update(optimiser, parameters, loss)
        if training.reports(step):
            training.log(loss=loss.item(), **read_patches(tower, reader, validation, config, training))
    return tower.eval()


def vision_loss(tower: VisionTower, reader: PatchReader, pictures: Pictures) -> Tensor:
    patches, objects = pictures.patches, pictures.objects
    features, scene, _ = tower(to_pixels(pictures.pixels))
    shape, color, size, xy, centre, ground = reader(features)
    on = patches.is_object
    weight = torch.where(on, 1.0, 0.15)

    def weighted(logits: Tensor, target: Tensor) -> Tensor:
        loss = F.cross_entropy(logits.flatten(0, 1), target.flatten(), reduction="none")
        return (loss * weight.flatten()).sum() / weight.sum()

    every_ground = patches.background[:, None].expand_as(on)
    sorts = F.one_hot(objects.shape * len(COLORS) + objects.color, len(SHAPES) * len(COLORS))
    present = (sorts * objects.present[..., None]).amax(1).float()
    return (
        weighted(shape, patches.shape)
        + weighted(color, patches.color)
        + 0.4 * F.cross_entropy(size[on], patches.size[on])
        + 4 * (xy[on] - patches.xy[on]).abs().mean()
        + F.binary_cross_entropy_with_logits(centre[..., 0], patches.is_centre.float(), pos_weight=centre.new_tensor(4.0))
        + 0.3 * F.cross_entropy(ground.flatten(0, 1), every_ground.flatten())
        + 1.0 * F.binary_cross_entropy_with_logits(reader.scene(scene), present)
    )


@torch.no_grad()
def read_patches(tower, reader, validation: Scenes, config: Config, training: Training) -> dict[str, float]:
    """Accuracy of the probes on unseen scenes; shape and color at the objects' centers, xy in pixels of the drawing."""
    tower.eval()
    pictures = training.to(validation.see(range(min(len(validation), 128)), config.image_size))
    patches = pictures.patches
    features, _, saliency = tower(to_pixels(pictures.pixels))
    shape, color, size, xy, centre, ground = reader(features)
    on, mid = patches.is_object, patches.is_centre
    found = centre[..., 0] > 0.7
    tower.train()
    return {
        "shape": (shape.argmax(-1) == patches.shape)[mid].float().mean().item(),
        "color": (color.argmax(-1) == patches.color)[mid].float().mean().item(),
        "size": (size.argmax(-1) == patches.size)[mid].float().mean().item(),
        "xy": 128 * (xy[on] - patches.xy[on]).abs().mean().item(),
        "centre_precision": (found & mid).sum().item() / max(1, found.sum().item()),
        "centre_recall": (found & mid).sum().item() / mid.sum().item(),
        "ground": (ground.argmax(-1) == patches.background[:, None]).float().mean().item(),
        "saliency_on_objects": (saliency * on).sum(1).mean().item(),
    }

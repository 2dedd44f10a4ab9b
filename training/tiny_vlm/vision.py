"""The vision tower: a convolutional stem, positions, and a few transformer blocks with a class token.

Every operation has an ONNX counterpart, so the same module trains and is exported. Shapes are numbers where they can be: the
exporter would otherwise compute each from a tensor's shape, with several nodes that cost as much time as a small product.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import Config

HEADS = 4


def attend(query: Tensor, key: Tensor, mask: Tensor | float = 0.0) -> Tensor:
    """Attention weights of `[B, heads, n, width]` queries and keys; the mask is added to the scores."""
    return torch.softmax((query / math.sqrt(query.shape[-1])) @ key.transpose(-1, -2) + mask, dim=-1)


class VisionBlock(nn.Module):
    def __init__(self, width: int, states: int):
        super().__init__()
        self.shape = (states, width)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.out = nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 3 * width), nn.Linear(3 * width, width)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the new states `[B, n, width]` and the attention weights `[B, heads, n, n]`."""
        h = self.norm1(x)
        query, key, value = (self._heads(layer(h)) for layer in (self.query, self.key, self.value))
        weights = attend(query, key)
        x = x + self.out((weights @ value).transpose(1, 2).reshape(-1, *self.shape))
        return x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh")), weights

    def _heads(self, x: Tensor) -> Tensor:
        states, width = self.shape
        return x.reshape(-1, states, HEADS, width // HEADS).transpose(1, 2)


class VisionTower(nn.Module):
    """Pixels `[B, 3, S, S]` in [-1, 1] to features `[B, n, width]`, a class feature, and its saliency `[B, n]`."""

    def __init__(self, config: Config):
        super().__init__()
        self.grid, self.shuffle = config.grid, config.shuffle
        self.patches, self.width = config.patch_grid**2, config.vision_width
        w = config.vision_width
        self.conv1 = _conv(3, 24, 4, 2)
        self.conv2 = _conv(24, 48, 4, 2)
        self.conv3 = _conv(48, 48, 3, 1)
        self.conv4 = _conv(48, w, 4, 2)
        self.conv5 = _conv(w, w, 3, 1)
        self.conv6 = _conv(w, w, 3, 1)
        self.positions = nn.Parameter(0.5 * _sinusoids(config.patch_grid, w)[None])
        self.class_token = nn.Parameter(torch.randn(1, 1, w) * 0.02)
        self.blocks = nn.ModuleList(VisionBlock(w, self.patches + 1) for _ in range(config.vision_layers))
        self.norm = nn.LayerNorm(w)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = F.relu(self.conv2(F.relu(self.conv1(pixels))))
        x = F.relu(x + self.conv3(x))
        x = F.relu(self.conv4(x))
        x = F.relu(x + self.conv5(x))
        x = (x + self.conv6(x)).reshape(-1, self.width, self.patches).transpose(1, 2)
        # The class token's row holds zeros until its embedding is added with the positions.
        x = F.pad(x, (0, 0, 1, 0)) + torch.cat([self.class_token, self.positions], 1)
        for block in self.blocks:
            x, weights = block(x)
        x = self.norm(x)
        saliency = self._merge(weights[:, :, 0, 1:].mean(1)[..., None], 1).sum(-1)
        return self._merge(x[:, 1:], self.width), x[:, 0], saliency

    def _merge(self, x: Tensor, width: int) -> Tensor:
        """Patches `[B, patches, w]` to tokens `[B, n, shuffle² w]`: neighbors are concatenated."""
        if self.shuffle == 1:
            return x
        cells = x.reshape(-1, self.grid, self.shuffle, self.grid, self.shuffle, width)
        return cells.transpose(2, 3).reshape(-1, self.grid**2, self.shuffle**2 * width)


class Projector(nn.Module):
    """Vision features `[B, n, vision width]` to the language model's embeddings `[B, n, width]`."""

    def __init__(self, config: Config):
        super().__init__()
        self.up = nn.Linear(config.feature_width, 2 * config.width)
        self.down = nn.Linear(2 * config.width, config.width)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(F.gelu(self.up(x), approximate="tanh"))


def to_pixels(images: Tensor) -> Tensor:
    """Images `[B, S, S, 3]` (uint8) as the processor of the exported model returns them."""
    return images.permute(0, 3, 1, 2).float() / 127.5 - 1


def _conv(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, 1, bias=False), nn.BatchNorm2d(outputs))


def _sinusoids(grid: int, width: int) -> Tensor:
    at = torch.arange(grid).float() * (16 / grid)
    y, x = torch.meshgrid(at, at, indexing="ij")
    frequency = torch.exp(-math.log(20) * torch.arange(width // 4) / (width // 4))
    angles = [c.reshape(-1, 1) * frequency for c in (x, y)]
    return torch.cat([f(a) for a in angles for f in (torch.sin, torch.cos)], 1)

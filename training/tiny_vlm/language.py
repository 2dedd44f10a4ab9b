"""The language model: a small Llama with partial rotary positions and tied embeddings, run on packed questions.

A context is `<s>` and image tokens. Several questions are packed after it; each attends to the context and itself.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import Config
from .text import BOS, ID, IMAGE, PLURALS, VOCABULARY_SIZE, Packed

ROTARY_SHARE = 0.5
ROTARY_BASE = 10_000.0
NORM_EPSILON = 1e-6


class RMSNorm(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + NORM_EPSILON) * self.weight


class Block(nn.Module):
    def __init__(self, config: Config):
        super().__init__()
        w = config.width
        self.heads = config.heads
        self.norm1, self.norm2 = RMSNorm(w), RMSNorm(w)
        self.query, self.key, self.value, self.out = (nn.Linear(w, w, bias=False) for _ in range(4))
        self.gate, self.up = (nn.Linear(w, config.mlp_width, bias=False) for _ in range(2))
        self.down = nn.Linear(config.mlp_width, w, bias=False)

    def split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def project(self, x: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys, and values `[B, heads, n, head width]`, queries and keys with their positions."""
        h = self.norm1(x)
        query, key, value = (self.split(layer(h)) for layer in (self.query, self.key, self.value))
        return rotate(query, cos, sin), rotate(key, cos, sin), value

    def finish(self, x: Tensor, attended: Tensor) -> Tensor:
        x = x + self.out(attended.transpose(1, 2).flatten(2))
        h = self.norm2(x)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))


class LanguageModel(nn.Module):
    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(VOCABULARY_SIZE, config.width)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = RMSNorm(config.width)
        self._initialise()

    def _initialise(self) -> None:
        """Initializes attention so that a token attends to similar tokens and copies them.

        Keys start equal to queries, and a head's output as the transpose of its values. So scores start as similarities of
        tokens, and a token that attends to another takes over part of it. Learning this from scratch would take most of the
        training of a model this small.
        """
        width, head_width = self.config.width, self.config.head_width
        for block in self.blocks:
            nn.init.normal_(block.query.weight, std=0.1)
            block.key.weight.data.copy_(block.query.weight)
            nn.init.normal_(block.value.weight, std=width**-0.5)
            block.out.weight.data.copy_(block.value.weight.T * (0.5 * (width / head_width) ** 0.5))
            for layer, std in ((block.gate, 0.08), (block.up, 0.08), (block.down, 0.08 / len(self.blocks) ** 0.5)):
                nn.init.normal_(layer.weight, std=std)
        table = self.embedding.weight.data.normal_(std=0.08)
        for shape, plural in PLURALS.items():
            table[ID[plural]] = 0.8 * table[ID[shape]] + 0.6 * table[ID[plural]]
        table[ID["objects"]] = 0.8 * table[ID["object"]] + 0.6 * table[ID["objects"]]

    def logits(self, states: Tensor) -> Tensor:
        return self.norm(states) @ self.embedding.weight.T

    def read(self, image: Tensor, packed: Packed, layout: Tensor | None = None) -> "Reading":
        """Runs packed questions after image tokens `[B, n, width]`, which fill the placeholders of `layout`, ids `[m]`."""
        seen = torch.arange(image.shape[1], device=image.device)
        if layout is not None:
            seen = (layout == IMAGE).nonzero()[:, 0]
            markers = self.embedding(layout).expand(len(image), -1, -1).to(image.dtype)
            image = markers.index_copy(1, seen, image)
        batch, n, _ = image.shape
        start = self.embedding.weight[BOS].expand(batch, 1, -1)
        states = torch.cat([start, image, self.embedding(packed.ids)], 1)
        context = n + 1
        places = torch.cat([torch.arange(context, device=image.device).expand(batch, -1), context + packed.place], 1)
        cos, sin = (t[:, None] for t in rotation(places, self.config.head_width))
        mask = text_mask(packed, context)
        causal = torch.full((context, context), -1e9, device=image.device).triu(1)
        readings = []
        for number, block in enumerate(self.blocks):
            query, key, value = block.project(states, cos, sin)
            text = query[:, :, context:]
            attended = attention(text, key, value, mask)
            if number + 1 < len(self.blocks):
                head = (t[:, :, :context] for t in (query, key, value))
                attended = torch.cat([attention(*head, causal), attended], 2)
                states = block.finish(states, attended)
            else:
                # The last states of image tokens are not read.
                states = block.finish(states[:, context:], attended)
            readings.append(Layer(text, key, states[:, -packed.ids.shape[1] :]))
        return Reading(readings, mask, states, 1 + seen)


@dataclass
class Layer:
    """A layer's queries of text tokens, keys of all tokens, and the states of text tokens after it."""

    text_query: Tensor
    key: Tensor
    states: Tensor


@dataclass
class Reading:
    """Layers, the mask of text tokens, their last states, and where in the context the vision tokens are."""

    layers: list[Layer]
    mask: Tensor
    states: Tensor
    seen: Tensor


def attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    """Plain attention on CPUs, where PyTorch's own takes twice as long in bfloat16 with a mask."""
    if query.device.type != "cpu":
        return F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    scores = (query / math.sqrt(query.shape[-1])) @ key.transpose(-1, -2) + mask.to(query.dtype)
    return torch.softmax(scores, -1) @ value


def text_mask(packed: Packed, context: int) -> Tensor:
    """Added to attention scores, `[B, 1, T, context + T]`: 0 where a text token may attend, a large negative one elsewhere."""
    segment, place = packed.segment, packed.place
    same = (segment[:, :, None] == segment[:, None, :]) & (place[:, :, None] >= place[:, None, :])
    may = torch.cat([same.new_ones(*segment.shape, context), same], 2)
    return torch.where(may, 0.0, -1e9)[:, None]


def rotation(places: Tensor, head_width: int) -> tuple[Tensor, Tensor]:
    """Cosines and sines of positions `[…, n]` for the rotated part of a head, `[…, n, part]`."""
    part = int(head_width * ROTARY_SHARE)
    inverse = ROTARY_BASE ** (-torch.arange(0, part, 2, device=places.device).float() / part)
    angle = places[..., None].float() * inverse
    angle = torch.cat([angle, angle], -1)
    return angle.cos(), angle.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    part = cos.shape[-1]
    turned, rest = x[..., :part], x[..., part:]
    first, second = turned[..., : part // 2], turned[..., part // 2 :]
    return torch.cat([turned * cos + torch.cat([-second, first], -1) * sin, rest], -1)

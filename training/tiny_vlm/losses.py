"""What the language model is trained on besides the answers: where to attend, what to remember, which words to keep apart.

A model of this size does not learn this by itself in the available time. Large models have it from pretraining.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import Config
from .dataset import Objects, Tokens
from .language import LanguageModel, Layer, Reading
from .scenes import MAX_OBJECTS
from .text import APART, EOS, ID, SIGN_APART, Packed
from .tiles import TileTokens

# Nouns attend to their objects with head 0 of these layers. In the layer POINTING, the word `answer` attends to the first noun
# with head 1 and to the second with head 2. By then, nouns contain the position and size of their object.
GROUNDING = (1, 2)
POINTING = 2
# In the tiled model, which sees everything twice, head 0 attends to the tiles and head 3 to the overview.
VIEW_HEADS = (0, 3)
# The highest similarity of two words that must stay apart.
MAX_COSINE = 0.15


def answer_loss(model: LanguageModel, reading: Reading, packed: Packed) -> Tensor:
    """Cross entropy of the answers' words. The end of an answer has a small weight."""
    learn = packed.labels >= 0
    logits, labels = model.logits(reading.states[learn]).float(), packed.labels[learn]
    weight = torch.where(labels == EOS, 0.1, 1.0)
    return (F.cross_entropy(logits, labels, reduction="none") * weight).sum() / weight.sum()


def grounding_loss(reading: Reading, packed: Packed, tokens: Tokens) -> Tensor:
    """Nouns attend to tokens of the objects they refer to, or to `<s>` if there are none, with one head for each view of the
    image.

    To count, a noun attends equally to `<s>` and to one token per object of the last view, so the share of `<s>` gives
    their number.
    """
    rows = packed.nouns[:, 0]
    mine = F.one_hot(tokens.owner.clamp(min=0), packed.refers.shape[1]) * tokens.is_object[..., None]
    refers = torch.einsum("mo,mno->mn", packed.refers, mine[rows].float())
    total = 0
    views = tokens.views
    for view, head in zip(views, VIEW_HEADS, strict=False):
        counts = packed.counts[:, None] & (head == VIEW_HEADS[len(views) - 1])
        target = refers * view[rows]
        target = torch.where(counts, target * tokens.is_centre[rows], target)
        nothing = (target.sum(-1, keepdim=True) == 0) | counts
        target = torch.cat([nothing.float(), target], -1)
        for number in GROUNDING:
            scores = _scores(reading, reading.layers[number], rows, packed.nouns[:, 1], head)
            mass = -torch.logsumexp(scores.masked_fill(target == 0, -1e9), -1)
            even = -(scores.clamp(min=-30) * target).sum(-1) / target.sum(-1) - torch.log(target.sum(-1))
            total = total + torch.where(counts[:, 0], even, mass).mean()
    return total / len(GROUNDING)


def pointing_loss(reading: Reading, packed: Packed) -> Tensor:
    """The word `answer` attends to the nouns of its question."""
    rows, nouns, answers = packed.nouns.unbind(-1)
    layer = reading.layers[POINTING]
    context = layer.key.shape[2] - packed.ids.shape[1]
    total = 0
    for head, order in ((1, 0), (2, 1)):
        mine = packed.order == order
        scores = _all_scores(reading, layer, rows[mine], answers[mine], head)
        total = total - scores.gather(1, context + nouns[mine, None]).mean()
    return total / 2


def reading_loss(reading: Reading, packed: Packed, tokens: TileTokens) -> Tensor:
    """Each word read from a sign attends to its noun, and in the last layer to the tokens that show the next character, or to
    `<s>` if there is none.
    """
    if len(packed.reads) == 0:
        return reading.states.sum() * 0
    rows, places, nouns, objects, numbers = packed.reads.unbind(-1)
    context = reading.layers[POINTING].key.shape[2] - packed.ids.shape[1]
    pointing = _all_scores(reading, reading.layers[POINTING], rows, places, head=1)
    target = ((tokens.owner[rows] == objects[:, None]) & (tokens.slot[rows] == numbers[:, None])).float()
    target = torch.cat([(target.sum(-1, keepdim=True) == 0).float(), target], -1)
    scores = _scores(reading, reading.layers[-1], rows, places, head=3)
    mass = -torch.logsumexp(scores.masked_fill(target == 0, -1e9), -1)
    return mass.mean() - pointing.gather(1, context + nouns[:, None]).mean()


class NounReader(nn.Module):
    """Linear probe on nouns, discarded after training: position and size of its object, or the number of objects."""

    def __init__(self, config: Config):
        super().__init__()
        self.layer = nn.Linear(config.width, 4 + MAX_OBJECTS + 1)

    def loss(self, reading: Reading, packed: Packed, objects: Objects) -> Tensor:
        rows, nouns, _ = packed.nouns.unbind(-1)
        states = reading.layers[POINTING].states[rows, nouns].float()
        read = self.layer(F.normalize(states, dim=-1) * math.sqrt(states.shape[-1]))
        many = packed.refers.sum(-1).long()
        number = F.cross_entropy(read[packed.counts, 4:], many[packed.counts])
        single = (many == 1) & ~packed.counts
        rows, index, read = rows[single], packed.refers[single].argmax(-1), read[single]
        place = (read[:, :2] - objects.xy[rows, index]).abs().mean()
        return 3 * place + F.cross_entropy(read[:, 2:4], objects.size[rows, index]) + 0.5 * number


def crowding_loss(model: LanguageModel) -> Tensor:
    """Penalizes attribute words that are too similar: tied embeddings collapse words that answer the same question."""
    apart = SIGN_APART if model.config.tiles else APART
    words = F.normalize(model.embedding.weight[[ID[word] for word in apart]], dim=-1)
    cosine = words @ words.T - torch.eye(len(words), device=words.device)
    return F.relu(cosine - MAX_COSINE).pow(2).sum()


def alignment_loss(projected: Tensor, ideal: Tensor, tokens: Tokens) -> Tensor:
    """Distance of projected vision tokens from their ideal tokens. Objects weigh more than background, their centers most."""
    weight = torch.where(tokens.is_object, 1.0, 0.1) + 2.0 * tokens.is_centre
    distance = 16 * (projected - ideal).pow(2).mean(-1) + 1 - F.cosine_similarity(projected, ideal, dim=-1)
    return (distance * weight).sum() / weight.sum()


def _scores(reading: Reading, layer: Layer, rows: Tensor, places: Tensor, head: int) -> Tensor:
    """Log attention `[m, 1 + vision tokens]` of single text tokens in one head to `<s>` and to vision tokens."""
    scores = _all_scores(reading, layer, rows, places, head)
    return scores[:, torch.cat([reading.seen.new_zeros(1), reading.seen])]


def _all_scores(reading: Reading, layer: Layer, rows: Tensor, places: Tensor, head: int) -> Tensor:
    """Log attention `[m, all tokens]` of single text tokens in one head."""
    query, key = layer.text_query[rows, head, places], layer.key[rows, head]
    raw = torch.einsum("mw,mnw->mn", query.float(), key.float()) / math.sqrt(query.shape[-1])
    return torch.log_softmax(raw + reading.mask[rows, 0, places], -1)

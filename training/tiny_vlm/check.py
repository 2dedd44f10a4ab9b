"""Answers questions with exported ONNX files, as a runtime would, to compare the precisions with each other and with the
trained model, with all vision tokens and with a tenth of them.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from .config import Config
from .dataset import Scenes
from .export import FILES, PRECISIONS
from .questions import ask, kinds_of
from .text import BOS, EOS, ID, IMAGE, WORDS, encode
from .tiles import layout
from .vision import to_pixels

MAX_WORDS = 8


class Exported:
    """The three ONNX files of one precision."""

    def __init__(self, config: Config, folder: Path, precision: str):
        self.config = config
        self.vision, self.embed, self.decoder = (
            onnxruntime.InferenceSession(f"{folder}/onnx/{name}{PRECISIONS[precision]}.onnx") for name in FILES
        )

    def see(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Projected tokens, features, and saliency of images `[B, S, S, 3]`, or of all frames of each."""
        pixels = to_pixels(torch.from_numpy(images).flatten(0, -4)).numpy()
        feeds = {"pixel_values": pixels}
        if self.config.tiles:
            feeds["pixel_values"] = pixels.reshape(*images.shape[:2], *pixels.shape[1:])
            feeds["pixel_attention_mask"] = np.ones(images.shape[:-1], bool)
        outputs = self.vision.run(None, feeds)
        return tuple(one.reshape(len(images), self.config.tokens, *one.shape[2:]) for one in outputs)

    def answer(self, tokens: np.ndarray, question: str, keep: np.ndarray | None = None) -> str:
        """The answer about one image's tokens `[n, width]`; with `keep`, only about those, at their original positions."""
        image = layout(self.config.tiles).tolist() if self.config.tiles else [IMAGE] * len(tokens)
        ids = np.array([BOS, *image, ID["question"], *encode(question), ID["answer"]])
        states = self.embed.run(None, {"input_ids": ids[None]})[0][0].copy()
        places = np.flatnonzero(ids == IMAGE)
        states[places] = tokens
        dropped = [] if keep is None else np.delete(places, keep)
        positions = np.delete(np.arange(len(ids)), dropped)[None]
        states = states[positions]
        caches = [f"{i}.{part}" for i in range(self.config.layers) for part in ("key", "value")]
        past = {c: np.zeros((1, self.config.heads, 0, self.config.head_width), np.float32) for c in caches}
        answer: list[str] = []
        seen = 0
        while len(answer) < MAX_WORDS:
            seen += states.shape[1]
            feeds = {
                "inputs_embeds": states,
                "attention_mask": np.ones((1, seen), np.int64),
                "position_ids": positions,
                **{f"past_key_values.{c}": value for c, value in past.items()},
            }
            logits, *present = self.decoder.run(None, feeds)
            past = dict(zip(caches, present, strict=True))
            word = int(logits[0, -1].argmax())
            if word == EOS:
                break
            answer.append(WORDS[word] if word < len(WORDS) else "<unused>")
            states = self.embed.run(None, {"input_ids": np.array([[word]])})[0]
            positions = positions[:, -1:] + 1
        return " ".join(answer)


@dataclass
class Agreement:
    """Shares of all questions: answered correctly, and answered as in full precision, with all tokens and with a tenth."""

    right: float
    same: float
    right_pruned: float
    same_pruned: float


def compare_precisions(config: Config, folder: Path, scenes: Scenes) -> dict[str, Agreement]:
    """One question of each kind per scene, in every precision. The tenth is a random one, the same for all precisions."""
    asked = [
        (row, question)
        for row, scene in enumerate(scenes.scenes)
        for number, kind in enumerate(kinds_of(config))
        if (question := ask(np.random.default_rng([row, number]), scene, kind)) is not None
    ]
    keeps = [
        np.sort(np.random.default_rng(i).choice(config.tokens, config.tokens // 10, replace=False)) for i in range(len(asked))
    ]
    images = scenes.images(range(len(scenes)), config.image_size)
    expected = [question.answer for _, question in asked]
    results: dict[str, Agreement] = {}
    reference: tuple[list[str], list[str]] | None = None
    for precision in PRECISIONS:
        model = Exported(config, folder, precision)
        tokens = model.see(images)[0]
        whole = [model.answer(tokens[row], question.text) for row, question in asked]
        pruned = [model.answer(tokens[r], q.text, keep) for (r, q), keep in zip(asked, keeps, strict=True)]
        reference = reference or (whole, pruned)
        results[precision] = Agreement(
            _share(whole, expected), _share(whole, reference[0]), _share(pruned, expected), _share(pruned, reference[1])
        )
    return results


def _share(given: list[str], expected: list[str]) -> float:
    return sum(g == e for g, e in zip(given, expected, strict=True)) / len(expected)

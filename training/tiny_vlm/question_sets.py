"""Writes question sets for the TypeScript package: scenes as data, which it draws itself, and questions about them."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from .check import Exported
from .config import Config
from .dataset import scene_generator
from .draw import draw
from .questions import ask, kinds_of
from .sign_scenes import sampler_of
from .train import pictures_of

# Questions per scene, each of another kind, so that no scene has much weight.
PER_SCENE = 2


def write_question_set(config: Config, folder: Path, split: str, scenes: int, per_kind: int) -> None:
    """Writes `scenes.jsonl` and `questions.jsonl`: `per_kind` questions of every kind about the first scenes of a split.

    Kinds alternate. If a scene has no question of a kind, the next kind that still needs questions is used.
    """
    kinds, sample = kinds_of(config), sampler_of(config)
    lacking = dict.fromkeys(kinds, per_kind)
    questions = []
    for index in range(scenes):
        rng = scene_generator(split, index)
        scene = sample(rng)
        turn = index * PER_SCENE
        # Kinds that need the most questions come first; equal ones alternate.
        order = sorted(kinds, key=lambda kind: (-lacking[kind], (kinds.index(kind) - turn) % len(kinds)))
        asked = 0
        for kind in order:
            if asked == PER_SCENE or lacking[kind] == 0:
                break
            question = ask(rng, scene, kind)
            if question is None:
                continue
            lacking[kind] -= 1
            asked += 1
            questions.append({"scene": index, "question": question.text, "answer": question.answer, "kind": kind})
    if missing := {kind: count for kind, count in lacking.items() if count}:
        raise ValueError(f"{scenes} scenes of split {split!r} are too few for {per_kind} questions per kind: {missing} missing")
    folder.mkdir(parents=True, exist_ok=True)
    _write_lines(folder / "scenes.jsonl", (sample(scene_generator(split, index)).to_json() for index in range(scenes)))
    _write_lines(folder / "questions.jsonl", questions)


def write_samples(config: Config, folder: Path, model_folder: Path, precision: str, count: int) -> None:
    """Writes images and questions for demos: only questions that the exported model answers correctly with all tokens."""
    scenes = [sampler_of(config)(scene_generator("samples", index)) for index in range(count)]
    pictures = [draw(scene, 1)[0] for scene in scenes]
    model = Exported(config, model_folder, precision)
    tokens = model.see(pictures_of(config, "samples", count).images(range(count), config.image_size))[0]
    folder.mkdir(parents=True, exist_ok=True)
    questions = []
    for row, scene in enumerate(scenes):
        Image.fromarray(pictures[row]).save(folder / f"{row}.png")
        for number, kind in enumerate(kinds_of(config)):
            question = ask(np.random.default_rng([row, number]), scene, kind)
            if question is not None and model.answer(tokens[row], question.text) == question.answer:
                entry = {"image": f"{row}.png", "question": question.text, "answer": question.answer, "kind": kind}
                questions.append(entry)
    _write_lines(folder / "questions.jsonl", questions)


def _write_lines(path: Path, values) -> None:
    path.write_text("".join(json.dumps(value, separators=(",", ":")) + "\n" for value in values))

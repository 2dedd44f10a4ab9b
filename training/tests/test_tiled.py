"""The tiled model: its scenes, what tokens of tiles show, and its recipe from end to end."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from tiny_vlm.check import Exported, compare_precisions
from tiny_vlm.config import TILED, quick
from tiny_vlm.dataset import SIGN, scene_generator
from tiny_vlm.draw import draw
from tiny_vlm.export import export_model
from tiny_vlm.glyphs import CHARACTERS
from tiny_vlm.questions import SIGN_KINDS, ask
from tiny_vlm.sign_scenes import CELL, CELLS, MARKS, SIZE, sample_sign_scene
from tiny_vlm.text import AROUND, ID, IMAGE, OVERVIEW, UNKNOWN, encode_question
from tiny_vlm.tiles import TILE, cut, layout, load_tile_scenes
from tiny_vlm.train import load, train
from tiny_vlm.train_tile_vision import flat_frames, frame_batch
from tiny_vlm.vision import to_pixels

SCENES = [sample_sign_scene(scene_generator("validation", index)) for index in range(60)]
CONFIG = replace(quick(TILED), train_scenes=40, vision_steps=4, vision_batch=2, symbol_steps=6, align_steps=3, joint_steps=9)
torch.set_num_threads(1)


@pytest.fixture(scope="module")
def scenes():
    return load_tile_scenes("validation", 12)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiled")
    train(CONFIG, folder, seed=1, device="cpu", bfloat16=False)
    return folder


def test_each_thing_has_a_cell_and_signs_are_within_it():
    for scene in SCENES:
        cells = [(int(o.y // CELL), int(o.x // CELL)) for o in scene.objects]
        signs = [o for o in scene.objects if o.text]
        assert len(set(cells)) == len(cells) and 1 <= len(signs) <= 3
        assert len({sign.color for sign in signs}) == len(signs)
        for thing, (row, column) in zip(scene.objects, cells, strict=True):
            if thing.text:
                assert column * CELL <= thing.x - thing.radius and thing.x + thing.radius <= (column + 1) * CELL
                assert row * CELL < thing.y - 10 and thing.y + 10 < (row + 1) * CELL
                assert set(thing.text) <= set(CHARACTERS) and not thing.size
            else:
                assert thing.mark in MARKS and thing.size


def test_pixels_are_the_same_bytes_everywhere():
    pixels = hashlib.sha256(b"".join(draw(scene, 16)[0].tobytes() for scene in SCENES[:10]))
    assert pixels.hexdigest() == "53e81a358409cf6fd9db7193438bb9b41733dc2980401ede0cafbdb49589fdb3"


def test_images_are_split_as_by_the_processor():
    pixels = np.random.default_rng(0).integers(0, 256, (1, SIZE, SIZE, 3), np.uint8)
    (frames,) = cut(pixels, CELLS)
    np.testing.assert_array_equal(frames[6], pixels[0, TILE : 2 * TILE, 2 * TILE : 3 * TILE])
    middle = pixels[0, 4 * 5 + 1 : 4 * 5 + 3, 4 * 9 + 1 : 4 * 9 + 3].astype(float).mean((0, 1))
    np.testing.assert_allclose(frames[-1][5, 9], middle, atol=0.51)
    (halves,) = cut(pixels, 2)
    assert halves.shape == (5, TILE, TILE, 3)
    whole = pixels[0].reshape(TILE, 4, TILE, 4, 3).mean((1, 3))
    np.testing.assert_allclose(halves[-1], whole, atol=0.51)


@pytest.mark.parametrize("tiles", [2, 4])
def test_the_layout_has_a_marker_before_each_tile(tiles):
    ids = layout(tiles).tolist()
    assert ids.count(IMAGE) == 16 * (tiles**2 + 1)
    assert ids[:3] == [ID[AROUND], ID["<row_1_col_1>"], IMAGE] and ids[-1] == ID[AROUND]
    assert ids[18 * (tiles + 1) : 18 * (tiles + 1) + 2] == [ID[AROUND], ID["<row_2_col_2>"]]
    assert ids[-18:-16] == [ID[OVERVIEW], IMAGE]


def test_tokens_show_what_is_drawn_there(scenes):
    tokens = scenes.see(range(len(scenes))).patches
    for row, scene in enumerate(scenes.scenes):
        overview = tokens.owner[row, 256:]
        for index, thing in enumerate(scene.objects):
            cell = int(thing.y // CELL) * CELLS + int(thing.x // CELL)
            assert overview[cell] == index
            mine = tokens.owner[row, :256] == index
            assert mine.any()
            assert (tokens.is_centre[row] & (tokens.owner[row] == index)).sum() == 2
            if thing.text:
                pairs = (values[row, :256][mine].tolist() for values in (tokens.slot, tokens.character))
                shown = set(zip(*pairs, strict=True))
                expected = {(i + 1, CHARACTERS.index(c)) for i, c in enumerate(thing.text)}
                assert shown - {(0, len(CHARACTERS))} == expected
                assert (tokens.shape[row, :256][mine] == SIGN).all()
            else:
                assert (tokens.mark[row, :256][mine] == MARKS.index(thing.mark)).all()
                assert (tokens.slot[row, :256][mine] == 0).all()
    assert (tokens.slot[:, 256:] == 0).all() and not tokens.is_tile[:, 256:].any()


def test_frames_are_those_of_their_images(scenes):
    pictures = scenes.see([3, 5])
    pixels, tokens = flat_frames(pictures)
    assert pixels.shape == (34, TILE, TILE, 3)
    torch.testing.assert_close(tokens.owner[17 + 6], pictures.patches.owner[1, 6 * 16 : 7 * 16])
    assert tokens.is_tile.sum(1).tolist() == ([16] * 16 + [0]) * 2


def test_batches_of_frames_have_tiles_and_overviews(scenes):
    pixels, tokens = frame_batch(scenes, 2, 1, np.random.default_rng(0), 0)
    assert len(pixels) == len(tokens.owner) == len(tokens.background)
    assert 8 <= (~tokens.is_tile[:, 0]).sum() < len(pixels) / 2


@pytest.mark.parametrize("kind", SIGN_KINDS)
def test_answers_are_known_words_and_correct(kind):
    for index, scene in enumerate(SCENES):
        question = ask(np.random.default_rng(index), scene, kind)
        if question is None:
            continue
        encoded = encode_question(question)
        assert UNKNOWN not in encoded.prompt + encoded.answer
        if kind in ("detail", "reading", "size", "shape", "color"):
            (mention,) = question.mentions
            thing = scene.objects[mention.objects[0]]
            told = {"detail": thing.mark, "reading": " ".join(thing.text)}.get(kind) or getattr(thing, kind, "")
            assert question.answer == told != ""
        if kind == "existence" and question.answer == "no":
            words = set(question.mentions[0].text.split()) - {"object"}
            assert not any(words <= {o.size, o.color, o.shape} for o in scene.objects)


def test_the_recipe_runs_and_its_files_compute_what_the_model_computes(run, scenes, tmp_path):
    log = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [entry["stage"] for entry in log] == ["vision", "symbols", "projector", "images"]
    assert all(np.isfinite(entry["loss"]) for entry in log)
    model = load(CONFIG, run)
    export_model(CONFIG, model, tmp_path)
    files = Exported(CONFIG, tmp_path, "fp32")
    projected, features, saliency = files.see(scenes.images(range(3)))
    with torch.no_grad():
        expected, _, _ = model.vision(to_pixels(torch.from_numpy(scenes.images(range(3))).flatten(0, 1)))
        np.testing.assert_allclose(features, expected.reshape(3, 272, 512), atol=1e-4)
        np.testing.assert_allclose(projected, model.projector(expected).reshape(3, 272, 128), atol=1e-4)
    # The attention of the class token to itself is missing.
    assert (saliency.reshape(3, 17, 16).sum(-1) < 1).all() and (saliency > 0).all()
    agreement = compare_precisions(CONFIG, tmp_path, scenes)
    assert agreement["fp32"].same == 1 and agreement["fp16"].same > 0.9

"""The whole recipe in its two-minute form: train, stop, resume, export, compare."""

import json
import re
from functools import partial

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from tiny_vlm.check import Exported, compare_precisions
from tiny_vlm.config import SMALL, quick
from tiny_vlm.dataset import load_scenes
from tiny_vlm.export import export_model
from tiny_vlm.exported_tower import read_tower
from tiny_vlm.schedule import Training
from tiny_vlm.train import evaluate, load, train
from tiny_vlm.train_language import make_symbols
from tiny_vlm.vision import to_pixels

CONFIG = quick(SMALL)
# Several threads sum gradients in no fixed order, so runs would differ in their last digits.
torch.set_num_threads(1)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    train(CONFIG, folder, seed=1, device="cpu", bfloat16=False)
    return folder


@pytest.fixture(scope="module")
def exported(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    export_model(CONFIG, load(CONFIG, run), folder)
    return folder


def test_losses_fall(run):
    log = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [entry["stage"] for entry in log] == ["vision", "symbols", "projector", "images"]
    assert all(np.isfinite(entry["loss"]) for entry in log)
    assert 0 < evaluate(CONFIG, run, "validation", 10)["all"] < 1


def test_an_interrupted_run_resumes_and_ends_the_same(run, tmp_path):
    for name in ("settings.json", "1-vision.pt", "2-symbols.pt"):
        (tmp_path / name).write_bytes((run / name).read_bytes())
    train(CONFIG, tmp_path, seed=1, device="cpu", bfloat16=False)
    one, other = (torch.load(folder / "model.pt")["language"] for folder in (run, tmp_path))
    torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


def test_batches_do_not_depend_on_the_number_of_workers(tmp_path):
    def ids(workers):
        training = Training(tmp_path, 5, bfloat16=False, workers=workers)
        optimiser = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))])
        steps = training.steps("symbols", 5, optimiser, 1e-3, 1, partial(make_symbols, CONFIG))
        return [packed.ids for _, (_, packed, _) in steps]

    for one, other in zip(ids(0), ids(2), strict=True):
        torch.testing.assert_close(one, other)


def test_a_folder_of_another_run_is_rejected(run):
    with pytest.raises(ValueError, match="other settings"):
        train(CONFIG, run, seed=2, device="cpu", bfloat16=False)


def test_an_unfinished_run_cannot_be_exported(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no model\.pt"):
        load(CONFIG, tmp_path)


def test_files_compute_what_the_model_computes(run, exported):
    model, files = load(CONFIG, run), Exported(CONFIG, exported, "fp32")
    images = load_scenes("validation", 3, CONFIG.grid).images(range(3), CONFIG.image_size)
    pixels = to_pixels(torch.from_numpy(images))
    projected, features, saliency = files.see(images)
    with torch.no_grad():
        expected, _, looks = model.vision(pixels)
        np.testing.assert_allclose(features, expected, atol=1e-4)
        np.testing.assert_allclose(saliency, looks, atol=1e-5)
        np.testing.assert_allclose(projected, model.projector(expected), atol=1e-4)
    assert saliency.shape == (3, CONFIG.tokens)


def test_a_further_run_can_take_the_tower_of_an_exported_model(run, exported, tmp_path):
    model = train(CONFIG, tmp_path, seed=2, device="cpu", bfloat16=False, tower=exported)
    first = load(CONFIG, run)
    pixels = to_pixels(torch.from_numpy(load_scenes("validation", 2, CONFIG.grid).images(range(2), CONFIG.image_size)))
    with torch.no_grad():
        for mine, theirs in zip(model.vision(pixels), first.vision(pixels), strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-5)
        assert not torch.allclose(model.language.embedding.weight, first.language.embedding.weight, atol=1e-2)
    stages = [json.loads(line)["stage"] for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert stages == ["symbols", "projector", "images"]
    with pytest.raises(FileNotFoundError, match="no full-precision vision tower"):
        train(CONFIG, tmp_path / "other", seed=2, device="cpu", bfloat16=False, tower=tmp_path)


@pytest.mark.parametrize("name", ["tower.norm.bias", "tower.blocks.0.up.bias"])
def test_an_exported_tower_without_a_tensor_is_rejected_by_name(exported, tmp_path, name):
    file = "onnx/vision_encoder.onnx"
    graph = onnx.load(exported / file)
    tensor = next(one for one in graph.graph.initializer if one.name == name)
    tensor.name = "renamed"
    (tmp_path / "onnx").mkdir()
    onnx.save(graph, tmp_path / file)
    with pytest.raises(ValueError, match=re.escape(name)):
        read_tower(CONFIG, tmp_path)


def test_the_cache_of_the_decoder_changes_nothing(exported):
    files = Exported(CONFIG, exported, "fp32")
    decoder: onnxruntime.InferenceSession = files.decoder
    rng = np.random.default_rng(0)
    states = rng.normal(size=(1, 9, CONFIG.width)).astype(np.float32)

    def run_decoder(part, start, past):
        size = part.shape[1]
        feeds = {"inputs_embeds": part, "attention_mask": np.ones((1, start + size), np.int64)}
        feeds["position_ids"] = np.arange(start, start + size)[None]
        names = [i.name for i in decoder.get_inputs() if i.name.startswith("past")]
        empty = np.zeros((1, CONFIG.heads, 0, CONFIG.head_width), np.float32)
        logits, *present = decoder.run(None, feeds | dict(zip(names, past or [empty] * len(names), strict=True)))
        return logits, present

    whole, _ = run_decoder(states, 0, None)
    _, past = run_decoder(states[:, :6], 0, None)
    rest, _ = run_decoder(states[:, 6:], 6, past)
    np.testing.assert_allclose(rest, whole[:, 6:], atol=1e-4)


def test_precisions_agree(exported):
    agreement = compare_precisions(CONFIG, exported, load_scenes("validation", 5, CONFIG.grid))
    assert agreement["fp32"].same == agreement["fp32"].same_pruned == 1
    assert agreement["fp16"].same > 0.9 and agreement["q8"].same > 0.5

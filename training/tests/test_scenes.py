"""Scenes match their data, and are drawn with the same bytes everywhere."""

import hashlib

import numpy as np
import pytest

from tiny_vlm.dataset import SPLITS, Objects, describe_patches, scene_at
from tiny_vlm.draw import draw
from tiny_vlm.scenes import IMAGE_SIZE, MAX_OBJECTS, MIN_OBJECTS

SCENES = [scene_at("validation", index) for index in range(60)]


def test_scenes_have_three_to_fifteen_objects_that_do_not_overlap():
    assert {len(scene.objects) for scene in SCENES} >= {MIN_OBJECTS, 10}
    for scene in SCENES:
        assert MIN_OBJECTS <= len(scene.objects) <= MAX_OBJECTS
        for i, one in enumerate(scene.objects):
            assert one.radius < one.x < IMAGE_SIZE - one.radius
            for other in scene.objects[:i]:
                assert np.hypot(one.x - other.x, one.y - other.y) > one.radius + other.radius


def test_splits_have_different_but_reproducible_scenes():
    first = {split: scene_at(split, 0) for split in SPLITS}
    assert len({scene.background.seed for scene in first.values()}) == len(SPLITS)
    assert first == {split: scene_at(split, 0) for split in SPLITS}


def test_pixels_are_the_same_bytes_everywhere():
    pixels = hashlib.sha256(b"".join(draw(scene, 16)[0].tobytes() for scene in SCENES[:10]))
    assert pixels.hexdigest() == "cdcda7ff7de1fd04cc817889f0a31b28e8489d467ac193989c0aead8c4fed8ff"


@pytest.mark.parametrize("grid", [24, 16])
def test_owners_are_the_objects_that_cover_the_patches(grid):
    scene, side = SCENES[0], IMAGE_SIZE / grid
    image, owner = draw(scene, grid)
    assert image.shape == (IMAGE_SIZE, IMAGE_SIZE, 3) and owner.shape == (grid, grid)
    assert set(owner.flatten().tolist()) == {-1, *range(len(scene.objects))}
    for index, thing in enumerate(scene.objects):
        rows, columns = np.nonzero(owner == index)
        assert abs((rows.mean() + 0.5) * side - thing.y) < 6 and abs((columns.mean() + 0.5) * side - thing.x) < 6


def test_patches_need_not_be_whole_pixels():
    owners = [draw(SCENES[0], grid)[1] for grid in (24, 16, 8)]
    shares = [(owner >= 0).mean() for owner in owners]
    drawn = np.unique(owners[0][owners[0] >= 0])
    assert len(drawn) == len(SCENES[0].objects) and max(shares) < 2 * min(shares)


@pytest.mark.parametrize("grid", [24, 16, 8])
def test_each_object_has_one_center_patch(grid):
    owners = np.stack([draw(scene, grid)[1] for scene in SCENES[:20]])
    patches = describe_patches(Objects.of(SCENES[:20]), owners)
    assert patches.owner.shape == (20, grid * grid)
    for row, scene in enumerate(SCENES[:20]):
        seen = set(patches.owner[row].tolist()) - {-1}
        assert int(patches.is_centre[row].sum()) == len(seen) <= len(scene.objects)
    if grid >= 16:
        assert all(len(set(row.tolist()) - {-1}) == len(s.objects) for row, s in zip(patches.owner, SCENES, strict=False))

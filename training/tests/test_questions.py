"""Answers are correct, by independent rules on the scene's data, and texts stay within the vocabulary."""

from collections import Counter

import numpy as np
import pytest

from tiny_vlm.dataset import scene_at
from tiny_vlm.questions import KINDS, NUMBERS, PLURALS, ask
from tiny_vlm.scenes import IMAGE_SIZE
from tiny_vlm.text import EOS, ID, UNKNOWN, VOCABULARY_SIZE, WORDS, encode, encode_question, pack

SCENES = [scene_at("validation", index) for index in range(150)]


def asked(kind):
    for index, scene in enumerate(SCENES):
        for turn in range(4):
            question = ask(np.random.default_rng([index, turn]), scene, kind)
            if question is not None:
                yield scene, question


def described(scene, words):
    """Objects that fit a phrase such as `small red circles`."""
    singular = {plural: shape for shape, plural in PLURALS.items()}
    wanted = [singular.get(w, w) for w in words.split() if w not in ("object", "objects")]
    return [o for o in scene.objects if all(w in (o.size, o.color, o.shape) for w in wanted)]


@pytest.mark.parametrize("kind", KINDS)
def test_words_are_known_and_mentions_refer_to_their_objects(kind):
    questions = list(asked(kind))
    assert len(questions) > 100
    for scene, question in questions:
        assert question.kind == kind
        encoded = encode_question(question)
        assert UNKNOWN not in encoded.prompt + encoded.answer and encoded.answer[-1] == EOS
        for mention, noun in zip(question.mentions, encoded.nouns, strict=True):
            meant = scene.objects if kind == "description" else tuple(described(scene, mention.text))
            assert tuple(scene.objects[i] for i in mention.objects) == meant
            assert WORDS[encoded.prompt[noun]] == mention.text.split()[-1]


def test_existence_is_balanced_and_correct():
    answers = Counter()
    for scene, question in asked("existence"):
        (mention,) = question.mentions
        assert (question.answer == "yes") == bool(described(scene, mention.text))
        answers[question.answer] += 1
    assert 0.4 < answers["yes"] / answers.total() < 0.6


@pytest.mark.parametrize("kind", ["color", "shape", "size"])
def test_attributes_are_those_of_the_object_referred_to(kind):
    for scene, question in asked(kind):
        (thing,) = described(scene, question.mentions[0].text)
        assert question.answer == getattr(thing, kind)


def test_counts():
    for scene, question in asked("count"):
        assert question.answer == NUMBERS[len(described(scene, question.mentions[0].text))]


def test_locations_and_relations():
    for scene, question in asked("location"):
        (thing,) = described(scene, question.mentions[0].text)
        across = question.answer in ("left", "right")
        before = (thing.x if across else thing.y) < IMAGE_SIZE / 2
        assert question.answer == {True: ("right", "left"), False: ("bottom", "top")}[across][before]
    for scene, question in asked("relation"):
        (one,), (other,) = (described(scene, m.text) for m in question.mentions)
        across = question.answer in ("left", "right")
        before = one.x < other.x if across else one.y < other.y
        assert question.answer == {True: ("right", "left"), False: ("below", "above")}[across][before]


def test_backgrounds_and_descriptions():
    for scene, question in asked("background"):
        assert question.answer == scene.background.color
    for scene, question in asked("description"):
        first, *middle, on, ground = question.answer.split()
        assert (on, ground) == ("on", scene.background.color)
        if first == "mostly":
            assert len(described(scene, " ".join(middle))) * 2 >= len(scene.objects)


def test_unknown_words_and_capitals():
    assert encode("RED, photo!") == [ID["red"], ID[","], ID["photo"], ID["!"]]
    assert encode("zebra") == [UNKNOWN]
    assert len(WORDS) <= VOCABULARY_SIZE


def test_packing_separates_questions_and_hides_no_attribute():
    questions = [question for _, question in list(asked("relation"))[:12]]
    packed = pack([questions], 160, 15, np.random.default_rng(0))
    segments = packed.segment[0]
    assert segments.max() >= 5 and (packed.ids[0][segments < 0] == 0).all()
    for number in range(int(segments.max()) + 1):
        mine = segments == number
        encoded = encode_question(questions[number])
        assert packed.place[0][mine].tolist() == list(range(int(mine.sum())))
        labels = packed.labels[0][mine]
        assert labels[labels >= 0].tolist() == encoded.answer
        kept = [i for i in range(len(encoded.prompt)) if packed.ids[0][mine][i] != UNKNOWN]
        assert set(encoded.nouns) <= set(kept)

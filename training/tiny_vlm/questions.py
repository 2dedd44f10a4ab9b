"""Questions about a scene, with their answers and what their words refer to. For token ids, see text.py."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from .config import Config
from .scenes import COLORS, IMAGE_SIZE, SHAPES, SIZES, Scene, Thing, pick

NUMBERS = ("zero", "one", "two", "three", "four")
PLURALS = {shape: "crosses" if shape == "cross" else f"{shape}s" for shape in SHAPES}

# Asked only if the answer is unambiguous: minimum distances from the middle, or from each other, in pixels.
CLEAR_OFFSET = 10
CLEAR_DISTANCE = 16
# A scene is "mostly" something if at least the first share of its objects is, and mixed if no share reaches the second.
MOSTLY, MIXED = 0.5, 0.34


@dataclass(frozen=True)
class Mention:
    """Words of a question that refer to objects. The last word is the noun; the image refers to all objects."""

    text: str
    objects: tuple[int, ...]


@dataclass(frozen=True)
class Question:
    kind: str
    parts: tuple[str | Mention, ...]
    answer: str

    @property
    def text(self) -> str:
        return "".join(part.text if isinstance(part, Mention) else part for part in self.parts)

    @property
    def mentions(self) -> list[Mention]:
        return [part for part in self.parts if isinstance(part, Mention)]


# What is counted, as (shape, color). Entries with only one of the two are listed three times, so they are drawn more often.
COUNTED = (
    *((shape, color) for shape in SHAPES for color in COLORS),
    *[(shape, None) for shape in SHAPES] * 3,
    *[(None, color) for color in COLORS] * 3,
)

Namings = tuple[tuple[str, ...], ...]
Wordings = tuple[tuple[str, str], ...]


def ask(rng: np.random.Generator, scene: Scene, kind: str) -> Question | None:
    """A question of a kind, or `None` if the scene allows none with an unambiguous answer."""
    return _ASK[kind](_Asker(rng, scene))


class _Asker:
    """A scene, with the random numbers for its questions."""

    def __init__(self, rng: np.random.Generator, scene: Scene):
        self.rng, self.scene, self.objects = rng, scene, scene.objects

    def pick(self, options):
        return pick(self.rng, options)

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def referring(self, *attributes: str) -> list[tuple[Thing, Mention]]:
        """Objects that the given attributes single out, with the words for them."""
        keys = [tuple(getattr(o, a) for a in attributes) for o in self.objects]
        counts = Counter(keys)
        return [
            (o, Mention(phrase(**dict(zip(attributes, key, strict=True))), (i,)))
            for i, (o, key) in enumerate(zip(self.objects, keys, strict=True))
            if counts[key] == 1
        ]

    def reference(self) -> list[tuple[Thing, Mention]]:
        """Objects that can be named, with the fewest words that name them."""
        named: dict[int, tuple[Thing, Mention]] = {}
        for attributes in (("shape",), ("color", "shape"), ("size", "color", "shape")):
            for thing, mention in self.referring(*attributes):
                named.setdefault(mention.objects[0], (thing, mention))
        return list(named.values())

    def bearing(self, attributes: tuple[str, ...]) -> tuple[Thing, ...]:
        """Objects that have all of the attributes; signs have no size."""
        return tuple(o for o in self.objects if all(getattr(o, name) for name in attributes))

    def pixels(self, length: float) -> float:
        """A length that is given for the smaller scenes."""
        return length * self.scene.side / IMAGE_SIZE

    def matching(self, **wanted: str) -> tuple[int, ...]:
        return tuple(i for i, o in enumerate(self.objects) if all(getattr(o, k) == v for k, v in wanted.items()))


def phrase(shape: str | None = None, color: str | None = None, size: str | None = None, plural: bool = False) -> str:
    """`small red circles`; `objects` without a shape."""
    noun = (PLURALS[shape] if plural else shape) if shape else ("objects" if plural else "object")
    return " ".join(word for word in (size, color, noun) if word)


def with_article(words: str) -> str:
    return ("an " if words[0] in "aeiou" else "a ") + words


def _existence(a: _Asker) -> Question | None:
    attributes = a.pick((("color", "shape"),) * 5 + (("size", "color", "shape"), ("shape",), ("color",)))
    is_there = a.chance(0.5)
    wanted = _present(a, attributes) if is_there else _absent(a, attributes)
    if wanted is None:
        return None
    words = phrase(**wanted)
    before, after = a.pick(
        (
            ("Is there ", "?"),
            ("Is there ", " in the image?"),
            ("Is there ", " in this picture?"),
            ("Do you see ", "?"),
            ("Can you find ", " here?"),
            ("Does the image contain ", "?"),
            ("Does the picture show ", "?"),
        )
    )
    article, mention = with_article(words).removesuffix(words), Mention(words, a.matching(**wanted))
    return Question("existence", (before + article, mention, after), "yes" if is_there else "no")


def _present(a: _Asker, attributes: tuple[str, ...]) -> dict[str, str]:
    thing = a.pick(a.bearing(attributes))
    return {name: getattr(thing, name) for name in attributes}


def _absent(a: _Asker, attributes: tuple[str, ...]) -> dict[str, str] | None:
    """Something that is absent, mostly a combination of attributes that other objects have."""
    everything = {"shape": SHAPES, "color": tuple(COLORS), "size": SIZES}
    bearing = a.bearing(attributes)
    for _ in range(30):
        wanted = {name: getattr(a.pick(bearing), name) if a.chance(0.75) else a.pick(everything[name]) for name in attributes}
        if not a.matching(**wanted):
            return wanted
    return None


def _attribute(a: _Asker, kind: str, namings: Namings, wordings: Wordings) -> Question | None:
    """Asks for an attribute of an object, identified by other attributes: the first naming that identifies any object."""
    bearing = ([(thing, mention) for thing, mention in a.referring(*naming) if getattr(thing, kind)] for naming in namings)
    candidates = next((found for found in bearing if found), None)
    if not candidates:
        return None
    thing, mention = a.pick(candidates)
    before, after = a.pick(wordings)
    return Question(kind, (before, mention, after), getattr(thing, kind))


def _color(a: _Asker) -> Question | None:
    wordings = (("What color is the ", "?"), ("What is the color of the ", "?"), ("Which color does the ", " have?"))
    return _attribute(a, "color", (("shape",), ("size", "shape")), wordings)


def _shape(a: _Asker) -> Question | None:
    wordings = (("What shape is the ", "?"), ("What is the shape of the ", "?"), ("Which shape does the ", " have?"))
    return _attribute(a, "shape", (("color",), ("size", "color")), wordings)


def _size(a: _Asker) -> Question | None:
    wordings = (("What size is the ", "?"), ("Is the ", " small or large?"), ("Is the ", " large or small?"))
    return _attribute(a, "size", (("color", "shape"),), wordings)


def _background(a: _Asker) -> Question:
    text = a.pick(
        (
            "What color is the background?",
            "What is the color of the background?",
            "Which background color does the image have?",
        )
    )
    return Question("background", (text,), a.scene.background.color)


def _count(a: _Asker) -> Question | None:
    counts = Counter((o.shape, o.color) for o in a.objects)
    counts.update((o.shape, None) for o in a.objects)
    counts.update((None, o.color) for o in a.objects)
    wanted_count = int(a.rng.choice(len(NUMBERS), p=(0.14, 0.24, 0.24, 0.21, 0.17)))
    fitting = [query for query in COUNTED if counts[query] == wanted_count]
    if not fitting:
        return None
    shape, color = a.pick(fitting)
    query = {"shape": shape} if color is None else {"color": color} if shape is None else {"shape": shape, "color": color}
    before, after = a.pick(
        (
            ("How many ", " are there?"),
            ("How many ", " are in the image?"),
            ("How many ", " do you see?"),
            ("Count the ", "."),
        )
    )
    return Question("count", (before, Mention(phrase(**query, plural=True), a.matching(**query)), after), NUMBERS[wanted_count])


def _location(a: _Asker) -> Question | None:
    axis = a.pick(("x", "y"))
    middle = a.scene.side / 2
    candidates = [r for r in a.reference() if abs(getattr(r[0], axis) - middle) >= a.pixels(CLEAR_OFFSET)]
    if not candidates:
        return None
    thing, mention = a.pick(candidates)
    first, second = ("left", "right") if axis == "x" else ("top", "bottom")
    after = a.pick(
        (
            f" on the {first} or on the {second}?" if axis == "x" else f" at the {first} or at the {second}?",
            f" in the {first} or in the {second} half of the image?",
        )
    )
    return Question("location", ("Is the ", mention, after), first if getattr(thing, axis) < middle else second)


def _relation(a: _Asker) -> Question | None:
    axis = a.pick(("x", "y"))
    references = a.reference()
    for _ in range(20 if references else 0):
        (one, mention), (other, anchor) = a.pick(references), a.pick(references)
        distance = getattr(one, axis) - getattr(other, axis)
        if abs(distance) < a.pixels(CLEAR_DISTANCE):
            continue
        first, second = ("left", "right") if axis == "x" else ("above", "below")
        between = " left or right of the " if axis == "x" else " above or below the "
        parts = ("Is the ", mention, between, anchor, "?")
        return Question("relation", parts, first if distance < 0 else second)
    return None


def _description(a: _Asker) -> Question | None:
    described = a.bearing(("size",))
    count = len(described)
    (color, colored), (shape, shaped) = (
        Counter(getattr(o, name) for o in described).most_common(1)[0] for name in ("color", "shape")
    )
    if count < 4:
        return None
    ground = a.scene.background.color
    if colored / count >= MOSTLY and shaped / count <= MIXED:
        answer = f"mostly {color} objects on {ground}"
    elif shaped / count >= MOSTLY and colored / count <= MIXED:
        answer = f"mostly {PLURALS[shape]} on {ground}"
    elif max(colored, shaped) / count <= MIXED:
        answer = f"mixed objects on {ground}"
    else:
        return None
    before, noun, after = a.pick(
        (
            ("Describe the ", "image", "."),
            ("Describe this ", "picture", "."),
            ("What does the ", "image", " show?"),
            ("What do you see ", "here", "?"),
        )
    )
    return Question(
        "description", (before, Mention(noun, tuple(i for i, o in enumerate(a.objects) if o in described)), after), answer
    )


def _detail(a: _Asker) -> Question | None:
    candidates = [(thing, mention) for thing, mention in a.reference() if thing.mark]
    if not candidates:
        return None
    thing, mention = a.pick(candidates)
    wordings = [("What mark is on the ", "?"), ("Which mark does the ", " have?")]
    if thing.mark != "none":
        wordings.append(("Is the mark on the ", " a dot or a bar?"))
    before, after = a.pick(wordings)
    return Question("detail", (before, mention, after), thing.mark)


def _reading(a: _Asker) -> Question | None:
    candidates = [(thing, mention) for thing, mention in a.reference() if thing.text]
    if not candidates:
        return None
    thing, mention = a.pick(candidates)
    before, after = a.pick((("What is written on the ", "?"), ("What does the ", " say?"), ("Read the ", ".")))
    return Question("reading", (before, mention, after), " ".join(thing.text))


_ASK = {
    "existence": _existence,
    "color": _color,
    "shape": _shape,
    "size": _size,
    "background": _background,
    "count": _count,
    "location": _location,
    "relation": _relation,
    "description": _description,
    "detail": _detail,
    "reading": _reading,
}
# The kinds for all scenes, and for scenes with marks and signs.
SIGN_KINDS = tuple(_ASK)
KINDS = SIGN_KINDS[:9]


def kinds_of(config: Config) -> tuple[str, ...]:
    """The kinds of questions for a model."""
    return SIGN_KINDS if config.tiles else KINDS

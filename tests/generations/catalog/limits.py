"""The catalogue's table, row by row: for each model the last value that is accepted and the first that is refused.

The figures stand here once more, so that a slip in a family's file does not pass.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.generations.catalog.more_cases import CLIP, IMAGE, INVALID, MISSING, UNKNOWN

Body = dict[str, Any]
Refused = tuple[Body, str, str]
SHAPES, QUALITIES = ("16:9", "9:16", "1:1"), ("720p", "1080p")
WITH_4K = (*QUALITIES, "4k", "4K", "720P")
ANY = ("not used", 7, None)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """`needs`: what a request has beside its prompt. What is None is no field of the model and ignored at the root."""

    needs: Body
    prompt: int = 2500
    prompt_required: bool = False
    negative: bool = False
    seconds: tuple[int, ...] | None = None
    quality: tuple[str, ...] | None = QUALITIES
    shape: bool = False
    sound: bool = False
    frames: tuple[str, ...] = ()
    images: tuple[int, int] | None = None
    films: str | None = None
    keep_sound: str | None = None
    elements: int | None = None
    shots: tuple[str, ...] = ()


FRAME = {"image_start": IMAGE}
MOTION = {"image_urls": [IMAGE], "video_urls": [CLIP], "model_params": {"character_orientation": "video"}}
FILM = {"video_urls": [CLIP]}
FROM_1, FROM_3 = tuple(range(1, 16)), tuple(range(3, 16))
LIMITS: dict[str, Limits] = {
    "kling-v3-text-to-video": Limits(
        needs={},
        prompt_required=True,
        negative=True,
        seconds=FROM_1,
        quality=WITH_4K,
        shape=True,
        sound=True,
        shots=("customize", "intelligence"),
    ),
    "kling-v3-image-to-video": Limits(
        needs=FRAME,
        negative=True,
        seconds=FROM_1,
        quality=WITH_4K,
        sound=True,
        frames=("image_start", "image_end"),
        elements=3,
        shots=("customize", "intelligence"),
    ),
    "kling-v3-turbo-text-to-video": Limits(needs={}, prompt_required=True, negative=True, seconds=FROM_1, shape=True),
    "kling-v3-turbo-image-to-video": Limits(
        needs=FRAME, negative=True, seconds=FROM_1, frames=("image_start", "image_end")
    ),
    "kling-v3-motion-control": Limits(
        needs=MOTION, images=(1, 1), films="video_urls", keep_sound="model_params.keep_sound", elements=1
    ),
    "kling-v2.6-motion-control": Limits(
        needs=MOTION, images=(1, 1), films="video_urls", keep_sound="model_params.keep_sound"
    ),
    "kling-o3-text-to-video": Limits(
        needs={},
        prompt_required=True,
        seconds=FROM_3,
        quality=WITH_4K,
        shape=True,
        sound=True,
        elements=7,
        shots=("customize",),
    ),
    "kling-o3-image-to-video": Limits(
        needs=FRAME,
        prompt_required=True,
        seconds=FROM_3,
        quality=WITH_4K,
        shape=True,
        sound=True,
        frames=("image_start", "image_end"),
        images=(0, 6),  # beside image_start
        elements=3,
        shots=("customize",),
    ),
    "kling-o3-reference-to-video": Limits(
        needs={},
        prompt_required=True,
        seconds=tuple(range(3, 11)),
        shape=True,
        images=(0, 7),
        films="video_url",
        keep_sound="keep_original_sound",
        elements=7,
        shots=("customize",),
    ),
    "kling-o3-video-edit": Limits(
        needs={"video_url": CLIP}, images=(0, 4), films="video_url", keep_sound="keep_original_sound", elements=4
    ),
    "kling-o1-image-to-video": Limits(
        needs={"image_urls": [IMAGE]},
        prompt=5000,
        prompt_required=True,
        seconds=(5, 10),
        quality=None,
        shape=True,
        images=(1, 2),
    ),
    "kling-o1-video-edit": Limits(
        needs=FILM,
        prompt=5000,
        prompt_required=True,
        quality=None,
        images=(0, 4),
        films="video_urls",
        keep_sound="keep_original_sound",
    ),
    "kling-o1-video-edit-fast": Limits(
        needs=FILM,
        prompt=5000,
        prompt_required=True,
        quality=None,
        images=(0, 4),
        films="video_urls",
        keep_sound="keep_original_sound",
    ),
}


def body(model: str, **changes: Any) -> Body:
    """A valid request with these changes; `model_params__x` is a field of model_params, ... leaves a field out."""
    whole: Body = {"model": model, "prompt": "A heron"} | LIMITS[model].needs
    params: Body = dict(whole.get("model_params", {}))
    params |= {name[14:]: value for name, value in changes.items() if name.startswith("model_params__")}
    whole |= {name: value for name, value in changes.items() if not name.startswith("model_params__")}
    if params:
        whole |= {"model_params": params}
    return {name: value for name, value in whole.items() if value is not ...}


def listed(number: int) -> list[Body]:
    return [{"element_id": str(position)} for position in range(1, number + 1)]


def shots(*seconds: Any) -> Body:
    """A storyboard with shots of these lengths."""
    entries = [{"index": place, "prompt": "One", "duration": length} for place, length in enumerate(seconds, start=1)]
    return {
        "model_params__multi_shot": True,
        "model_params__shot_type": "customize",
        "model_params__multi_prompt": entries,
    }


def accepted(model: str, limits: Limits) -> Iterator[tuple[str, Body]]:
    yield "the longest prompt", body(model, prompt="é" * limits.prompt)
    if not limits.prompt_required:
        yield "no prompt", body(model, prompt=...)
        yield "an empty prompt", body(model, prompt="")
    yield from ((f"{seconds} seconds", body(model, duration=seconds)) for seconds in limits.seconds or ANY)
    yield from ((f"quality {quality}", body(model, quality=quality)) for quality in limits.quality or ANY)
    yield from ((f"shape {shape}", body(model, aspect_ratio=shape)) for shape in (SHAPES if limits.shape else ANY))
    yield from ((f"sound {on}", body(model, sound=on)) for on in (("on", "off", True, False) if limits.sound else ANY))
    yield "the longest negative prompt", body(model, negative_prompt="n" * 2500 if limits.negative else 7)
    yield "no model_params beyond those needed", body(model, model_params=LIMITS[model].needs.get("model_params", {}))
    if limits.images:
        yield "the most images", body(model, image_urls=[IMAGE] * limits.images[1])
    else:
        yield "image_urls that it does not use", body(model, image_urls=7)
    if limits.elements:
        yield "the most elements", body(model, model_params__element_list=listed(limits.elements))
        yield "the most elements at the root", body(model, element_list=listed(limits.elements))
    else:
        yield "elements at the root that it does not use", body(model, element_list=7)
    if limits.keep_sound:
        yield "no sound of the input", body(model, **{limits.keep_sound.replace(".", "__"): False})
    if limits.shots:
        yield "six own shots", body(model, prompt=..., duration=6, **shots(1, "1", 1, "1", 1.0, 1))
        yield (
            "the longest own shot",
            body(model, duration=max(limits.seconds or ()), **shots(max(limits.seconds or ()))),
        )


def refused(model: str, limits: Limits) -> Iterator[tuple[str, Refused]]:
    yield "a prompt too long", (body(model, prompt="x" * (limits.prompt + 1)), INVALID, "prompt")
    if limits.prompt_required:
        yield "no prompt", (body(model, prompt=...), MISSING, "prompt")
        yield "a blank prompt", (body(model, prompt="\u2003\n"), INVALID, "prompt")
    if limits.seconds:
        whole = [seconds for seconds in range(-1, 17) if seconds not in limits.seconds]
        for seconds in (*whole, "5", True, None, 5.5, 1e308):
            yield f"{seconds!r} seconds", (body(model, duration=seconds), INVALID, "duration")
    others = ("480p", "4k", 720, "720p\n") if limits.quality else ()
    for quality in (quality for quality in others if quality not in (limits.quality or ())):
        yield f"quality {quality!r}", (body(model, quality=quality), INVALID, "quality")
    for shape in ("4:3", "16:9 ", 1) if limits.shape else ():
        yield f"shape {shape!r}", (body(model, aspect_ratio=shape), INVALID, "aspect_ratio")
    for on in ("ON", 1, None) if limits.sound else ():
        yield f"sound {on!r}", (body(model, sound=on), INVALID, "sound")
    if limits.negative:
        yield "a negative prompt too long", (body(model, negative_prompt="n" * 2501), INVALID, "negative_prompt")
    yield "an unknown parameter", (body(model, model_params__seed=1), UNKNOWN, "model_params.seed")
    yield from _refused_media(model, limits)
    yield from _refused_elements(model, limits)
    if limits.keep_sound:
        yield (
            "the input's sound as a word",
            (
                body(model, **{limits.keep_sound.replace(".", "__"): "yes"}),
                INVALID,
                limits.keep_sound,
            ),
        )
    if "intelligence" not in limits.shots and limits.shots:
        planned = body(model, model_params__multi_shot=True, model_params__shot_type="intelligence")
        yield "planned shots", (planned, INVALID, "model_params.shot_type")
    if not limits.shots:
        yield "own shots", (body(model, **shots(5)), UNKNOWN, "model_params.multi_shot")


def _refused_media(model: str, limits: Limits) -> Iterator[tuple[str, Refused]]:
    for name in [*limits.frames, *([limits.films] if limits.films == "video_url" else [])]:
        for url in ("ftp://example.com/a", "https:///a", "https://example.com/a\n", "https://a b", [IMAGE], None):
            yield f"{name} {url!r}", (body(model, **{name: url}), INVALID, name)
    if "image_start" in limits.needs and limits.images is None:
        yield "no image_start", (body(model, image_start=...), MISSING, "image_start")
    if limits.images:
        least, most = limits.images
        yield "an image too many", (body(model, image_urls=[IMAGE] * (most + 1)), INVALID, "image_urls")
        yield "an image address of another kind", (body(model, image_urls=["a.png"]), INVALID, "image_urls[0]")
        if least:
            yield "no images", (body(model, image_urls=[]), INVALID, "image_urls")
            yield "image_urls left out", (body(model, image_urls=...), MISSING, "image_urls")
    if limits.films == "video_urls":
        yield "two videos", (body(model, video_urls=[CLIP] * 2), INVALID, "video_urls")
        yield "no videos", (body(model, video_urls=[]), INVALID, "video_urls")
    if limits.films and limits.films in limits.needs:
        yield f"{limits.films} left out", (body(model, **{limits.films: ...}), MISSING, limits.films)


def _refused_elements(model: str, limits: Limits) -> Iterator[tuple[str, Refused]]:
    if not limits.elements:
        yield (
            "elements",
            (
                body(model, model_params__element_list=listed(1)),
                UNKNOWN,
                "model_params.element_list",
            ),
        )
        yield "a prompt that names an element", (body(model, prompt="A <<<element_1>>>"), INVALID, "prompt")
        return
    for path in ("element_list", "model_params.element_list"):
        many = body(model, **{path.replace(".", "__"): listed(limits.elements + 1)})
        yield f"too many in {path}", (many, INVALID, path)
    for number in (0, limits.elements + 1, "01", 10):
        named = body(model, prompt=f"<<<element_{number}>>>", element_list=listed(limits.elements))
        yield f"a prompt that names element {number}", (named, INVALID, "prompt")
    fewer = body(
        model,
        prompt=f"<<<<element_{limits.elements}>>>>",
        model_params__element_list=listed(limits.elements - 1),
    )
    yield "a prompt that names one element too many", (fewer, INVALID, "prompt")


GOOD = {f"{model}: {name}": case for model, limits in LIMITS.items() for name, case in accepted(model, limits)}
BAD = {f"{model}: {name}": case for model, limits in LIMITS.items() for name, case in refused(model, limits)}

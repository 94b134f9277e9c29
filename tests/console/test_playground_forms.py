"""The form of every model is built from the catalogue, and can say every request."""

from collections.abc import Iterator

import pytest

from evolink_saas.playground import bodies, fields
from generations import catalog
from generations.catalog.base import Example, Spec
from generations.catalog.fields import Object

EXAMPLES = [pytest.param(spec, one, id=f"{spec.id}-{one.name}") for spec in catalog.SPECS for one in spec.examples]


@pytest.mark.parametrize(("spec", "example"), EXAMPLES)
def test_the_form_says_every_example_of_the_catalogue(spec: Spec, example: Example) -> None:
    sent = bodies.posted(spec, bodies.of(spec, example.body))
    assert bodies.read(spec, sent) == example.body


@pytest.mark.parametrize("spec", catalog.SPECS, ids=lambda spec: spec.id)
def test_an_untouched_form_says_nothing_but_what_it_must(spec: Spec) -> None:
    body = bodies.read(spec, bodies.posted(spec, bodies.Values()))
    required = {name for name, one in fields.by_name(spec).items() if one.field.required and one.kind == "choice"}
    said = {f"model_params.{name}" for name in body.get("model_params", {})} | set(body) - {"model", "model_params"}
    assert said == required


@pytest.mark.parametrize("spec", catalog.SPECS, ids=lambda spec: spec.id)
def test_every_file_of_a_form_knows_what_it_must_be(spec: Spec) -> None:
    assert [one.name for one in fields.of(spec) if one.kind == "media" and one.rule is None] == []


@pytest.mark.parametrize("spec", catalog.SPECS, ids=lambda spec: spec.id)
def test_no_field_of_a_model_is_missing_in_its_form(spec: Spec) -> None:
    """But for second spellings of the same thing."""

    def paths(inside: Object, prefix: str) -> Iterator[str]:
        for name, one in inside.fields.items():
            yield from paths(one, f"{prefix}{name}.") if isinstance(one, Object) else [prefix + name]

    catalogued = {*paths(spec.root, ""), *paths(spec.model_params, "model_params.")}
    second = {"element_list", "model_params.element_video_list.refer_videos"}
    assert catalogued - set(fields.by_name(spec)) <= second


@pytest.mark.parametrize(
    ("model", "name", "can"),
    [
        ("kling-v3-text-to-video", "prompt", False),
        ("kling-v3-image-to-video", "prompt", True),
        ("kling-v3-image-to-video", "image_start", False),
        ("kling-v3-image-to-video", "image_end", True),
        ("kling-o3-image-to-video", "image_end", True),
        ("kling-o1-video-edit", "prompt", False),
        ("kling-custom-element", "model_params.element_name", False),
        ("kling-custom-element", "model_params.element_image_list.frontal_image", False),
        ("kling-custom-element", "model_params.element_image_list.refer_images", True),
        ("kling-custom-element", "model_params.element_video_list.video_url", False),
    ],
)
def test_what_can_be_left_out_is_called_optional(model: str, name: str, can: bool) -> None:
    spec = catalog.choose(model)
    assert fields.can_be_left_out(spec, fields.by_name(spec)[name]) == can

"""What the catalogue says of each model beside its fields."""

from generations import catalog


def test_the_catalogue_sells_these_models() -> None:
    assert [(spec.id, spec.type, spec.estimated_seconds) for spec in catalog.SPECS] == [
        ("kling-v3-text-to-video", "video", 300),
        ("kling-v3-image-to-video", "video", 300),
        ("kling-v3-turbo-text-to-video", "video", 300),
        ("kling-v3-turbo-image-to-video", "video", 300),
        ("kling-v3-motion-control", "video", 300),
        ("kling-v2.6-motion-control", "video", 300),
        ("kling-o3-text-to-video", "video", 300),
        ("kling-o3-image-to-video", "video", 300),
        ("kling-o3-reference-to-video", "video", 300),
        ("kling-o3-video-edit", "video", 300),
        ("kling-o1-image-to-video", "video", 300),
        ("kling-o1-video-edit", "video", 300),
        ("kling-o1-video-edit-fast", "video", 300),
        ("kling-custom-element", "element", 600),
    ]


def test_a_task_has_sixty_minutes_after_acceptance_and_thirty_without() -> None:
    assert {(spec.deadline_minutes, spec.unaccepted_deadline_minutes) for spec in catalog.SPECS} == {(60, 30)}


def test_a_model_is_found_by_its_id_alone() -> None:
    assert all(catalog.find(spec.id) is spec for spec in catalog.SPECS)
    assert catalog.find("kling-v3") is None


def test_every_model_has_several_examples_with_names_of_their_own() -> None:
    for spec in catalog.SPECS:
        names = [example.name for example in spec.examples]
        assert len(names) >= 3
        assert len(set(names)) == len(names)
        assert all(example.body["model"] == spec.id for example in spec.examples)

"""The page of elements: cards with pictures that only members see, deleted by those who may."""

import html
import re

import pytest

from accounts.models import Role
from generations.models import Element
from tests.cast import Person
from tests.console.visitors import Visitor, joined
from tests.generations.gateway import Steps, ask_element, upload
from tests.generations.uploading import FACE, NO_FACE

pytestmark = pytest.mark.django_db(transaction=True)

PICTURE = re.compile(r'src="([^"]+/pictures/file_\w+)"')


@pytest.fixture
def mia(alice: Person, gateway: Steps) -> Element:
    urls = [upload(alice.organization, path) for path in (FACE, NO_FACE)]
    task = ask_element(alice, frontal=urls[0], others=urls[1:], element_name="<b>Mia</b>")
    return gateway.until(task, "completed").element


def page(who: Visitor, **query: str) -> str:
    answer = who.get("elements", **query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_without_elements_the_page_says_how_to_make_one(owner: Visitor) -> None:
    assert "No element yet" in page(owner)
    assert "kling-custom-element" in page(owner)


def test_a_card_has_its_pictures_and_its_id(owner: Visitor, mia: Element) -> None:
    shown = page(owner)
    assert f">{mia.pk}</code>" in shown
    assert "from images" in shown
    pictures = PICTURE.findall(shown)
    assert len(pictures) == 2
    for path in pictures:
        answer = owner.client.get(path)
        assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
        assert answer["X-Content-Type-Options"] == "nosniff"


def test_its_name_is_never_markup(owner: Visitor, mia: Element) -> None:
    shown = page(owner)
    assert "<b>Mia</b>" not in shown
    assert html.escape("<b>Mia</b>") in shown


def test_strangers_see_no_picture(owner: Visitor, stranger: Visitor, charlie: Person, mia: Element) -> None:
    (path, *_) = PICTURE.findall(page(owner))
    assert stranger.get("elements").status_code == 404
    assert stranger.client.get(path).status_code == 404
    own = path.replace(owner.organization.public_id, charlie.organization.public_id)
    assert stranger.client.get(own).status_code == 404
    owner.client.logout()
    assert owner.client.get(path).status_code == 302


def test_a_developer_deletes_an_element(developer: Visitor, mia: Element) -> None:
    answer = developer.post(f"elements/{mia.pk}/delete")
    assert "The element was deleted." in answer.content.decode()
    mia.refresh_from_db()
    assert mia.deleted_at is not None
    assert "No element yet" in page(developer)
    assert developer.post(f"elements/{mia.pk}/delete").status_code == 404


def test_a_viewer_looks_and_deletes_nothing(alice: Person, mia: Element) -> None:
    viewer = joined(alice, Role.VIEWER)
    assert "Delete" not in page(viewer)
    assert viewer.post(f"elements/{mia.pk}/delete").status_code == 403
    mia.refresh_from_db()
    assert mia.deleted_at is None


def test_another_organizations_element_is_unknown(stranger: Visitor, charlie: Person, mia: Element) -> None:
    assert stranger.post(f"elements/{mia.pk}/delete").status_code == 404
    address = f"/console/{charlie.organization.public_id}/elements/{mia.pk}/delete"
    assert stranger.client.post(address).status_code == 404
    assert stranger.client.post(address.replace(str(mia.pk), "nonsense")).status_code == 404
    mia.refresh_from_db()
    assert mia.deleted_at is None


def test_a_deleted_element_is_told_of_on_its_tasks_page(owner: Visitor, mia: Element) -> None:
    owner.post(f"elements/{mia.pk}/delete")
    shown = owner.get(f"tasks/{mia.task.public_id}").content.decode()
    assert "It was deleted on" in shown
    assert "<img" not in shown

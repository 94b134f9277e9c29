"""Drafts and versions: a draft changes nothing, becomes one version, and versions follow each other."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import Error, transaction
from django.utils import timezone

from accounts.models import Organization
from billing import drafts, price_book, pricing
from billing.errors import PriceConflict
from billing.models import DraftCell, PriceCell, PriceDraft, PriceVersion
from tests.billing.conftest import TICK
from tests.billing.racing import at_once

T2V, I2V, TURBO = "kling-v3-text-to-video", "kling-v3-image-to-video", "kling-v3-turbo-text-to-video"
BOOK = price_book.FILE.read_text()
FAR, DAY = datetime(2099, 1, 1, tzinfo=UTC), timedelta(days=1)


@pytest.fixture(autouse=True)
def version(db: None) -> PriceVersion:
    return price_book.load(BOOK)[0]


def dearer(percent: int = 10, model: str = T2V) -> PriceDraft:
    draft = drafts.start(f"{percent} % more")
    drafts.change_by_percent(draft, model, percent)
    return draft


def rates(draft: PriceDraft, model: str) -> set[Decimal]:
    return set(draft.cells.filter(model=model).values_list("rate", flat=True))


def cost(organization: Organization, at: datetime | None = None) -> Decimal:
    return pricing.quote(T2V, "720p_off", 10, organization, at=at).credits


def test_a_draft_begins_with_the_prices_there_are_and_changes_none(acme: Organization, version: PriceVersion) -> None:
    draft = dearer()

    assert draft.base == version
    assert draft.cells.count() == version.cells.count() == 42
    assert (rates(draft, T2V), rates(draft, I2V)) == ({Decimal("5.94")}, {Decimal("5.4")})
    assert (cost(acme), cost(acme, FAR)) == (54, 54)
    assert PriceVersion.objects.count() == 1


def test_percent_is_of_what_it_began_with_so_that_twice_is_once() -> None:
    draft = drafts.start("More")

    assert [drafts.change_by_percent(draft, T2V, percent) for percent in (12, 12, -50, 12)] == [6, 6, 6, 6]
    assert rates(draft, T2V) == {Decimal("6.048")}
    assert drafts.change_by_percent(draft, "", 1) == 42
    assert rates(draft, "kling-v3-motion-control") == {Decimal("8.2464")}  # 8.1648 x 1.01 = 8.246448


@pytest.mark.parametrize(
    ("rate", "percent", "raised"), [("0.0005", 10, "0.0006"), ("5.4", -100, "0"), ("5.4", 0, "5.4")]
)
def test_a_raised_rate_has_4_decimals_rounded_half_up(rate: str, percent: int, raised: str) -> None:
    assert drafts.raised(Decimal(rate), percent) == Decimal(raised)


def test_single_cells_are_changed_by_what_decides_their_price() -> None:
    draft = drafts.start("4K for less")
    cell = draft.cells.get(model=T2V, cell="4k_off")

    drafts.change(draft, {cell.pk: {"factor": Decimal(4), "minimum_seconds": Decimal(5)}})

    cell.refresh_from_db()
    assert (cell.rate, cell.factor, cell.minimum_seconds) == (Decimal("5.4"), 4, 5)
    with pytest.raises(ValueError, match="unit"):
        drafts.change(draft, {cell.pk: {"unit": "call"}})  # type: ignore[dict-item]  # what is refused
    other = drafts.start("Another").cells.get(model=T2V, cell="4k_off")
    drafts.change(draft, {other.pk: {"factor": Decimal(9)}})
    other.refresh_from_db()
    assert other.factor == 5


def test_a_scheduled_draft_is_a_version_from_its_microsecond_on(acme: Organization) -> None:
    draft = dearer()

    made = drafts.schedule(draft, FAR)

    assert (made.effective_at, made.note, draft.version) == (FAR, "10 % more", made)
    assert price_book.entries_of(made.cells.all()) == price_book.entries_of(draft.cells.all())
    assert [cost(acme, at) for at in (None, FAR - TICK, FAR)] == [54, 54, Decimal("59.4")]
    with time_machine.travel(FAR, tick=False):
        assert cost(acme) == Decimal("59.4")


def test_without_a_moment_it_is_in_effect_at_once(acme: Organization) -> None:
    drafts.schedule(dearer(), None)
    assert cost(acme) == Decimal("59.4")


def test_what_is_no_longer_open_cannot_be_changed_or_scheduled() -> None:
    scheduled, discarded = dearer(), dearer(20)
    drafts.discard(discarded)
    drafts.schedule(scheduled, FAR)

    for draft in (scheduled, discarded):
        before = list(draft.cells.order_by("pk").values())
        for act in (
            lambda draft=draft: drafts.change(draft, {draft.cells.all()[0].pk: {"rate": Decimal(1)}}),
            lambda draft=draft: drafts.change_by_percent(draft, "", 1),
            lambda draft=draft: drafts.schedule(draft, FAR + DAY),
            lambda draft=draft: drafts.discard(draft),
        ):
            with pytest.raises(PriceConflict, match="no longer open"):
                act()
        assert list(draft.cells.order_by("pk").values()) == before
    assert PriceVersion.objects.count() == 2


def test_a_change_that_others_came_before_is_refused(acme: Organization) -> None:
    mine, theirs = dearer(), dearer(20)
    drafts.schedule(theirs, FAR)

    with pytest.raises(PriceConflict, match="came first"):
        drafts.schedule(mine, FAR + DAY)

    assert PriceDraft.objects.get(pk=mine.pk).is_open
    assert [cost(acme, at) for at in (FAR, FAR + DAY)] == [Decimal("64.8"), Decimal("64.8")]


def test_a_draft_that_began_after_a_scheduled_change_has_it_in_it(acme: Organization) -> None:
    drafts.schedule(dearer(), FAR)
    back = drafts.start("Back again")
    assert rates(back, T2V) == {Decimal("5.94")}
    drafts.change_by_percent(back, TURBO, 10)

    with pytest.raises(PriceConflict, match="must begin later"):
        drafts.schedule(back, FAR)
    drafts.schedule(back, FAR + TICK)
    assert [cost(acme, at) for at in (FAR - TICK, FAR, FAR + TICK)] == [54, Decimal("59.4"), Decimal("59.4")]


def test_a_draft_without_a_change_and_one_for_the_past_are_refused() -> None:
    with pytest.raises(PriceConflict, match="changes no price"):
        drafts.schedule(drafts.start("Nothing"), FAR)
    with pytest.raises(PriceConflict, match="lies in the past"):
        drafts.schedule(dearer(), timezone.now() - TICK)
    assert PriceVersion.objects.count() == 1


def test_a_version_that_has_not_begun_can_be_withdrawn_and_its_moment_is_free(acme: Organization) -> None:
    first = drafts.schedule(dearer(), FAR)
    second = drafts.schedule(dearer(20), FAR + DAY)

    with pytest.raises(PriceConflict, match="Only the youngest"):
        price_book.withdraw(first, "no")
    price_book.withdraw(second, "too much")
    assert (second.withdrawn_reason, cost(acme, FAR + DAY)) == ("too much", Decimal("59.4"))
    with pytest.raises(PriceConflict):
        price_book.withdraw(second, "again")
    price_book.withdraw(first, "no")
    assert cost(acme, FAR) == 54
    drafts.schedule(dearer(30), FAR)
    assert cost(acme, FAR) == Decimal("70.2")


def test_a_version_in_effect_cannot_be_withdrawn(acme: Organization, version: PriceVersion) -> None:
    with pytest.raises(PriceConflict, match="in effect"):
        price_book.withdraw(version, "no")
    assert cost(acme) == 54


def test_triggers_refuse_to_change_versions_and_cells(version: PriceVersion) -> None:
    coming = drafts.schedule(dearer(), FAR)
    acts = [
        lambda: PriceVersion.objects.update(effective_at=FAR + DAY),
        lambda: PriceVersion.objects.filter(pk=coming.pk).update(withdrawn_at=FAR, note="other"),
        lambda: PriceVersion.objects.filter(pk=version.pk).update(withdrawn_at=FAR),
        lambda: PriceCell.objects.filter(version=coming).update(rate=1),
        lambda: PriceCell.objects.all().delete(),
    ]
    before = list(PriceVersion.objects.order_by("pk").values()), list(PriceCell.objects.order_by("pk").values())
    for act in acts:
        with pytest.raises(Error, match=r"never changed|Cannot update or delete"), transaction.atomic():
            act()
    assert before == (
        list(PriceVersion.objects.order_by("pk").values()),
        list(PriceCell.objects.order_by("pk").values()),
    )


def test_a_release_does_not_undo_what_operators_changed(acme: Organization) -> None:
    changed = drafts.schedule(dearer(), None)

    assert price_book.load(BOOK) == (changed, False)
    assert price_book.load(BOOK.replace("rate = 5.4", "rate = 7")) == (changed, False)
    assert cost(acme) == Decimal("59.4")
    replaced, is_new = price_book.load(BOOK.replace("rate = 5.4", "rate = 7"), replace=True)
    assert is_new and cost(acme) == 70 and replaced.digest == replaced.file_digest


def test_a_release_adds_the_models_that_are_new_to_what_operators_changed(acme: Organization) -> None:
    drafts.schedule(dearer(), None)
    added = BOOK.replace('models = ["kling-o1-video-edit"]', 'models = ["kling-o1-video-edit", "kling-new"]')

    version, is_new = price_book.load(added)

    assert is_new and version.cells.count() == 43
    assert version.cells.get(model="kling-new").rate == 12
    assert cost(acme) == Decimal("59.4")
    assert price_book.load(added) == (version, False)


def test_the_file_cannot_be_loaded_before_a_scheduled_change_would_undo_it(tmp_path: Path) -> None:
    drafts.schedule(dearer(), FAR)
    file = tmp_path / "book.toml"
    file.write_text(BOOK.replace("rate = 7.2", "rate = 8"))

    with pytest.raises(CommandError, match="must begin later"):
        call_command("load_price_book", "--file", str(file), stdout=StringIO())
    assert PriceVersion.objects.count() == 2


def test_the_command_says_that_operators_changed_prices(tmp_path: Path) -> None:
    drafts.schedule(dearer(), None)
    said = StringIO()

    call_command("load_price_book", stdout=said)
    call_command("load_price_book", "--replace", stdout=said)

    lines = said.getvalue().splitlines()
    assert lines[1] == "Operators have changed prices: theirs stand. --replace puts the file's in their place."
    assert len(lines) == 3 and "new" in lines[2]


@pytest.mark.django_db(transaction=True)
def test_of_two_operators_who_schedule_at_the_same_moment_one_is_told(acme: Organization) -> None:
    changes = [dearer(percent) for percent in (10, 20, 30, 40)]

    done = at_once([lambda draft=draft: drafts.schedule(draft, FAR).pk for draft in changes])

    assert done.count(PriceConflict) == 3
    made = PriceVersion.objects.get(effective_at=FAR)
    assert [made.pk] == [one for one in done if one is not PriceConflict]
    won = changes[done.index(made.pk)]
    assert price_book.entries_of(made.cells.all()) == price_book.entries_of(won.cells.all())
    assert [draft.pk for draft in PriceDraft.objects.filter(version=None)] == [
        draft.pk for draft in changes if draft != won
    ]


@pytest.mark.django_db(transaction=True)
def test_one_draft_scheduled_withdrawn_and_changed_at_once_stays_whole() -> None:
    draft = dearer()
    cell = DraftCell.objects.filter(draft=draft, model=T2V)[0].pk

    done = at_once(
        [
            lambda: drafts.schedule(draft, FAR).pk,
            lambda: drafts.schedule(draft, FAR + DAY).pk,
            lambda: drafts.change(draft, {cell: {"rate": Decimal(9)}}),
            lambda: drafts.discard(draft),
        ]
    )

    after = PriceDraft.objects.get(pk=draft.pk)
    assert not after.is_open
    assert PriceVersion.objects.count() == (2 if after.version else 1)
    assert done.count(PriceConflict) >= 2
    if after.version:
        assert price_book.entries_of(after.version.cells.all()) == price_book.entries_of(after.cells.all())

"""One customer's year, event by event: credits come in, tasks are asked for and end, some money comes back.

Tasks overlap as they do in life: what ends stands in a heap until its time has come, and everything happens in the
order of its time, so that the wallet's transfers do.
"""

import heapq
import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID

from billing.models import CreditLot
from evolink_saas.year import offers, works
from evolink_saas.year.books import Books, Held
from evolink_saas.year.market import Customer, id_at
from evolink_saas.year.offers import Offer
from evolink_saas.year.rows import Rows
from evolink_saas.year.works import Ending
from generations import costs
from generations.models import ProviderAccount, Task

HOURS = (2, 1, 1, 1, 1, 2, 3, 5, 8, 10, 11, 11, 10, 11, 12, 12, 11, 10, 8, 7, 6, 5, 4, 3)
WEEKEND, GROWTH = 0.45, 1.5
TOP_UPS = tuple(map(Decimal, (500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000)))
TOP_UPS_A_YEAR = 16
WELCOME, WELCOME_DAYS = Decimal(200), 60
CAMPAIGNS, CAMPAIGN_DAYS = 3, 30
PACKAGES = 0.15
PACKAGE_DAYS = 90
REFUNDED, SORRY, DISPUTED = 0.004, 0.01, 0.05
QUIET_END = timedelta(minutes=90)
"""Nothing is asked for so shortly before the year's end, so that everything ends within it."""
Event = tuple[datetime, int, Callable[..., None], tuple[Any, ...]]


class CustomersYear:
    """`happen` lets it happen, and says after each some hundred tasks how many there were."""

    def __init__(
        self,
        customer: Customer,
        rng: random.Random,
        rows: Rows,
        shop: dict[str, list[Offer]],
        accounts: list[ProviderAccount],
        end: datetime,
    ) -> None:
        self.customer, self.rng, self.rows, self.accounts, self.end = customer, rng, rows, accounts, end
        self.organization = customer.organization
        self.wanted = offers.some(rng, shop, 2 + rng.randrange(5))
        self.tastes = [1 / (place + 1) ** 1.3 for place in range(len(self.wanted))]
        self.books = Books(self.organization, rows)
        self.package = CreditLot.Kind.PAID if rng.random() < PACKAGES else None
        self.events: list[Event] = []
        self.swept: set[tuple[UUID, datetime]] = set()
        self.turn = count()
        self.top_ups = count(1)
        dear = sum(sum(offer.credits for offer in models) / len(models) for models in self.wanted) / len(self.wanted)
        wanted = dear * customer.tasks / TOP_UPS_A_YEAR
        self.top_up = min((size for size in TOP_UPS if size >= wanted), default=TOP_UPS[-1])

    def happen(self, at_a_time: int) -> Iterator[int]:
        self._plan_gifts()
        asked = 0
        for at in self._times():
            self._let_pass(at)
            self._ask(at)
            asked += 1
            if asked == at_a_time:
                yield asked
                asked = 0
        self._let_pass(self.end)
        self.books.close()
        yield asked

    # What is planned ahead.

    def _times(self) -> list[datetime]:
        """When each task is asked for: more by day than by night, less on weekends, more and more over the year."""
        opened, last = self.organization.created_at, self.end - QUIET_END
        first_day = opened.replace(hour=0, minute=0, second=0, microsecond=0)
        days = [first_day + timedelta(days=number) for number in range((last - first_day).days + 1)]
        weights = [
            (1 + GROWTH * number / len(days)) * (WEEKEND if day.weekday() >= 5 else 1)
            for number, day in enumerate(days)
        ]
        chosen = self.rng.choices(days, weights=weights, k=self.customer.tasks)
        hours = self.rng.choices(range(24), weights=HOURS, k=self.customer.tasks)
        times = (
            day + timedelta(hours=hour, seconds=round(self.rng.random() * 3600, 6))
            for day, hour in zip(chosen, hours, strict=True)
        )
        soonest = opened + timedelta(minutes=5)
        return sorted(at if soonest < at < last else self._any_time(soonest, last) for at in times)

    def _any_time(self, since: datetime, until: datetime) -> datetime:
        return since + (until - since) * self.rng.random()

    def _plan_gifts(self) -> None:
        opened = self.organization.created_at
        credits = Decimal(10**8) if self.organization.is_sandbox else WELCOME
        welcome = (CreditLot.Kind.PROMO, credits, f"welcome:{self.organization.public_id}", "Welcome credits")
        self._at(opened, self._give, *welcome, None if self.organization.is_sandbox else WELCOME_DAYS)
        if self.organization.is_sandbox:
            return
        for number in range(1, CAMPAIGNS + 1):
            when = self._any_time(opened, self.end)
            size = self.top_up / 20
            self._at(when, self._give, CreditLot.Kind.PROMO, size, f"campaign:{number}", "Campaign", CAMPAIGN_DAYS)
        if self.package:
            for number in range(1, 4):
                when = opened + (self.end - opened) * (number / 4)
                gift = (self.package, self.top_up * 2, f"contract:{number}", "Prepaid package")
                self._at(when, self._give, *gift, PACKAGE_DAYS)
        if self.rng.random() < DISPUTED:
            self._at(self._any_time(opened, self.end), self._dispute)

    # What happens.

    def _at(self, when: datetime, what: Callable[..., None], *about: Any) -> None:
        heapq.heappush(self.events, (when, next(self.turn), what, about))

    def _let_pass(self, until: datetime) -> None:
        while self.events and self.events[0][0] <= until:
            when, _, what, about = heapq.heappop(self.events)
            what(when, *about)

    def _give(
        self, at: datetime, kind: CreditLot.Kind, amount: Decimal, reference: str, reason: str, days: int | None
    ) -> None:
        expires_at = None if days is None else at + timedelta(days=days)
        self.books.grant(at, amount, kind, reference, reason, expires_at)
        if expires_at is not None:
            self._at(expires_at, self._expire)

    def _expire(self, at: datetime) -> None:
        self.books.expire(at)

    def _dispute(self, at: datetime) -> None:
        self.books.take_back(at, self.top_up / 5, f"dispute:{next(self.top_ups)}", "A payment was disputed")

    def _ask(self, at: datetime) -> None:
        rng, books = self.rng, self.books
        models = rng.choices(self.wanted, weights=self.tastes)[0]
        offer = rng.choices(models, weights=[one.weight for one in models])[0]
        while books.available < offer.credits:
            books.top_up(at, self.top_up, f"payment:{next(self.top_ups)}")
        ended = works.ending(rng, offer, at)
        task_id, key = id_at(rng, at), rng.choice(self.customer.keys)
        held = books.reserve(at, task_id, offer.credits, key, offer.spec.id)
        if ended.status == Task.Status.PENDING or ended.at >= self.end:
            raise ValueError("A task would end after the year.")
        self._at(ended.at, self._end, held, key, offer, at, ended)

    def _end(self, at: datetime, held: Held, key: Any, offer: Offer, asked_at: datetime, ended: Ending) -> None:
        completed = ended.status == Task.Status.COMPLETED
        settled_at = self.books.resolve(at, held, ended.charged, released=not completed)
        metadata = {"project": f"project {self.rng.randrange(1, 21)}"}
        task = works.task(held.reservation.pk, key, self.customer.group, offer, asked_at, ended, metadata)
        tried = works.attempts(self.rng, task, offer, self.accounts)
        self.rows.add(task, *tried)
        self.books.pay(settled_at, [costs.of_success(task, attempt) for attempt in tried if works.is_billed(attempt)])
        self._expire_again(held)
        if completed and held.reservation.captured > 0 and self.rng.random() < REFUNDED:
            later = min(at + timedelta(hours=self.rng.uniform(1, 100)), self.end)
            self._at(later, self._refund, held)
            return
        self.books.let_go(held)
        if not completed and self.rng.random() < SORRY and not self.organization.is_sandbox:
            reference = f"sorry:{held.reservation.task_id}"
            self._give(at, CreditLot.Kind.GOODWILL, Decimal(10), reference, "Sorry for the trouble", CAMPAIGN_DAYS)

    def _refund(self, at: datetime, held: Held) -> None:
        share = self.rng.choice((Decimal("0.5"), Decimal(1)))
        amount = (held.reservation.captured * share).quantize(Decimal("0.0001"))
        self.books.refund(at, held, amount, f"refund:{held.reservation.task_id}")
        self._expire_again(held)
        self.books.let_go(held)

    def _expire_again(self, held: Held) -> None:
        """What came back to an expired lot lives on a while."""
        for part in held.parts:
            until = part.lot.sweep_at
            if until is not None and part.lot.remaining > 0 and (part.lot_id, until) not in self.swept:
                self.swept.add((part.lot_id, until))
                self._at(until, self._expire)

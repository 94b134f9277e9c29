"""The work under way: open tasks by model, and how each provider account stands."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Count, Min, Q
from django.urls import reverse

from evolink_saas.reports.tables import Cell, Column, Line, Table
from generations.models import Attempt, Breaker, ProviderAccount, Task

OF_TASKS = (
    Column(name="model", title="Model", unit="text"),
    Column(name="pending", title="Waiting", unit="count"),
    Column(name="processing", title="At work", unit="count"),
    Column(name="oldest", title="Oldest", unit="text", help="Since when the oldest of them is there."),
)
OF_ACCOUNTS = (
    Column(name="account", title="Provider account", unit="text"),
    Column(name="state", title="State", unit="text"),
    Column(name="open", title="Attempts open", unit="count"),
)


def tasks(now: datetime) -> Table:
    """Of live organizations."""
    rows = list(
        Task.objects.filter(status__in=Task.OPEN, organization__sandbox_of=None)
        .values("model")
        .annotate(
            pending=Count("pk", Q(status=Task.Status.PENDING)),
            processing=Count("pk", Q(status=Task.Status.PROCESSING)),
            oldest=Min("created_at"),
        )
        .order_by("oldest")
    )
    return Table(
        columns=OF_TASKS,
        lines=[_task_line(row["model"], row["pending"], row["processing"], age(now, row["oldest"])) for row in rows],
        total=_task_line("Total", sum(row["pending"] for row in rows), sum(row["processing"] for row in rows), "")
        if rows
        else None,
        empty="No task is under way.",
    )


def accounts(now: datetime) -> Table:
    """Of all accounts that serve live keys, and their open attempts."""
    found = ProviderAccount.objects.exclude(serves=ProviderAccount.Serves.SANDBOX).prefetch_related("breakers")
    working = Count("attempts", Q(attempts__state__in=Attempt.OPEN))
    return Table(
        columns=OF_ACCOUNTS,
        lines=[_account_line(account, now) for account in found.annotate(working=working).order_by("name")],
        empty="There is no provider account yet.",
    )


def state(account: ProviderAccount, breakers: Iterable[Breaker], now: datetime) -> str:
    """In words, the worst first."""
    if not account.enabled:
        return "off"
    if account.draining:
        return "draining: takes nothing new"
    tripped = sorted(one.model for one in breakers if one.state != Breaker.State.CLOSED)
    if tripped:
        return "breaker open: " + ", ".join("everything" if model == Breaker.ALL else model for model in tripped)
    resting = sorted(one.model for one in breakers if one.rest_until is not None and one.rest_until > now)
    return "resting: " + ", ".join(resting) if resting else "takes work"


def age(now: datetime, since: datetime) -> str:
    minutes = max(0, int((now - since).total_seconds() // 60))
    hours, days = minutes // 60, minutes // 1440
    return f"{days} d {hours % 24} h" if days else f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"


def _task_line(model: str, pending: int, processing: int, oldest: str) -> Line:
    link = reverse("admin:generations_task_changelist")
    narrowed = "" if model == "Total" else f"&model__exact={model}"
    counts = (("pending", pending), ("processing", processing))
    cells = (
        Cell(value=count, leads_to=f"{link}?status__exact={status}{narrowed}&customers=live" if count else "")
        for status, count in counts
    )
    tone = "total" if model == "Total" else ""
    return Line(cells=(Cell(value=model), *cells, Cell(value=oldest)), tone=tone)


def _account_line(account: ProviderAccount, now: datetime) -> Line:
    link = reverse("admin:generations_provideraccount_change", args=[account.pk])
    attempts = reverse("admin:generations_attempt_changelist") + f"?account__id__exact={account.pk}"
    working: int = account.working  # type: ignore[attr-defined]
    return Line(
        cells=(
            Cell(value=account.name, leads_to=link),
            Cell(value=state(account, account.breakers.all(), now)),
            Cell(value=working, leads_to=attempts if working else ""),
        )
    )

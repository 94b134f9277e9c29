"""Ask the providers how their work stands: one task per account, so that a slow one delays nobody else.

A round claims the attempts of its account that are due, a page at a time, asks in batches, and applies what is new: a
result to fetch, a failure, another word. Most answers say that the work still runs, and write nothing. A failed poll
decides nothing; an unknown word means "still running" and an alert. Polls never download.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import TypeVar

from django.conf import settings
from django.db import close_old_connections, connections
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from generations import alerts, leases, lifecycle, queues
from generations.models import Attempt, ProviderAccount
from generations.providers import adapter
from generations.providers.base import (
    QUERY_SECONDS,
    Account,
    Handle,
    OutcomeUnknown,
    Progress,
    QueryClient,
    query_client,
)

logger = logging.getLogger(__name__)
PAGE = 500
CHUNK = 50
DATABASE_THREADS = 4
SHORTEST_PAUSE_SECONDS = 0.05
WORD_LENGTH = 80
T = TypeVar("T")
News = tuple[Attempt, Progress]
CLAIM = """
    UPDATE generations_attempt SET due_at = %s
    FROM (
        SELECT id FROM generations_attempt
        WHERE account_id = %s AND state = %s AND due_at <= %s
        ORDER BY due_at LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
    ) due
    WHERE generations_attempt.id = due.id
    RETURNING generations_attempt.id, task_id, number, state, account_id, model, upstream_id, route, state_word,
        queued_since, is_probe, accepted_at, loss, created_at
"""


async def run(shard: int, *, keep_going: Callable[[], bool]) -> None:
    """Poll the accounts of this shard until `keep_going` says no. New accounts are noticed every few seconds."""
    with ThreadPoolExecutor(DATABASE_THREADS, thread_name_prefix="polling") as threads:
        rounds: dict[int, asyncio.Task[None]] = {}
        while await in_thread(threads, keep_going):
            for account_id in await in_thread(threads, lambda: _accounts(shard)):
                if account_id not in rounds or rounds[account_id].done():
                    rounds[account_id] = asyncio.create_task(_rounds(threads, account_id))
            await asyncio.sleep(min(1.0, settings.POLL_INTERVAL_SECONDS))
        for polling in rounds.values():
            polling.cancel()
        await asyncio.gather(*rounds.values(), return_exceptions=True)
        _close_connections(threads)


def _close_connections(threads: ThreadPoolExecutor) -> None:
    """Every thread closes its own. They meet first, so that each takes one of these jobs."""
    meeting = Barrier(DATABASE_THREADS)

    def close() -> None:
        meeting.wait(QUERY_SECONDS)
        connections.close_all()

    for _ in range(DATABASE_THREADS):
        threads.submit(close)


async def in_thread(threads: ThreadPoolExecutor, work: Callable[[], T]) -> T:
    """Database work beside the event loop, on a connection of its own."""

    def wrapped() -> T:
        close_old_connections()
        return work()

    return await asyncio.get_running_loop().run_in_executor(threads, wrapped)


async def _rounds(threads: ThreadPoolExecutor, account_id: int) -> None:
    """Round after round for one account, one each interval or when the last ends; until nothing of it runs any more."""
    async with query_client() as client:
        while True:
            started, asked = time.monotonic(), 0
            try:
                asked = await poll_account(threads, client, account_id)
                if not asked and not await in_thread(threads, lambda: _running(account_id)):
                    return
            except Exception:
                logger.exception("polling of account %s failed; the next round tries again", account_id)
            took = time.monotonic() - started
            await asyncio.sleep(max(SHORTEST_PAUSE_SECONDS, settings.POLL_INTERVAL_SECONDS - took))


async def poll_account(threads: ThreadPoolExecutor, client: QueryClient, account_id: int) -> int:
    """One round: all that is due when it starts, a page after the other; how many attempts were asked about."""
    started, asked = timezone.now(), 0
    account, caller = await in_thread(threads, lambda: _account(account_id))
    page = await in_thread(threads, lambda: _claim(account, started))
    while page:
        following = asyncio.create_task(in_thread(threads, lambda: _claim(account, started)))
        asked += len(page)
        await _ask_page(threads, client, account, caller, page)
        page = await following
    if asked:
        logger.debug(
            "a round of %s asked about %d in %.2f s", account, asked, (timezone.now() - started).total_seconds()
        )
    return asked


async def _ask_page(
    threads: ThreadPoolExecutor, client: QueryClient, account: ProviderAccount, caller: Account, page: list[Attempt]
) -> None:
    """The attempts are mixed, so that a slow provider answers each some time, and a broken id spoils no others for
    long."""
    random.shuffle(page)
    chunks = [page[start : start + CHUNK] for start in range(0, len(page), CHUNK)]
    await asyncio.gather(*(_ask(threads, client, account, caller, chunk) for chunk in chunks))


async def _ask(
    threads: ThreadPoolExecutor,
    client: QueryClient,
    account: ProviderAccount,
    caller: Account,
    attempts: list[Attempt],
) -> None:
    handles = [Handle(upstream_id=attempt.upstream_id, route=attempt.route) for attempt in attempts]
    try:
        answers = await adapter(account.provider).check_many(client, caller, handles)
    except OutcomeUnknown as error:
        logger.warning("a poll of %s failed: %s", account, error)
        return
    if news := _news(attempts, answers):
        await in_thread(threads, lambda: _apply(account, news))


def _news(attempts: Iterable[Attempt], answers: dict[str, Progress]) -> list[News]:
    """The answers that say something new. Most say that the work still runs, and cost no statement."""
    pairs = ((attempt, answers[attempt.upstream_id]) for attempt in attempts if attempt.upstream_id in answers)
    return [
        (attempt, answer)
        for attempt, answer in pairs
        if answer.state != "running"
        or answer.state_word[:WORD_LENGTH] != attempt.state_word
        or (attempt.queued_since is not None and not answer.queued)
    ]


def _accounts(shard: int) -> list[int]:
    """The accounts of the shard that have anything running."""
    running = _to_poll().filter(account=OuterRef("pk"))
    accounts = ProviderAccount.objects.filter(Exists(running)).values_list("pk", flat=True)
    return [account for account in accounts if account % settings.POLL_SHARDS == shard]


def _running(account_id: int) -> bool:
    return _to_poll().filter(account=account_id).exists()


def _to_poll() -> QuerySet[Attempt]:
    """What the index `attempts_to_poll` holds: of all that ever ran, the few that do now."""
    return Attempt.objects.filter(state=Attempt.State.RUNNING, due_at__isnull=False)


def _account(account_id: int) -> tuple[ProviderAccount, Account]:
    account = ProviderAccount.objects.get(pk=account_id)
    return account, account.caller()


def _claim(account: ProviderAccount, started: datetime) -> list[Attempt]:
    """Take a page of what was due when the round started, oldest first, and move it on to the next round."""
    interval = adapter(account.provider).poll_every * settings.POLL_INTERVAL_SECONDS
    again = max(started + timedelta(seconds=interval), timezone.now())
    values = [again, account.pk, Attempt.State.RUNNING, started, PAGE]
    page = list(Attempt.objects.raw(CLAIM, values))
    if page:
        leases.pulse()
    return page


def _apply(account: ProviderAccount, news: Iterable[News]) -> None:
    """Each by itself: an answer that cannot be applied keeps back no other."""
    for attempt, answer in news:
        attempt.account = account
        try:
            _apply_one(attempt, answer)
        except Exception as error:
            logger.exception("%s: the provider's answer could not be applied; the next poll tries again", attempt)
            alerts.tell("answer-not-applied", account.name, f"{attempt}: {type(error).__name__}.")


def _apply_one(attempt: Attempt, answer: Progress) -> None:
    if answer.state == "succeeded":
        lifecycle.result_ready(attempt, answer)
    elif answer.state == "failed":
        lifecycle.attempt_failed(attempt, answer)
    else:
        _note(attempt, answer)


def _note(attempt: Attempt, answer: Progress) -> None:
    """Still running: remember the provider's word when it changed, and that it has begun."""
    if attempt.queued_since is not None and not answer.queued:
        queues.waited(attempt, begun=True)
    word = answer.state_word[:WORD_LENGTH]
    Attempt.objects.filter(pk=attempt.pk, state=Attempt.State.RUNNING).update(state_word=word)
    if not answer.known_word:
        alerts.tell("unknown-status-word", attempt.account.name, f"{attempt}: the provider says {word!r}.")

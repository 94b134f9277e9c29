"""Ask the providers how their work stands: one task per account, so that a slow one delays nobody else.

A round claims the attempts of its account that are due, asks in batches, and applies what came: progress, a result to
fetch, a failure. A failed poll decides nothing; an unknown word means "still running" and an alert. Polls never
download.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import TypeVar

from django.conf import settings
from django.db import close_old_connections, connections, transaction
from django.utils import timezone

from generations import alerts, leases, lifecycle
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
BATCH = 500
CHUNK = 50
DATABASE_THREADS = 4
T = TypeVar("T")


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
    """Round after round for one account; ends when nothing of it runs any more."""
    async with query_client() as client:
        while True:
            started, asked = time.monotonic(), 0
            try:
                asked = await poll_account(threads, client, account_id)
                if not asked and not await in_thread(threads, lambda: _running(account_id)):
                    return
            except Exception:
                logger.exception("polling of account %s failed; the next round tries again", account_id)
            if asked < BATCH:
                await asyncio.sleep(max(0.05, settings.POLL_INTERVAL_SECONDS / 2 - (time.monotonic() - started)))


async def poll_account(threads: ThreadPoolExecutor, client: QueryClient, account_id: int) -> int:
    """One round; how many attempts were asked about. They are mixed, so that a slow provider answers each some time."""
    account, attempts = await in_thread(threads, lambda: _claim(account_id))
    if not attempts:
        return 0
    caller = account.caller()
    random.shuffle(attempts)
    chunks = [attempts[start : start + CHUNK] for start in range(0, len(attempts), CHUNK)]
    await asyncio.gather(*(_ask(threads, client, account, caller, chunk) for chunk in chunks))
    return len(attempts)


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
    if answers:
        await in_thread(threads, lambda: _apply(attempts, answers))


def _accounts(shard: int) -> list[int]:
    """The accounts of the shard that have anything running."""
    running = Attempt.objects.filter(state=Attempt.State.RUNNING).values_list("account_id", flat=True).distinct()
    return [account for account in running if account % settings.POLL_SHARDS == shard]


def _running(account_id: int) -> bool:
    return Attempt.objects.filter(account=account_id, state=Attempt.State.RUNNING).exists()


def _claim(account_id: int) -> tuple[ProviderAccount, list[Attempt]]:
    """Take the attempts that are due, oldest first, and move their next poll on."""
    now = timezone.now()
    account = ProviderAccount.objects.get(pk=account_id)
    with transaction.atomic():
        due = Attempt.objects.filter(account=account, state=Attempt.State.RUNNING, due_at__lte=now)
        attempts = list(due.order_by("due_at").select_for_update(skip_locked=True, no_key=True)[:BATCH])
        rounds = adapter(account.provider).poll_every
        again = now + timedelta(seconds=rounds * settings.POLL_INTERVAL_SECONDS)
        Attempt.objects.filter(pk__in=[attempt.pk for attempt in attempts]).update(due_at=again)
    if attempts:
        leases.pulse()
    return account, attempts


def _apply(attempts: Iterable[Attempt], answers: dict[str, Progress]) -> None:
    """Each by itself: an answer that cannot be applied keeps back no other."""
    for attempt in attempts:
        answer = answers.get(attempt.upstream_id)
        if answer is None:
            continue
        try:
            _apply_one(attempt, answer)
        except Exception as error:
            logger.exception("%s: the provider's answer could not be applied; the next poll tries again", attempt)
            alerts.tell("answer-not-applied", attempt.account.name, f"{attempt}: {type(error).__name__}.")


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
        lifecycle.begun(attempt)
    word = answer.state_word[:80]
    if word == attempt.state_word:
        return
    Attempt.objects.filter(pk=attempt.pk, state=Attempt.State.RUNNING).update(state_word=word)
    if not answer.known_word:
        alerts.tell("unknown-status-word", attempt.account.name, f"{attempt}: the provider says {word!r}.")

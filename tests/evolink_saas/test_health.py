"""/healthz and /readyz: what a load balancer asks."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone

from generations.models import LoopLease


def test_a_live_process_says_so_without_the_database(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "live"})


@pytest.mark.django_db
def test_a_migrated_database_makes_it_ready(client: Client) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "worker": False})


@pytest.mark.django_db
@pytest.mark.parametrize(("minutes", "expected"), [(1, True), (-1, False)])
def test_a_worker_counts_while_its_lease_lasts(client: Client, minutes: int, expected: bool) -> None:
    until = timezone.now() + timedelta(minutes=minutes)
    LoopLease.objects.update_or_create(shard=0, defaults={"leased_by": "w", "leased_until": until})
    assert client.get("/readyz").json()["worker"] is expected


@pytest.mark.django_db
def test_a_missing_migration_makes_it_unready(client: Client) -> None:
    newest = MigrationLoader(connection).graph.leaf_nodes("accounts")[0]
    MigrationRecorder(connection).record_unapplied(*newest)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"status": "migrations missing"})


def test_only_reading_is_answered(client: Client) -> None:
    assert client.post("/healthz").status_code == 405
    assert client.head("/healthz").status_code == 200

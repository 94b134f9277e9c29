"""Requests per minute of a key: one row a key and minute, counted by one statement, and only where the key has a limit.

The statement counts no further than the limit, so a key that hammers costs no writes.
"""

import time
from typing import TYPE_CHECKING, cast

from django.db import connection
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.models import ApiKey, RateWindow

if TYPE_CHECKING:  # rest_framework.views imports this module by its setting
    from rest_framework.views import APIView

COUNT_ONE_CALL = """
    INSERT INTO accounts_ratewindow AS present (key_id, minute, calls) VALUES (%(key_id)s, %(minute)s, 1)
    ON CONFLICT (key_id, minute) DO UPDATE SET calls = present.calls + 1 WHERE present.calls < %(limit)s
    RETURNING calls"""


class RequestsPerMinute(BaseThrottle):
    def allow_request(self, request: Request, view: "APIView") -> bool:
        key = cast("ApiKey | None", request.auth)
        return key is None or key.requests_per_minute is None or count_call(key, time.time())

    def wait(self) -> float:
        return 60 - time.time() % 60


def count_call(key: ApiKey, now: float) -> bool:
    """Count one call of `key` (which has a limit) in the minute of `now`; False when that minute is used up."""
    minute = int(now // 60)
    with connection.cursor() as cursor:
        cursor.execute(COUNT_ONE_CALL, {"key_id": key.pk, "minute": minute, "limit": key.requests_per_minute})
        return cursor.fetchone() is not None


def sweep(now: float) -> int:
    """Forget the minutes before the present one; how many rows went."""
    return RateWindow.objects.filter(minute__lt=int(now // 60)).delete()[0]

"""The log: one line an event, readable in development, JSON in production; each with its request, organization and key.

    12:00:01 INFO  POST /v1/videos/generations 200 34 ms  request=req_01j… organization=org_01j… key=sk-Ab1…x9Yz
    {"at": "2026-01-02T12:00:01.123Z", "level": "info", "logger": "evolink.requests", "message": "…", "request": "…"}

Secrets never reach it: query strings are left out, and whatever looks like a key is blackened in the finished line.
"""

import json
import logging
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse

from accounts import acting

logger = logging.getLogger("evolink.requests")
PROBES = ("/healthz", "/readyz")  # asked all the time
SECRET_PARTS = {"name", "token"}  # of an address

_SECRETS = re.compile(
    r"(?P<kind>(?<![0-9A-Za-z])sk-(?:test-)?+|(?<![0-9A-Za-z])[rs]k_(?:live|test)_|whsec_|Bearer )[0-9A-Za-z+/=_.-]{8,}"
    r"|(?P<login>://[^\s:/@]+:)[^\s/@]+(?=@)"
)


class RequestLog:
    """Middleware: remembers the request for what is written meanwhile, and writes a line when it is answered."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.monotonic()
        with acting.within(request):
            response = self.get_response(request)
            milliseconds = round(1000 * (time.monotonic() - started))
            is_probe = request.path in PROBES
            level = logging.ERROR if response.status_code >= 500 else logging.DEBUG if is_probe else logging.INFO
            logger.log(level, "%s %s %s %d ms", request.method, _route(request), response.status_code, milliseconds)
            return response


class OnlyCrashes(logging.Filter):
    """Passes what has a traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        return bool(record.exc_info)


class LineFormatter(logging.Formatter):
    """For people."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
        named = "".join(f" {name}={value}" for name, value in _context().items())
        text = f"{moment} {record.levelname:<7} {record.getMessage()}{' ' if named else ''}{named}"
        if record.exc_info:
            text = f"{text}\n{self.formatException(record.exc_info)}"
        return blacken(text)


class JsonFormatter(logging.Formatter):
    """For machines: one JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC)
        event = {
            "at": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": blacken(record.getMessage()),
        } | _context()
        if record.exc_info:
            event["exception"] = blacken(self.formatException(record.exc_info))
        return json.dumps(event, ensure_ascii=False)


def configuration(formatter: str, level: str) -> dict[str, object]:
    """Django's LOGGING setting, with `line` or `json` as formatter: everything goes to stderr."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {"()": "evolink_saas.logs.LineFormatter"},
            "json": {"()": "evolink_saas.logs.JsonFormatter"},
        },
        "filters": {"crashes": {"()": "evolink_saas.logs.OnlyCrashes"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": formatter}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"handlers": [], "propagate": True},
            "django.request": {"level": "ERROR", "filters": ["crashes"]},  # RequestLog tells the rest
            "django-q": {"level": "WARNING"},  # its INFO lines are several a job
            "stripe": {"level": "WARNING"},  # its INFO lines are two a call
            "httpx": {"level": "WARNING"},  # its INFO lines hold addresses with signatures
        },
    }


def blacken(text: str) -> str:
    """`text` without API keys, callback secrets, bearer credentials and passwords in addresses."""
    return _SECRETS.sub(lambda found: f"{found['kind'] or found['login']}…", text)


def _route(request: HttpRequest) -> str:
    """The path; of an address that opens without a key, the pattern that it matched."""
    match = request.resolver_match
    return f"/{match.route}" if match is not None and SECRET_PARTS & match.kwargs.keys() else request.path


def _context() -> dict[str, str]:
    request = acting.request()
    if request is None:
        return {}
    named = {"request": request.META[acting.REQUEST_ID]}
    key = getattr(request, "auth", None)
    if key is not None:
        named |= {"organization": key.organization.public_id, "key": key.hint}
    return named

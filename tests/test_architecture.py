"""The rules of the house that a machine can check: who imports whom, who writes what, how long things get."""

import ast
from collections.abc import Callable, Collection, Iterator
from functools import cache
from pathlib import Path

from django.apps import apps
from django.db.models import Model

ROOT = Path(__file__).resolve().parent.parent
APPS = ("accounts", "billing", "generations", "evolink_saas")
"""An app imports only what stands to its left."""
SAY_NOTHING = {"utils", "helpers", "services", "selectors", "managers", "common", "core", "misc"}
HTTP_CLIENTS = {"httpx", "httpcore", "requests", "urllib3", "aiohttp", "http", "urllib.request"}
SPEAK_HTTP = (
    "generations/providers/",
    "generations/sandbox/",
    "generations/safe_http.py",
    "evolink_saas/demo_run/",  # the customer's side
    "evolink_saas/management/commands/demo.py",
)
MAX_FILE_LINES, MAX_FUNCTION_LINES = 400, 50

WRITES = {"create", "bulk_create", "get_or_create", "update_or_create", "update", "bulk_update", "delete"}
LEDGER = {f"billing/{name}.py" for name in ("ledger", "locks", "lots", "postings", "budgets", "caps")}
WRITERS = {
    **dict.fromkeys(("Wallet", "CreditLot", "Reservation", "ReservationLot", "Transfer", "BudgetWindow"), LEDGER),
    "RollUp": {"billing/rolling.py"},
    "RollUpCursor": {"billing/rolling.py"},
    "ProviderCost": {"billing/provider_costs.py", "billing/postings.py"},
    "CostRollUp": {"billing/rolling.py"},
    "CostCursor": {"billing/rolling.py"},
    "ReportRollUp": {"billing/rolling.py"},
    "ReportCursor": {"billing/rolling.py"},
    "CostReportRollUp": {"billing/rolling.py"},
    "CostReportCursor": {"billing/rolling.py"},
    "PriceVersion": {"billing/price_book.py"},
    "PriceCell": {"billing/price_book.py"},
    "PriceOverride": {"billing/overrides.py"},
    "PriceDraft": {"billing/drafts.py"},
    "DraftCell": {"billing/drafts.py"},
    "Adjustment": LEDGER,
    "GrantRequest": {"billing/grants.py"},
    "SignUpCredits": {"billing/sign_up_credits.py"},
    "VoucherBatch": {"billing/vouchers.py"},
    "Voucher": {"billing/vouchers.py"},
    "VoucherRedemption": {"billing/vouchers.py"},
    "VoucherTries": {"billing/voucher_tries.py"},
    "TopUp": {"billing/top_ups/settling.py"},
    "AutoRecharge": {"billing/top_ups/settling.py", "billing/top_ups/recharge.py"},
    "MoneyBack": {"billing/top_ups/money_back.py"},
    "StripeEvent": {"billing/top_ups/events.py"},
    "AuditRun": {"billing/audit.py"},
    "AuditMark": {"billing/audit.py"},
    "AuditEntry": {"accounts/audit_log.py"},
    "BalanceThreshold": {"billing/thresholds.py"},
    "SpendingGuard": {"billing/spending_guard.py"},
    "KeyPause": {"billing/spending_guard.py"},
    "Notice": {"billing/notices.py"},
    "NoticeMail": {"billing/notices.py"},
    "UserGroup": set(),  # the admin's form
    "User": {"accounts/members.py", "accounts/people.py"},
    "Invitation": {"accounts/invitations.py"},
    "Organization": {"accounts/organizations.py"},
    "Membership": {"accounts/members.py"},
    "RateWindow": {"accounts/throttles.py"},
    "Announcement": set(),  # the admin's form
    "ApiKey": {"accounts/keys.py"},
    "KeyBudget": {"accounts/keys.py"},
    "Task": {"generations/creation.py", "generations/lifecycle.py", "generations/hints.py", "generations/queues.py"},
    "TaskMedia": {"generations/creation.py", "generations/references.py"},
    "Attempt": {
        "generations/lifecycle.py",
        "generations/moves.py",
        "generations/lookups.py",
        "generations/polling.py",
        "generations/queues.py",
        "generations/hints.py",
    },
    "OrphanSpend": {"generations/orphans.py"},
    "OutcomeDay": {"generations/outcome_days.py"},
    "Reconciliation": {"generations/reconciliation.py"},
    "ReconciliationItem": {"generations/reconciliation.py"},
    "UpstreamCharge": {"generations/reconciliation.py"},
    "Quote": {"generations/quotes.py"},
    "IdempotencyRecord": {"generations/idempotency.py"},
    "Element": {"generations/elements.py"},
    "ElementCopy": {"generations/elements.py", "generations/element_copies.py"},
    "ElementSource": {"generations/elements.py"},
    "StoredFile": {"generations/files.py"},
    "Delivery": {"generations/webhooks.py"},
    "DeliveryTry": {"generations/webhooks.py"},
    "WebhookSecret": {"generations/webhooks.py"},
    "DownloadPlace": {"generations/uploads.py"},
    "ProviderAccount": {"generations/provider_accounts.py"},
    "Breaker": {"generations/breaker.py"},
    "KillSwitch": {"generations/switches.py"},
    "MarginGuard": set(),  # the admin's form
    "DayLoss": {"generations/margin.py"},
    "Voice": {"generations/voices.py"},  # and the admin's form
    "LoopLease": {"generations/jobs.py", "generations/leases.py"},
    "WorkerPulse": {"generations/leases.py"},
    "Alert": {"generations/alerts.py"},
    "ModelHour": {"generations/health.py"},
    "ModelHourTime": {"generations/health.py"},
    "HealthMark": {"generations/health.py"},
    "OutcomeRollUp": {"generations/outcomes.py"},
    "OutcomeMark": {"generations/outcomes.py"},
}
"""Which modules may write the rows of a table by its model, or by the name under which another row has them."""
STATE_MOVERS = {
    "generations/lifecycle.py": "tasks and attempts",
    "generations/moves.py": "attempts, for lifecycle",
    "generations/breaker.py": "breakers",
    "generations/webhooks.py": "deliveries",
    "billing/notices.py": "mails",
    "generations/references.py": "reference media",
    "generations/element_copies.py": "copies of elements",
}


@cache
def modules() -> list[Path]:
    found = [path for app in APPS for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts]
    return sorted(found)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def imports(path: Path) -> list[str]:
    return list(imported(tree(path)))


def imported(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def models() -> list[type[Model]]:
    return [model for app in APPS[:3] for model in apps.get_app_config(app).get_models()]


@cache
def related() -> dict[str, str]:
    """The model behind each name such as `lots` in `wallet.lots`."""
    relations = [relation for model in models() for relation in model._meta.related_objects]
    return {str(relation.get_accessor_name()): relation.related_model.__name__ for relation in relations}


def written_models(path: Path) -> Iterator[tuple[str, str]]:
    """Pairs of a model's name and the verb: `Task.objects.filter(…).update(…)`, `wallet.lots.create(…)`."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WRITES:
            root, names = node.func.value, []
            while isinstance(root, ast.Attribute | ast.Call):
                names += [root.attr] if isinstance(root, ast.Attribute) else []
                root = root.value if isinstance(root, ast.Attribute) else root.func
            yield from ((related()[name], node.func.attr) for name in names if name in related())
            if isinstance(root, ast.Name):
                yield root.id, node.func.attr


def offenders(rule: Callable[[Path], Collection[object]]) -> dict[str, Collection[object]]:
    """What breaks the rule, by the file's name."""
    found = {name_of(path): rule(path) for path in modules()}
    return {name: broken for name, broken in found.items() if broken}


def test_an_app_imports_only_what_stands_to_its_left() -> None:
    def from_its_right(path: Path) -> list[str]:
        forbidden = APPS[APPS.index(name_of(path).split("/")[0]) + 1 :]
        return [name for name in imports(path) if name.split(".")[0] in forbidden]

    assert offenders(from_its_right) == {}


def test_a_file_is_small_and_named_for_what_it_does() -> None:
    assert [name_of(path) for path in modules() if path.stem in SAY_NOTHING] == []
    lengths = {name_of(path): path.read_text().count("\n") for path in modules()}
    assert {name: lines for name, lines in lengths.items() if lines > MAX_FILE_LINES} == {}


def test_a_function_is_small() -> None:
    def large(path: Path) -> dict[str, int]:
        functions = [node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        lengths = {node.name: (node.end_lineno or node.lineno) - node.lineno + 1 for node in functions}
        return {name: length for name, length in lengths.items() if length > MAX_FUNCTION_LINES}

    assert offenders(large) == {}


def test_only_providers_and_safe_http_speak_http() -> None:
    def clients(path: Path) -> list[str]:
        return [name for name in imports(path) if HTTP_CLIENTS & {name, name.split(".")[0]}]

    spoken = offenders(clients)
    assert [name for name in spoken if not name.startswith(SPEAK_HTTP)] == []


def test_views_and_serializers_reach_rows_through_the_organization() -> None:
    def reaching_past(path: Path) -> list[int]:
        if not {path.stem, path.parent.name} & {"views", "serializers"}:
            return []
        attributes = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)]
        return [node.lineno for node in attributes if node.attr in ("objects", "_default_manager")]

    assert offenders(reaching_past) == {}


def test_a_table_has_one_writer() -> None:
    def strangers(path: Path) -> list[str]:
        written = written_models(path)
        return [
            f"{model}.{verb}" for model, verb in written if name_of(path) not in WRITERS.get(model, {name_of(path)})
        ]

    assert offenders(strangers) == {}


def test_every_table_of_ours_names_its_writer() -> None:
    ours = {model.__name__ for model in models()}
    assert ours <= set(WRITERS)
    assert {name for name in WRITERS if name not in ours} == set()


def test_states_move_only_in_the_module_that_owns_them() -> None:
    def moved(path: Path) -> list[int]:
        if name_of(path) in STATE_MOVERS or name_of(path).startswith("evolink_saas/"):
            return []
        calls = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
        updates = [node for node in calls if isinstance(node.func, ast.Attribute) and node.func.attr == "update"]
        return [node.lineno for node in updates if {"status", "state"} & {keyword.arg for keyword in node.keywords}]

    assert offenders(moved) == {}


def test_nothing_happens_behind_the_reader() -> None:
    """No signals of our own and no model that overrides `save`."""

    def saves(path: Path) -> list[str]:
        classes = [node for node in ast.walk(tree(path)) if isinstance(node, ast.ClassDef)]
        models = [node for node in classes if any("Model" in ast.unparse(base) for base in node.bases)]
        return [node.name for node in models for item in node.body if getattr(item, "name", "") == "save"]

    assert [name_of(path) for path in modules() if "django.dispatch" in imports(path)] == []
    assert offenders(saves) == {}


def test_migrations_have_names() -> None:
    found = [path.name for app in APPS for path in (ROOT / app).glob("migrations/0*.py")]
    assert found
    assert [name for name in found if "auto_" in name] == []

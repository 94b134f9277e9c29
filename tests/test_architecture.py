"""The rules of the house that a machine can check: who imports whom, who writes what, how long things get."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

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

INSERTS = {"create", "bulk_create", "get_or_create", "update_or_create", "delete"}
LEDGER = {"billing/ledger.py", "billing/locks.py", "billing/lots.py", "billing/postings.py", "billing/budgets.py"}
WRITERS = {
    **dict.fromkeys(("Wallet", "CreditLot", "Reservation", "ReservationLot", "Transfer", "BudgetWindow"), LEDGER),
    "PriceVersion": {"billing/price_book.py"},
    "PriceCell": {"billing/price_book.py"},
    "AuditRun": {"billing/audit.py"},
    "ApiKey": {"accounts/keys.py"},
    "KeyBudget": {"accounts/keys.py"},
    "Task": {"generations/creation.py"},
    "Attempt": {"generations/lifecycle.py"},
    "OrphanSpend": {"generations/lifecycle.py"},
    "IdempotencyRecord": {"generations/idempotency.py"},
    "Element": {"generations/elements.py"},
    "ElementCopy": {"generations/elements.py"},
    "ElementSource": {"generations/elements.py"},
    "StoredFile": {"generations/files.py"},
    "Delivery": {"generations/webhooks.py"},
    "DeliveryTry": {"generations/webhooks.py"},
    "WebhookSecret": {"generations/webhooks.py"},
    "Alert": {"generations/alerts.py"},
}
"""Which modules may insert or delete the rows of a table, or write one by its model."""
STATE_MOVERS = {
    "generations/lifecycle.py": "tasks and attempts",
    "generations/webhooks.py": "deliveries",
    "generations/references.py": "reference media",
}


def modules() -> list[Path]:
    found = [path for app in APPS for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts]
    return sorted(found)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def written_models(path: Path) -> Iterator[tuple[str, str]]:
    """Pairs of a model's name and the verb in calls such as `Task.objects.filter(…).update(…)`."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in INSERTS:
            root: ast.AST = node.func.value
            while isinstance(root, ast.Attribute | ast.Call):
                root = root.value if isinstance(root, ast.Attribute) else root.func
            if isinstance(root, ast.Name):
                yield root.id, node.func.attr


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_an_app_imports_only_what_stands_to_its_left(path: Path) -> None:
    app = name_of(path).split("/")[0]
    forbidden = APPS[APPS.index(app) + 1 :]
    assert [name for name in imports(path) if name.split(".")[0] in forbidden] == []


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_a_file_and_its_functions_are_small_and_named_for_what_they_do(path: Path) -> None:
    assert path.stem not in SAY_NOTHING
    assert path.read_text().count("\n") <= MAX_FILE_LINES
    functions = [node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    lengths = {node.name: (node.end_lineno or node.lineno) - node.lineno + 1 for node in functions}
    assert {name: length for name, length in lengths.items() if length > MAX_FUNCTION_LINES} == {}


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_only_providers_and_safe_http_speak_http(path: Path) -> None:
    if name_of(path).startswith(SPEAK_HTTP):
        return
    assert [name for name in imports(path) if name in HTTP_CLIENTS or name.split(".")[0] in HTTP_CLIENTS] == []


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_views_and_serializers_reach_rows_through_the_organization(path: Path) -> None:
    parts = {path.stem, path.parent.name}
    if parts & {"views", "serializers"} and path.suffix == ".py":
        attributes = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)]
        assert [node.lineno for node in attributes if node.attr in ("objects", "_default_manager")] == []


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_a_table_has_one_writer(path: Path) -> None:
    strangers = [
        f"{model}.{verb}"
        for model, verb in written_models(path)
        if name_of(path) not in WRITERS.get(model, {name_of(path)})
    ]
    assert strangers == []


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_states_move_only_in_the_module_that_owns_them(path: Path) -> None:
    if name_of(path) in STATE_MOVERS or name_of(path).startswith("evolink_saas/"):
        return
    updates = [
        node
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "update"
    ]
    moved = [node.lineno for node in updates if {"status", "state"} & {keyword.arg for keyword in node.keywords}]
    assert moved == []


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_nothing_happens_behind_the_reader(path: Path) -> None:
    """No signals of our own and no model that overrides `save`."""
    assert "django.dispatch" not in set(imports(path))
    classes = [node for node in ast.walk(tree(path)) if isinstance(node, ast.ClassDef)]
    models = [node for node in classes if any("Model" in ast.unparse(base) for base in node.bases)]
    saves = [node.name for node in models for item in node.body if getattr(item, "name", "") == "save"]
    assert saves == []


def test_migrations_have_names() -> None:
    found = [path.name for app in APPS for path in (ROOT / app).glob("migrations/0*.py")]
    assert found
    assert [name for name in found if "auto_" in name] == []

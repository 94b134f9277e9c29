"""The documents say what is true of the code: links, examples, variables, codes, commands and routes are compared."""

import ast
import json
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.management import get_commands
from standardwebhooks import Webhook

from accounts import errors
from evolink_saas import checks
from evolink_saas import errors as edge_errors
from generations.views import files
from tests import routes

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
APPS = ("accounts", "billing", "generations", "evolink_saas")
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE_SPAN = re.compile(r"`([^`\n]+)`")
ROW_OF_A_VARIABLE = re.compile(r"^\| `([A-Z_]+)` \| (.*?) \|", re.MULTILINE)
ROW_OF_A_CODE = re.compile(r"^\| (\d{3}) \| (\w+) \| `(\w+)` \|", re.MULTILINE)
ROW_OF_A_TASK_CODE = re.compile(r"^\| `(\w+)` \|", re.MULTILINE)
PLACE_OF_ONE_MACHINE = re.compile(r"(?<![\w.])/(?:work|home|root|tmp|mnt|Users)/")
SWITCHES = {"True": "on", "False": "off"}


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def shown(page: Path) -> str:
    return str(page.relative_to(ROOT))


def without_fences(page: Path) -> str:
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def examples(language: str) -> list[object]:
    """Every fence of a language, named by its page and number."""
    return [
        pytest.param(body, id=f"{shown(page)}-{number}")
        for page in PAGES
        for number, (found, body) in enumerate(FENCE.findall(page.read_text(encoding="utf-8")), 1)
        if found == language
    ]


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", without_fences(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def local_links(page: Path) -> Iterator[tuple[Path, str]]:
    for target in LINK.findall(without_fences(page)):
        if not target.startswith(("http://", "https://")):
            path, _, anchor = target.partition("#")
            yield (page.parent / path).resolve() if path else page, anchor


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Every call in the product, with the last part of the called name."""
    for app in APPS:
        for path in (ROOT / app).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    yield getattr(node.func, "attr", getattr(node.func, "id", "")), node


def text_argument(call: ast.Call, name: str = "") -> str | None:
    """The first argument, or the one with this name, where it is a literal text."""
    given = [word.value for word in call.keywords if word.arg == name] if name else call.args[:1]
    value = given[0] if given else None
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None


def literals() -> set[str]:
    """Every text in the product's code."""
    return {
        node.value
        for app in APPS
        for path in (ROOT / app).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def refusals() -> dict[str, type[errors.ApiError]]:
    """Every exception that is an answer, by name."""
    found: dict[str, type[errors.ApiError]] = {}
    for module in (errors, edge_errors):
        found |= {
            name: kind
            for name, kind in vars(module).items()
            if isinstance(kind, type) and issubclass(kind, errors.ApiError) and kind is not errors.ApiError
        }
    return found


def test_there_are_documents() -> None:
    assert len(PAGES) > 15


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target, anchor in local_links(page):
        assert target.exists(), f"{shown(page)} links to {target}"
        assert not anchor or anchor in anchors(target), f"{shown(page)} links to #{anchor} of {target.name}"


def test_every_page_is_reached_from_the_readme() -> None:
    """A link to a folder reaches the pages in it."""
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in reached:
            reached.add(page)
            for target, _ in local_links(page):
                waiting += target.glob("*.md") if target.is_dir() else [target] * (target.suffix == ".md")
    assert [shown(page) for page in PAGES if page not in reached] == []


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_no_page_names_a_place_of_one_machine(page: Path) -> None:
    assert PLACE_OF_ONE_MACHINE.findall(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_files_and_folders_that_a_page_names_exist(page: Path) -> None:
    named = [word for word in CODE_SPAN.findall(without_fences(page)) if word.split("/")[0] in (*APPS, "tests", "docs")]
    assert [word for word in named if re.fullmatch(r"[\w/.-]+/[\w/.-]*", word) and not (ROOT / word).exists()] == []


@pytest.mark.parametrize("example", examples("python"))
def test_python_examples_compile(example: str) -> None:
    compile(example, "example", "exec")


@pytest.mark.parametrize("example", examples("json"))
def test_json_examples_parse(example: str) -> None:
    assert isinstance(json.loads(example), dict)


@pytest.mark.parametrize("example", examples("sh"))
def test_shell_examples_parse(example: str) -> None:
    done = subprocess.run(["bash", "-n"], input=example, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_signature_example_accepts_what_we_sign_and_nothing_else() -> None:
    secret, now, body = "whsec_" + "c2VjcmV0" * 4, datetime.now(UTC), '{"id":"task-video-1","prompt":"€"}'
    signed = Webhook(secret).sign("msg_1", now, body)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": f"v1,AAAA {signed}",
    }
    example: dict[str, object] = {}
    exec(
        next(FENCE.finditer(text_of("docs/callbacks.md")[text_of("docs/callbacks.md").index("```python") :]))[2],
        example,
    )
    is_from_the_gateway = example["is_from_the_gateway"]
    assert callable(is_from_the_gateway)
    assert is_from_the_gateway(secret, headers, body.encode())
    assert not is_from_the_gateway(secret, headers, body.encode() + b" ")
    assert not is_from_the_gateway(secret, headers | {"webhook-id": "msg_2"}, body.encode())
    assert not is_from_the_gateway(secret, headers | {"webhook-timestamp": "1700000000"}, body.encode())


def variables_read() -> dict[str, set[str]]:
    """Every environment variable that the product reads, with its literal defaults (`required` when it has none)."""
    settings = ast.parse(text_of("evolink_saas/settings.py"))
    found: dict[str, set[str]] = {}
    for node in ast.walk(settings):
        if isinstance(node, ast.Call) and getattr(getattr(node.func, "value", None), "id", "") == "env" and node.args:
            default = node.args[1] if len(node.args) > 1 else None
            defaults = found.setdefault(str(text_argument(node)), set())
            if isinstance(default, ast.Constant):
                defaults.add(SWITCHES.get(str(default.value), str(default.value)) or "none")
            elif default is None:
                defaults.add("none" if getattr(node.func, "attr", "") == "words" else "required")
    for _, call in calls():
        if ast.unparse(call.func) == "os.environ.get" and (name := text_argument(call)):
            found.setdefault(name, set())
    return found


def variables_documented() -> dict[str, str]:
    rows = ROW_OF_A_VARIABLE.findall(text_of("docs/configuration.md"))
    assert len(rows) == len(dict(rows)), "a variable is documented twice"
    return dict(rows)


def test_every_environment_variable_is_documented_and_no_other() -> None:
    assert sorted(variables_documented()) == sorted(variables_read())


def test_documented_defaults_are_those_of_the_settings() -> None:
    documented = variables_documented()
    for name, defaults in variables_read().items():
        said = documented[name]
        assert not defaults or name == "DATABASE_URL" or said.strip("`") in defaults, f"{name}: {said}, not {defaults}"


def test_the_example_environment_names_only_variables_that_are_read() -> None:
    named = re.findall(r"^(?:# )?([A-Z][A-Z_]+)=", text_of(".env.example"), re.MULTILINE)
    assert set(named) <= set(variables_read())


def codes_documented() -> set[tuple[int, str, str]]:
    rows = ROW_OF_A_CODE.findall(text_of("docs/errors.md"))
    assert len(rows) == len(set(rows)), "a code is documented twice"
    return {(int(status), kind, code) for status, kind, code in rows}


def test_every_code_of_an_answer_is_documented_with_its_status_and_type() -> None:
    known, documented = refusals(), codes_documented()
    raised = {
        (known[name].status_code, known[name].error_type, code)
        for name, call in calls()
        if name in known and (code := text_argument(call))
    }
    assert len(raised) > 30
    assert sorted(one for one in raised - documented if one[2] not in files.CODES) == []


def test_every_documented_code_of_an_answer_occurs_in_the_code() -> None:
    assert sorted({code for _, _, code in codes_documented()} - literals()) == []


def test_every_status_and_type_of_an_answer_is_documented() -> None:
    kinds = {(kind.status_code, kind.error_type) for kind in refusals().values()}
    assert sorted({(status, kind) for status, kind, _ in codes_documented()}) == sorted(kinds)


def test_every_number_of_the_files_api_is_documented_and_no_other() -> None:
    documented = re.findall(r"^\| (\d{5}) \|", text_of("docs/errors.md"), re.MULTILINE)
    assert documented == sorted({str(code) for code in files.CODES.values()})


def test_every_code_of_a_failed_task_is_documented_and_no_other() -> None:
    used = {code for name, call in calls() if name in ("Failure", "Verdict") and (code := text_argument(call, "code"))}
    used |= {
        code for name, call in calls() if name in ("Cause", "BadImage", "BadVideo") and (code := text_argument(call))
    }
    documented = ROW_OF_A_TASK_CODE.findall(
        text_of("docs/errors.md").partition("## Codes of a failed task")[2].partition("\n## ")[0]
    )
    assert sorted(documented) == sorted(used)


def test_every_kind_of_alert_is_documented_and_no_other() -> None:
    told = {kind for name, call in calls() if name == "tell" and (kind := text_argument(call))}
    table = text_of("docs/operations.md").partition("## Alerts")[2].partition("\n## ")[0]
    documented = [kind for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for kind in CODE_SPAN.findall(row)]
    assert sorted(documented) == sorted(told)


def test_every_system_check_is_documented_and_no_other() -> None:
    documented = re.findall(r"^ *\| (evolink\.E\d+) \|", text_of("docs/operations.md"), re.MULTILINE)
    assert documented == sorted(set(re.findall(r"evolink\.E\d+", checks.__doc__ or "")))


def test_every_invariant_of_the_auditor_is_documented_as_such() -> None:
    rows = dict(re.findall(r"^\| (I\d+) \|(.*)\|$", text_of("docs/billing.md"), re.MULTILINE))
    assert list(rows) == [f"I{number}" for number in range(1, 27)]
    audited = {word for word in literals() if re.fullmatch(r"I\d+", word)}
    assert {number for number, row in rows.items() if "auditor" in row} == audited


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_commands_that_a_page_names_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", text_of("Makefile"), re.MULTILINE))
    for line in re.findall(
        r"^(?:\w+=\S+ )*make ([a-z ]+?) *(?:#.*)?$|`(?:\w+=\S+ )*make ([a-z ]+)`", text, re.MULTILINE
    ):
        assert set("".join(line).split()) <= targets, f"make {line}"
    assert set(re.findall(r"manage\.py (\w+)", text)) <= set(get_commands())


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_routes_that_a_page_names_exist(page: Path) -> None:
    known = {(method, re.sub(r"\{\w+\}", "{}", route)) for method, route in routes.operations()}
    for span in CODE_SPAN.findall(without_fences(page)):
        if found := re.fullmatch(r"(GET|POST|PATCH|DELETE) (/(?:v1|api)/[^\s?]*)\??.*", span):
            assert (found[1], re.sub(r"\{\w+\}", "{}", found[2])) in known, span

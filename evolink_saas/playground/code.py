"""A request as a program would send it: with curl, in Python and in JavaScript. The key stays a placeholder."""

import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings

PATH = "/v1/videos/generations"
WORDS = {True: "True", False: "False"}


def snippets(body: Mapping[str, Any]) -> dict[str, str]:
    """By language; each holds exactly this body."""
    return {"curl": _curl(body), "python": _python(body), "javascript": _javascript(body)}


def _address() -> str:
    return f"{settings.PUBLIC_URL}{PATH}"


def _curl(body: Mapping[str, Any]) -> str:
    """In a shell's single quotes, a quote ends them, stands escaped, and opens them again."""
    text = json.dumps(body, ensure_ascii=False, indent=2).replace("'", "'\\''")
    return (
        f"curl {_address()} \\\n"
        '  -H "Authorization: Bearer $API_KEY" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        '  -H "Idempotency-Key: $(uuidgen)" \\\n'
        f"  -d '{text}'"
    )


def _python(body: Mapping[str, Any]) -> str:
    text = _literal(body)
    return (
        "import os\nimport uuid\n\nimport httpx\n\n"
        f"body = {text}\n"
        "answer = httpx.post(\n"
        f'    "{_address()}",\n'
        "    headers={\n"
        '        "Authorization": f"Bearer {os.environ[\'API_KEY\']}",\n'
        '        "Idempotency-Key": str(uuid.uuid4()),\n'
        "    },\n"
        "    json=body,\n"
        ")\n"
        "answer.raise_for_status()\n"
        'print(answer.json()["id"])'
    )


def _javascript(body: Mapping[str, Any]) -> str:
    text = json.dumps(body, ensure_ascii=False, indent=2)
    return (
        f"const body = {text};\n\n"
        f'const answer = await fetch("{_address()}", {{\n'
        '  method: "POST",\n'
        "  headers: {\n"
        "    Authorization: `Bearer ${process.env.API_KEY}`,\n"
        '    "Content-Type": "application/json",\n'
        '    "Idempotency-Key": crypto.randomUUID(),\n'
        "  },\n"
        "  body: JSON.stringify(body),\n"
        "});\n"
        "if (!answer.ok) throw new Error(await answer.text());\n"
        "console.log((await answer.json()).id);"
    )


def _literal(value: Any, depth: int = 1) -> str:
    """JSON as Python writes it."""
    inside, around = "    " * depth, "    " * (depth - 1)
    if isinstance(value, bool):
        return WORDS[value]
    if isinstance(value, Mapping) and value:
        lines = (f"{inside}{json.dumps(name)}: {_literal(one, depth + 1)},\n" for name, one in value.items())
        return f"{{\n{''.join(lines)}{around}}}"
    if isinstance(value, list) and value:
        lines = (f"{inside}{_literal(one, depth + 1)},\n" for one in value)
        return f"[\n{''.join(lines)}{around}]"
    return json.dumps(value, ensure_ascii=False)

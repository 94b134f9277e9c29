"""The refusals of the OpenAPI document: one response a status, in the shape of the API or in that of its files."""

from typing import Any

FILES_PREFIX = "/api/v1/files"

MEANINGS = {
    400: ("BadRequest", "The request is wrong; `param` names the field.", "invalid_parameter"),
    401: ("Unauthenticated", "The API key is missing, unknown, expired or disabled.", "invalid_api_key"),
    402: (
        "InsufficientCredits",
        "The balance or the key's limit does not cover the price.",
        "account_balance_insufficient",
    ),
    403: ("Forbidden", "The API key may not do this.", "key_scope_missing"),
    404: ("NotFound", "There is no such object in this organization.", "task_not_found"),
    409: ("Conflict", "The present state does not allow this.", "task_not_cancellable"),
    413: ("TooLarge", "The body or the file is too large.", "request_too_large"),
    415: ("UnsupportedMediaType", "The content type is not understood.", "unsupported_media_type"),
    422: ("Unprocessable", "The request contradicts an earlier one.", "idempotency_conflict"),
    429: ("TooManyRequests", "Too many requests or tasks at once.", "rate_limited"),
    500: ("InternalError", "Something went wrong on our side.", "internal_error"),
    503: ("Unavailable", "Briefly unavailable; try again.", "model_unavailable"),
}
RETRIED = (429, 503)

SCHEMAS: dict[str, Any] = {
    "Error": {
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["code", "message", "type"],
                "properties": {
                    "code": {"type": "string"},
                    "message": {"type": "string", "description": "One plain sentence."},
                    "type": {"type": "string"},
                    "param": {"type": "string", "description": "The field that is wrong."},
                    "fallback_suggestion": {"type": "string", "description": "The nearest model id."},
                },
            }
        },
    },
    "FileError": {
        "type": "object",
        "required": ["success", "code", "msg"],
        "properties": {
            "success": {"const": False},
            "code": {"type": "integer"},
            "msg": {"type": "string", "description": "One plain sentence."},
        },
    },
}


def name(status: int, path: str) -> str:
    """The component that describes `status` on the route `path`."""
    return ("File" if path.startswith(FILES_PREFIX) else "") + MEANINGS[status][0]


def responses() -> dict[str, Any]:
    """Every component: a status in both shapes."""
    found = {}
    for status, (title, description, code) in MEANINGS.items():
        error = {"error": {"code": code, "message": description, "type": "…"}}
        found[title] = _response(status, description, "Error", error)
        file_error = {"success": False, "code": status, "msg": description}
        found[f"File{title}"] = _response(status, description, "FileError", file_error)
    return found


def _response(status: int, description: str, schema: str, example: dict[str, Any]) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}, "example": example}}
    response: dict[str, Any] = {"description": description, "content": content}
    if status in RETRIED:
        seconds = {"description": "Seconds to wait.", "schema": {"type": "integer"}}
        response["headers"] = {"Retry-After": seconds}
    return response

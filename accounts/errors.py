"""The customer's mistakes, each an exception with a status, a code and one plain sentence.

    ApiError
    ├── InvalidRequest 400   invalid_json · invalid_parameter · missing_parameter · unknown_model_parameter · …
    ├── Unauthenticated 401  missing_api_key · invalid_api_key · key_expired · key_disabled
    ├── QuotaExceeded 402    account_balance_insufficient · key_quota_exhausted · key_daily_quota_exhausted · …
    ├── Forbidden 403        key_model_not_allowed · key_ip_not_allowed · key_scope_missing · …
    ├── NotFound 404         model_not_found · task_not_found · file_not_found · element_not_found · …
    ├── Conflict 409         idempotency_in_progress · task_not_cancellable · quote_expired
    ├── TooLarge 413         request_too_large · file_too_large
    ├── UnsupportedMediaType 415
    ├── Unprocessable 422    idempotency_conflict · quote_mismatch
    ├── TooManyRequests 429  rate_limited · too_many_running_tasks
    └── Unavailable 503      model_unavailable · maintenance

`evolink_saas.errors` renders them in the one error shape. The outside world's failures are
`generations.providers.base.ProviderError`; a broken invariant of ours is neither and crashes.
"""

from typing import Any

from rest_framework.exceptions import APIException


class ApiError(APIException):
    """One refused request. `details` are further members of the answer's `error` object."""

    status_code = 500
    error_type = "internal_server_error"

    def __init__(
        self,
        code: str,
        message: str,
        *,
        param: str | None = None,
        retry_after_seconds: int | None = None,
        **details: Any,
    ) -> None:
        super().__init__(detail=message, code=code)
        self.code = code
        self.message = message
        self.param = param
        self.retry_after_seconds = retry_after_seconds
        self.details = details

    def body(self) -> dict[str, Any]:
        """The answer's JSON: `{"error": {"code", "message", "type", "param"?, …details}}`."""
        error: dict[str, Any] = {"code": self.code, "message": self.message, "type": self.error_type}
        if self.param is not None:
            error["param"] = self.param
        return {"error": error | self.details}


class InvalidRequest(ApiError):
    status_code = 400
    error_type = "invalid_request_error"


class Unauthenticated(ApiError):
    status_code = 401
    error_type = "authentication_error"


class QuotaExceeded(ApiError):
    status_code = 402
    error_type = "insufficient_quota_error"


class Forbidden(ApiError):
    status_code = 403
    error_type = "permission_error"


class NotFound(ApiError):
    status_code = 404
    error_type = "not_found_error"


class Conflict(ApiError):
    status_code = 409
    error_type = "conflict_error"


class TooLarge(ApiError):
    status_code = 413
    error_type = "request_too_large_error"


class UnsupportedMediaType(ApiError):
    status_code = 415
    error_type = "invalid_request_error"


class Unprocessable(ApiError):
    status_code = 422
    error_type = "invalid_request_error"


class TooManyRequests(ApiError):
    status_code = 429
    error_type = "rate_limit_error"


class Unavailable(ApiError):
    status_code = 503
    error_type = "service_unavailable_error"

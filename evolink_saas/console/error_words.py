"""Why something failed or was refused, in the reader's words: what happened, and what to do.

`FAILURES` are the codes of failed tasks, `REFUSALS` those of refused requests. tests/console/test_error_words.py holds
both against docs/errors.md, so that no code is without words. `ON_PAGES` is what pages alone are refused, or what a
code means where a person without an API key looks at it.
"""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from accounts.errors import ApiError
from evolink_saas.console.wording import Words
from generations.models import Task

Pair = tuple[Words, Words]
AGAIN: Words = _("Try again.")
LATER: Words = _("Try again in a few minutes.")
SUPPORT: Words = _("Please contact support.")
NEW_FILE: Words = _("Upload the file again and use its new link.")
LOOK_AT_FIELD: Words = _("Correct the field that is named, then send it again.")


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """`param` is the field to blame, where one is known; `detail` the API's own sentence, which may say more."""

    what: Words
    do: Words
    param: str = ""
    detail: str = ""


FAILURES: dict[str, Pair] = {
    "content_policy_violation": (
        _("The content policy does not allow this request."),
        _("Change the prompt or the images, then try again."),
    ),
    "invalid_parameters": (_("A setting or the video of the request cannot be used."), LOOK_AT_FIELD),
    "image_processing_error": (
        _("An image cannot be read, or has the wrong format or size."),
        _("Use JPEG or PNG, and look at the size that the model takes."),
    ),
    "image_dimension_mismatch": (
        _("An image is too small, or too long or wide for its other side."),
        _("Use an image with other sides."),
    ),
    "face_not_found": (
        _("No face can be seen clearly where one is needed."),
        _("Use a picture with one face, from the front and well lit."),
    ),
    "media_unreachable": (
        _("The address of an image or a video did not give us the file."),
        _("Make it public, or upload the file here and use its link."),
    ),
    "video_probe_failed": (_("The video cannot be read."), _("Use MP4 or MOV.")),
    "resource_not_found": (_("A file, an element or a voice of the request is gone."), NEW_FILE),
    "request_cancelled": (_("The task was cancelled."), _("Ask for it again whenever you like.")),
    "generation_failed_no_content": (_("The generation ended without a result."), AGAIN),
    "generation_timeout": (_("The generation did not finish in time."), AGAIN),
    "resource_exhausted": (_("There was no capacity left for it."), LATER),
    "service_unavailable": (_("The model could not be reached any more."), LATER),
    "service_error": (_("The generation failed on our side."), AGAIN),
    "unknown_error": (_("The generation failed, and no reason is known."), AGAIN),
}
REFUSALS: dict[str, Pair] = {
    "invalid_json": (_("The request cannot be read."), _("Send a JSON object in UTF-8.")),
    "invalid_parameter": (_("A field of the request has a value that is not accepted."), LOOK_AT_FIELD),
    "missing_parameter": (_("A field of the request is missing."), _("Fill in the field that is named.")),
    "unknown_model_parameter": (
        _("The model does not know a field of the request."),
        _("Remove the field that is named, or look for a typing error."),
    ),
    "invalid_task_id": (_("This is not the id of a task."), _("Use the id as you got it.")),
    "invalid_idempotency_key": (
        _("The Idempotency-Key cannot be used."),
        _("Use 16 to 96 letters, digits, dots, underscores or hyphens."),
    ),
    "element_not_found": (
        _("An element does not exist, or was deleted."),
        _("Use an element of this organization."),
    ),
    "callback_url_not_allowed": (_("The callback address is not allowed."), _("Use a public https address.")),
    "media_url_not_allowed": (
        _("The address of an image or a video is not allowed."),
        _("Use a public address, or a file of this organization that still exists."),
    ),
    "invalid_image": (_("The image cannot be used by this model."), _("Use another image.")),
    "invalid_video": (_("The video cannot be used by this model."), _("Use another video.")),
    "face_not_found": FAILURES["face_not_found"],
    "invalid_voucher_code": (_("This is not a voucher code."), _("Look for a typing error.")),
    "missing_api_key": (_("The request has no API key."), _("Send an API key.")),
    "invalid_api_key": (_("There is no such API key."), _("Look for a typing error, or use another key.")),
    "key_expired": (_("The API key has expired."), _("Use a new key.")),
    "key_disabled": (_("The API key was disabled or revoked."), _("Enable it, or use another key.")),
    "account_balance_insufficient": (
        _("The available credits do not cover the price."),
        _("Buy credits, or choose a shorter or plainer video."),
    ),
    "key_quota_exhausted": (
        _("The API key has spent its limit."),
        _("Raise the limit of the key, or use another one."),
    ),
    "key_daily_quota_exhausted": (
        _("The API key has spent its limit of the day."),
        _("Wait until midnight UTC, or raise the limit of the key."),
    ),
    "key_monthly_quota_exhausted": (
        _("The API key has spent its limit of the month."),
        _("Wait until the first of the month, or raise the limit of the key."),
    ),
    "organization_monthly_cap_reached": (
        _("The organization has spent its cap of the month."),
        _("Wait until the first of the month, or raise the cap."),
    ),
    "key_paused": (_("The API key is paused because its spending jumped."), _("Look at the keys and resume it.")),
    "key_model_not_allowed": (_("The API key may not use this model."), _("Use another key or another model.")),
    "key_ip_not_allowed": (_("The API key may not be used from this network."), _("Use another key.")),
    "key_scope_missing": (_("The API key may not do this."), _("Use a key with the right to do it.")),
    "organization_suspended": (_("This organization is suspended."), SUPPORT),
    "wallet_frozen": (_("The credits of this organization are frozen."), SUPPORT),
    "operator_cannot_join": (
        _("An operator of the gateway belongs to no organization."),
        _("Use another e-mail address."),
    ),
    "sandbox_cannot_buy": (_("A sandbox pays with test credits."), _("Leave the sandbox to buy credits.")),
    "no_credits_for_sandbox": (_("A sandbox pays with test credits."), _("Use the live organization.")),
    "not_a_member": (_("Only a member can do this."), _("Ask an owner to invite you.")),
    "last_owner": (_("An organization must keep an owner."), _("Make somebody else an owner first.")),
    "model_not_found": (_("There is no such model."), _("Choose one from the list of models.")),
    "task_not_found": (_("There is no such task."), _("Look for it in the list of tasks.")),
    "key_not_found": (_("There is no such API key, or it was revoked."), _("Look at the list of keys.")),
    "file_not_found": (_("This file does not exist any more."), NEW_FILE),
    "statement_not_found": (_("There is no statement for this month."), _("Choose another month.")),
    "top_up_not_found": (_("There is no such top-up."), _("Look at the list of top-ups.")),
    "voucher_not_found": (_("There is no such voucher."), _("Look for a typing error.")),
    "delivery_not_found": (_("There is no such callback."), _("Look at the list of callbacks.")),
    "invalid_url": (_("There is nothing at this address."), _("Look for a typing error.")),
    "method_not_allowed": (_("This address does not take such a request."), _("Look at the API reference.")),
    "idempotency_in_progress": (_("The same request is still being taken."), LATER),
    "task_not_cancellable": (
        _("The task cannot be cancelled any more: the work has been sent, or it has ended."),
        _("Wait for its end. You pay only if it is completed."),
    ),
    "quote_expired": (_("The quote has expired or was used."), _("Ask for a new one.")),
    "payment_method_missing": (
        _("No payment method is saved."),
        _("Buy credits once and let the payment method be saved."),
    ),
    "voucher_already_redeemed": (
        _("Your organization has the credits of this voucher already."),
        _("Use another voucher."),
    ),
    "voucher_disabled": (_("The voucher was withdrawn."), _("Ask whoever gave it to you.")),
    "voucher_not_yet_valid": (_("The voucher is not valid yet."), _("Redeem it later.")),
    "voucher_expired": (_("The voucher was not redeemed in time."), _("Ask whoever gave it to you.")),
    "voucher_used_up": (_("The voucher has been redeemed as often as it may be."), _("Use another voucher.")),
    "request_too_large": (_("The request is too large."), _("Send less at a time.")),
    "unsupported_media_type": (_("The request is in a format that is not understood."), _("Send JSON.")),
    "idempotency_conflict": (
        _("The Idempotency-Key was used with another request."),
        _("Use a new key for each request."),
    ),
    "quote_mismatch": (_("The quote is for another request."), _("Send what was quoted, or ask for a new quote.")),
    "rate_limited": (_("Too many requests were made at once."), LATER),
    "too_many_running_tasks": (_("As many tasks are unfinished as may be."), _("Wait until some have ended.")),
    "too_many_open_top_ups": (_("Too many top-ups are open."), _("Pay one of them, or wait until they expire.")),
    "too_many_voucher_tries": (_("Too many wrong voucher codes were tried."), _("Try again in an hour.")),
    "internal_error": (_("Something went wrong on our side."), LATER),
    "model_unavailable": (_("The model is not available at the moment. Nothing was reserved."), LATER),
    "top_ups_unavailable": (_("Credits cannot be bought at the moment. Nothing was charged."), LATER),
    "maintenance": (_("This is switched off for a while. Nothing was reserved."), LATER),
    "file_too_large": (_("The file is too large."), _("Make it smaller, then upload it again.")),
    "file_type_not_allowed": (
        _("Only JPEG, PNG, WebP, GIF, MP4 and MOV files are taken."),
        _("Save the file in one of these formats. Its content decides, not its name."),
    ),
    "file_quota_exceeded": (
        _("You keep as many files as you may."),
        _("Delete some, or wait until they expire."),
    ),
    "url_download_failed": (_("The address did not give us the file."), _("Make it public, or upload the file.")),
    "storage_error": (_("The file could not be stored."), AGAIN),
}

ON_PAGES: dict[str, Words] = {
    "role_not_allowed": _("Your role in this organization does not allow this."),
    "already_member": _("This person is a member already."),
    "too_many_invitations": _("Too many invitations are open. Revoke some first."),
    "invitation_not_found": _("This invitation is not valid any more. Please ask for a new one."),
    "invitation_for_another": _("This invitation is for another e-mail address. Sign in with that one to accept it."),
    "key_scope_missing": _("Your role does not allow this for API keys."),
    "member_not_found": _("There is no such member."),
    "missing_parameter": _("This is needed."),
    "idempotency_in_progress": _("This request is on its way already. Look at the history in a moment."),
}
IN_DETAIL = {"invalid_parameter", "unknown_model_parameter", "invalid_image", "invalid_video"}
"""Beside a field the API's own sentence is said: it names the limit that was passed."""


def of_task(task: Task) -> Explanation | None:
    """Why the task failed or was cancelled; None while neither."""
    if not task.error_code:
        return None
    what, do = FAILURES.get(task.error_code, (task.error_message, AGAIN if task.error_retryable else SUPPORT))
    return Explanation(what=what, do=do, param=task.error_param, detail=task.error_message)


def of_refusal(error: ApiError) -> Explanation:
    """Why a request was refused, and what to do."""
    what, do = REFUSALS.get(error.code) or (ON_PAGES.get(error.code, error.message), "")
    return Explanation(what=what, do=do, param=error.param or "", detail=error.message)


def refusal(error: ApiError) -> str:
    """The same in a line, for a message or beside a field of a form."""
    if error.code in IN_DETAIL:
        return error.message
    if error.code in ON_PAGES:
        return str(ON_PAGES[error.code])
    said = of_refusal(error)
    return f"{said.what} {said.do}".rstrip()

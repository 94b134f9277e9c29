"""The face of kie.ai, under `/kie`: one create for every model, HTTP 200 to everything, a code in the body.

inputs     what a create may say, model by model
answers    the envelope, codes, words, callbacks, and the few things it can be asked
"""

import secrets

from generations.sandbox.face import Face, Rate
from generations.sandbox.kie import answers, inputs
from generations.sandbox.store import Account

SLOTS = 100
FOURTEEN_DAYS, TWO_MONTHS = 14 * 24 * 3600.0, 60 * 24 * 3600.0


def new_account(api_key: str) -> Account:
    return Account(provider=answers.NAME, api_key=api_key, slots=SLOTS)


def new_id(now: float) -> str:
    return secrets.token_hex(16)


KIE = Face(
    name=answers.NAME,
    prefix="/kie",
    codes=answers.CODES,
    failures={name: words for name, (_, words) in answers.FAILURES.items()},
    readers={"/api/v1/jobs/createTask": inputs.read},
    routes=answers.ROUTES,
    new_account=new_account,
    account_of=answers.account_of,
    reference=inputs.reference,
    refused=answers.refused,
    created=answers.created,
    callback=answers.callback,
    new_id=new_id,
    rate=Rate(creates=20, seconds=10),
    answer_seconds=TWO_MONTHS,
    file_seconds=FOURTEEN_DAYS,
    retry_seconds=(10, 30),
)

"""How an upstream says no. The core knows a few reasons; a face has codes, and gives each reason one of them."""

REASONS = {
    "malformed": "the request cannot be understood",
    "unknown": "there is no such path or thing",
    "empty": "the account has no money left",
    "full": "the account has no slot left",
    "fast": "too many requests in too short a time",
    "internal": "something broke inside",
}


class Refusal(Exception):
    """One of a face's codes, or one of REASONS. `place`: the field that is wrong, such as `contents[0].url`."""

    def __init__(self, code: int | str, message: str = "", *, place: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.place = place

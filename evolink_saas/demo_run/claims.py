"""What the demo claims, checked as it goes: the first claim that does not hold ends it."""


class DemoFailed(Exception):
    """The demo could not go on, or something it claims did not hold; the message says what."""


def require(holds: object, sentence: str) -> None:
    """Raises DemoFailed with the sentence unless it holds."""
    if not holds:
        raise DemoFailed(sentence)

"""Prompts as kie.ai takes them: elements by name, and what not to show among the rest, for there is no field for it."""

import re

REFERENCE = re.compile(r"<<<element_([1-9])>>>(?=(\w?))")
OTHER_REFERENCE = re.compile(r"<<<(image|video)_[0-9]+>>>")
NAMED = re.compile(r"@element_[1-9]")
LONGEST_PROMPT = 2500
LONGEST_SHOT = 500
ROOM_OF_A_NAME = "x" * 37  # what a name takes of the prompt's room, however short it is


def element_name(number: int) -> str:
    """What the N-th element is called: none of the names contains another."""
    return f"element_{number}"


def written(prompt: str, negative_prompt: str) -> str:
    """`<<<element_1>>>` is `@element_1` here, and a space keeps it from the next word."""
    whole = f"{prompt}\nDo not show: {negative_prompt}".strip() if negative_prompt else prompt
    return REFERENCE.sub(lambda found: f"@{element_name(int(found[1]))}" + (" " if found[2] else ""), whole)


def fits(text: str, longest: int = LONGEST_PROMPT) -> bool:
    """Whether kie.ai takes a prompt of this length, as `written`."""
    return len(NAMED.sub(ROOM_OF_A_NAME, text)) <= longest

"""What can go wrong with the embedded server, said in one sentence."""


class PostgresProblem(Exception):
    """The embedded PostgreSQL cannot be used; the message says why and what to do."""

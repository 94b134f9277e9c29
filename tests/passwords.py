"""Passwords of test persons: the product's hash, made in a moment instead of a tenth of a second."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class QuickArgon2(Argon2PasswordHasher):
    """Any Argon2 hasher checks what it made: costs stand in the hash."""

    time_cost, memory_cost, parallelism = 1, 8, 1

"""How passwords are hashed: argon2id at a cost that a small container can pay several times at once."""

from __future__ import annotations

from django.contrib.auth.hashers import Argon2PasswordHasher


class BoundedArgon2(Argon2PasswordHasher):
    """19 MiB, two passes, one lane: the first choice of OWASP's Password Storage Cheat Sheet.

    Django's own 100 MiB a hash would let eight people who sign in together fill a container of 1 GiB. Hashes made at
    another cost stay valid and are renewed when their owner signs in.
    """

    memory_cost = 19_456
    time_cost = 2
    parallelism = 1

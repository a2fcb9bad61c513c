"""Chance that does not depend on what happened before: the same question always has the same answer."""

from __future__ import annotations

import hashlib

_BYTES = 6
_LARGEST = 2.0 ** (8 * _BYTES)


def drawn(*question: object) -> float:
    """A number from 0 up to 1 that follows from the question."""
    text = "/".join(str(part) for part in question)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=_BYTES).digest()) / _LARGEST

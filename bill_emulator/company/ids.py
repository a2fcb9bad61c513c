"""BILL-like identifiers: 20 letters and digits, of which the first three say what the record is (documented).

The rest is invented. It is scrambled on purpose: sorting by id says nothing about the order of creation.
"""

from __future__ import annotations

import zlib
from functools import lru_cache

ID_LENGTH = 20

_SERIALS = 16**10
_SCRAMBLE = 763_622_384_679  # odd, so that every serial number gets an id of its own


def make_id(prefix: str, seed: int, serial: int) -> str:
    """The id of the `serial`-th record (from 0) behind a three-character prefix."""
    return f"{_tag(prefix, seed)}{(serial + 1) * _SCRAMBLE % _SERIALS:010X}"


_LINES = {
    "billLineItems": "bli",
    "vendorCreditLineItems": "vcl",
    "recurringBillLineItems": "rbl",
    "invoiceLineItems": "00f",
    "creditMemoLineItems": "cml",
    "recurringInvoiceLineItems": "ril",
}
_MOST_LINES = 16


def line_id(lines: str, seed: int, parent: int, place: int) -> str:
    """The id of a line of the `parent`-th record, by the name of the field that holds the lines."""
    return make_id(_LINES[lines], seed, parent * _MOST_LINES + place)


@lru_cache(maxsize=256)
def _tag(prefix: str, seed: int) -> str:
    return f"{prefix}02{zlib.crc32(f'{prefix}/{seed}'.encode()) % 16**5:05X}"

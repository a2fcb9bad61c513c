"""The tap's table of assumptions, the emulator's marks and what a report may say."""

from __future__ import annotations

import inspect

import pytest

from bill_emulator import Emulator
from bill_emulator.marks import MARKS
from tap_bill.verify.assumptions import ASSUMPTIONS
from tap_bill.verify.findings import ODD_NAME, Note, fails


def test_the_emulator_marks_what_the_tap_assumes():
    ours = {each.name: each.confidence.name.lower().replace("_", "-") for each in ASSUMPTIONS}
    assert ours == {name: mark.known_from for name, mark in MARKS.items()}
    assert len(ours) == len(ASSUMPTIONS)


def test_the_switches_of_the_marks_exist():
    switches = inspect.signature(Emulator).parameters
    assert {mark.switch for mark in MARKS.values()} - {""} <= {*switches}


@pytest.mark.parametrize("name", ["colour", "address.line1", "lines[].unitPrice", "billPayments[].vendorCredits"])
def test_names_of_fields_are_told(name):
    assert fails("known_fields", "bills", Note.FIELDS, names=(name,)).names == (name,)


@pytest.mark.parametrize("name", ["Jane Roe", "00n01ABCDEF2345678", "acme inc", "a@b.example", "x" * 41, "Acme", ""])
def test_what_may_be_content_is_not(name):
    assert fails("known_fields", "bills", Note.FIELDS, names=(name,)).names == (ODD_NAME,)


def test_a_finding_is_about_a_known_assumption():
    with pytest.raises(KeyError):
        fails("no_such_assumption")

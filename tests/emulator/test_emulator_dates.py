"""The `Date` headers: right ones and odd ones."""

from __future__ import annotations

import http.client
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
import requests
from emulator_client import Client

from bill_emulator import Clock, Company, Emulator

# It is 12:30:15 on this Wednesday.
RIGHT = "Wed, 01 Jul 2026 12:30:15 GMT"
FORMS = {
    "right": [RIGHT],
    "twice": [RIGHT, RIGHT],
    "two": [RIGHT, "Wed, 01 Jul 2026 12:30:16 GMT"],
    "asctime": ["Wed Jul  1 12:30:15 2026"],
    "rfc850": ["Wednesday, 01-Jul-26 12:30:15 GMT"],
    "minus_zero": ["Wed, 01 Jul 2026 12:30:15 -0000"],
    "zone": ["Wed, 01 Jul 2026 14:30:15 +0200"],
    "huge_zone": ["Wed, 01 Jul 2026 12:30:15 +9999"],
    "year_9999": ["Fri, 31 Dec 9999 23:59:59 GMT"],
    "garbage": ["the day before yesterday"],
    "empty": [""],
    "none": [],
}


def dates(client, path="/connect/v3/bills"):
    """The values of all `Date` headers of an answer."""
    connection = http.client.HTTPConnection(urlsplit(client.emulator.url).netloc, timeout=120)
    headers = {name: client.http.headers[name] for name in ("sessionId", "devKey") if name in client.http.headers}
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.headers.get_all("Date", [])


@pytest.mark.parametrize("form", FORMS)
def test_every_answer_is_dated_so(serve, form):
    _, client = serve(bills=5, date=form)
    for path in ("/connect/v3/bills", "/connect/v3/nonsense", "/elsewhere", "/connect/v3/spend/cards"):
        assert dates(client, path) == FORMS[form]
    assert dates(client, "/control") == [RIGHT]


@pytest.mark.parametrize("form", ["none", "twice", "garbage"])
def test_only_the_first_answers_are_dated_so(form):
    at = datetime(2026, 7, 1, 12, 30, 15, tzinfo=UTC)
    with Emulator(company=Company(bills=5), clock=Clock(at, frozen=True), date=form, date_answers=2) as emulator:
        client = Client(emulator)
        found = [dates(client) for _ in range(4)]
        client.close()
    assert found == [FORMS[form]] * 2 + [[RIGHT]] * 2


def test_a_broken_answer_is_dated_so_too(serve):
    emulator, client = serve(bills=5, date="asctime")
    emulator.faults.plan("server_error")
    assert dates(client) == FORMS["asctime"]


def test_a_day_of_two_digits():
    at = datetime(1994, 11, 16, 8, 49, 37, tzinfo=UTC)
    for form, expected in {
        "asctime": "Wed Nov 16 08:49:37 1994",
        "rfc850": "Wednesday, 16-Nov-94 08:49:37 GMT",
    }.items():
        with Emulator(company=Company(bills=5), clock=Clock(at, frozen=True), date=form) as emulator:
            assert requests.get(emulator.url + "/v3/bills", timeout=120).headers["Date"] == expected


@pytest.mark.parametrize(
    ("option", "message"),
    [({"date": "julian"}, "date must be one of right, twice, "), ({"date_answers": -1}, "date_answers must not be")],
)
def test_impossible_settings_are_refused(option, message):
    with pytest.raises(ValueError, match=message):
        Emulator(company=Company(bills=0), **option)


def test_the_command_line_dates_answers(from_shell):
    _, client = from_shell("--date", "none", "--date-answers", "2")  # the first is the sign-in's
    assert [len(dates(client)) for _ in range(3)] == [0, 1, 1]
    _, client = from_shell("--date", "garbage")
    assert dates(client) == FORMS["garbage"]

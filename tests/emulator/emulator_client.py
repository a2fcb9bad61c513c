"""A client for the emulator's public door, written for the tests."""

from __future__ import annotations

from decimal import Decimal

import requests


class Client:
    """Signed in after `login()`; every path is below `/v3`."""

    def __init__(self, emulator):
        self.emulator = emulator
        self.http = requests.Session()

    def credentials(self, **changes):
        known = self.emulator.credentials
        body = {
            "username": known["username"],
            "password": known["password"],
            "organizationId": known["organization_id"],
            "devKey": known["dev_key"],
        }
        return {name: value for name, value in (body | changes).items() if value is not None}

    def post(self, path, **options):
        return self.http.post(f"{self.emulator.url}/v3{path}", timeout=120, allow_redirects=False, **options)

    def get(self, path, headers=None, **parameters):
        url = f"{self.emulator.url}/v3{path}"
        return self.http.get(url, params=parameters, headers=headers, timeout=120, allow_redirects=False)

    def login(self):
        answer = self.post("/login", json=self.credentials())
        assert answer.status_code == 200, answer.text
        self.http.headers.update(sessionId=answer.json()["sessionId"], devKey=self.emulator.credentials["dev_key"])
        return self

    def ok(self, path, **parameters):
        """The decoded body of a 200; numbers are Decimals."""
        answer = self.get(path, **parameters)
        assert answer.status_code == 200, answer.text
        return answer.json(parse_float=Decimal)

    def refused(self, path, **parameters):
        """The message of a 400 in the validation shape."""
        answer = self.get(path, **parameters)
        assert answer.status_code == 400, answer.text
        (problem,) = answer.json()
        assert set(problem) == {"timestamp", "severity", "message"}
        assert problem["severity"] == "ERROR"
        return problem["message"]

    def pages(self, path, *, limit=1000, **parameters):
        """Follow nextPage to the end; yields page after page."""
        body = self.ok(path, **parameters)
        yield body
        for _ in range(limit):
            if "nextPage" not in body:
                return
            body = self.ok(path, page=body["nextPage"], **parameters)
            yield body
        raise AssertionError("no end of pages")

    def spend(self, path, **parameters):
        """The decoded body of a 200 of Spend & Expense."""
        token = self.emulator.spend_credentials["spend_api_token"]
        answer = self.get(f"/spend/{path}", headers={"apiToken": token}, **parameters)
        assert answer.status_code == 200, answer.text
        return answer.json(parse_float=Decimal)

    def spend_ids(self, path, **parameters):
        """The ids of all pages of a list of Spend & Expense, in order."""
        body = self.spend(path, **parameters)
        found = [row["id"] for row in body["results"]]
        while "nextPage" in body:
            body = self.spend(path, nextPage=body["nextPage"], **parameters)
            found += [row["id"] for row in body["results"]]
        return found

    def ids(self, path, **parameters):
        """The ids of all pages, in order."""
        return [row["id"] for page in self.pages(path, **parameters) for row in page["results"]]

    def close(self):
        self.http.close()


def code_of(answer):
    """Status and BDC code of an error in the documented shape."""
    (problem,) = answer.json()
    assert set(problem) == {"timestamp", "code", "severity", "category", "message"}
    return answer.status_code, problem["code"]

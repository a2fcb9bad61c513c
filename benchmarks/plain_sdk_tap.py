"""The plain way to write this tap: RESTStream, JSONPathPaginator, and the SDK's defaults for all else."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import requests
from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.pagination import JSONPathPaginator

SCHEMA = json.loads((Path(__file__).parents[1] / "schemas" / "bills.json").read_text())
SCHEMA["properties"]["payments"]["items"]["properties"] = {}  # the SDK's default path fails without


class Bills(RESTStream[str]):
    """Bills, as most REST taps read a list."""

    name = "bills"
    path = "/v3/bills"
    primary_keys = ("organizationId", "id")
    replication_key = "updatedTime"
    schema = SCHEMA
    records_jsonpath = "$.results[*]"

    @property
    def url_base(self) -> str:
        """The server."""
        return str(self.config["api_url"])

    @cached_property
    def session_id(self) -> str:
        """The session, made once."""
        body = {name: self.config[name] for name in ("username", "password")}
        body |= {"organizationId": self.config["organization_id"], "devKey": self.config["dev_key"]}
        return str(requests.post(f"{self.url_base}/v3/login", json=body, timeout=60).json()["sessionId"])

    @property
    def http_headers(self) -> dict[str, str]:
        """BILL's two headers."""
        return {"sessionId": self.session_id, "devKey": self.config["dev_key"], "Accept": "application/json"}

    def get_new_paginator(self) -> JSONPathPaginator:
        """Follow `nextPage`."""
        return JSONPathPaginator("$.nextPage")

    def get_url_params(self, context: Any, next_page_token: str | None) -> dict[str, Any]:
        """Sort by the replication key, as readers usually do."""
        del context
        return {"max": 100, "sort": "updatedTime:asc"} | ({"page": next_page_token} if next_page_token else {})

    def post_process(self, row: dict[str, Any], context: Any = None) -> dict[str, Any]:
        """Add the organization, which is part of the key."""
        del context
        return {"organizationId": self.config["organization_id"], **row}


class PlainTap(Tap):
    """One stream."""

    name = "plain-sdk-tap"
    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList().to_dict()

    def discover_streams(self) -> list[Bills]:
        """Return it."""
        return [Bills(self)]


if __name__ == "__main__":
    PlainTap.cli()

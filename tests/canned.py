"""A BILL that gives the answers it is told to give, for what no well-behaved server sends."""

from __future__ import annotations

import json

ORGANIZATION = "00801TAPBILLFIXTURE1"


def serve(server, answers, *, login=None):
    """Serve answers by path, or by (path, query); returns the settings that read them.

    An answer is a text, or what becomes JSON; a number is the status of a refusal that says that there is no record.
    """
    server.clear()
    login = login or {"sessionId": "s", "organizationId": ORGANIZATION, "userId": "006", "trusted": False}
    for asked, answer in {"/v3/login": login, "/v3/logout": "", **answers}.items():
        path, query = asked if isinstance(asked, tuple) else (asked, None)
        status = answer if isinstance(answer, int) else 200
        body = [{"code": "BDC_1205", "message": "not there"}] if isinstance(answer, int) else answer
        server.expect_request(f"/connect{path}", query_string=query).respond_with_data(
            body if isinstance(body, str) else json.dumps(body), status, content_type="application/json"
        )
    return {
        "username": "token",
        "password": "value",
        "dev_key": "01KEY",
        "organization_id": ORGANIZATION,
        "api_url": server.url_for("/connect"),
    }


def serve_oauth(server, answers, *, token=None):
    """The same for OAuth; `token` is the answer to the request for one."""
    token = token or {"access_token": "t", "token_type": "Bearer", "expires_in": 3600}
    config = serve(server, {"/authx/token": token, "/v3/login/session": {"organizationId": ORGANIZATION}, **answers})
    app = {"client_id": "client", "client_secret": "secret"}
    return app | {name: config[name] for name in ("organization_id", "api_url")}


def asked(server):
    """The paths that were asked for, in order."""
    return [request.path.removeprefix("/connect") for request, _ in server.log]

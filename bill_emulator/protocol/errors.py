"""The error bodies.

Documented: a JSON array of objects with timestamp, code, severity, category, message. Observed: validation errors are
such an array without code (and category). Third-party: the gateway in front answers one object with a message.
The texts are this emulator's own; BILL's differ.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

ErrorBody = list[dict[str, Any]] | dict[str, Any]


@dataclass(frozen=True, slots=True)
class Problem:
    """A BILL error: HTTP status, code, category and text. The status is BILL's own only where marked in the table."""

    status: int
    code: str
    category: str
    message: str


NO_SESSION = Problem(401, "BDC_1109", "REQUEST", "The session is not valid or has ended. Sign in again.")
WRONG_PASSWORD = Problem(401, "BDC_1101", "REQUEST", "User name or password is wrong.")
WRONG_CLIENT = Problem(401, "BDC_1101", "REQUEST", "Client id or client secret is wrong.")  # assumed
WRONG_KEY = Problem(401, "BDC_1102", "REQUEST", "The developer key is not valid.")  # status assumed
NO_API_ACCESS = Problem(403, "BDC_1105", "REQUEST", "The organization has no API access.")  # status assumed
UNKNOWN_PATH = Problem(404, "BDC_1121", "REQUEST", "This API is not supported.")
NO_RECORD = Problem(404, "BDC_1205", "APPLICATION", "The record does not exist.")
TOO_MANY_AT_ONCE = Problem(429, "BDC_1322", "REQUEST", "Too many requests at once.")  # status assumed
HOUR_USED_UP = Problem(429, "BDC_1144", "REQUEST", "The developer key's hour is used up.")  # status assumed
NO_PERMISSION = Problem(403, "BDC_1302", "APPLICATION", "The user's role may not do this.")


class AnswerError(Exception, ABC):
    """Stop here and answer with an error."""

    status: int
    headers: Mapping[str, str] = MappingProxyType({})

    @abstractmethod
    def body(self, timestamp: str) -> ErrorBody:
        """The JSON value to answer with."""


class CodedError(AnswerError):
    """An error with a `BDC_` code, in the documented shape."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem
        self.status = problem.status

    def body(self, timestamp: str) -> ErrorBody:
        """An array with one object, which carries the code."""
        problem = self.problem
        return [
            {
                "timestamp": timestamp,
                "code": problem.code,
                "severity": "ERROR",
                "category": problem.category,
                "message": problem.message,
            }
        ]


class ValidationError(AnswerError):
    """400 in the observed shape of validation errors: one object per message, without a code."""

    status = 400

    def __init__(self, *messages: str) -> None:
        super().__init__(*messages)
        self.messages = messages

    def body(self, timestamp: str) -> ErrorBody:
        """An array with one object per message."""
        return [{"timestamp": timestamp, "severity": "ERROR", "message": message} for message in self.messages]


class GatewayError(AnswerError):
    """What the gateway answers before BILL sees the request (third-party: a single object)."""

    status = 404

    def body(self, timestamp: str) -> ErrorBody:
        """One object with a message."""
        return {"message": f"no such path ({timestamp})"}

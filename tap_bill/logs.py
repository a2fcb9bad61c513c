"""The log of a run over several organizations: every line says whose it is."""

from __future__ import annotations

import logging
from contextvars import ContextVar

ORGANIZATION: ContextVar[str] = ContextVar("organization", default="")
"""The organization that this thread works for; empty in a run over one."""


class OrganizationFilter(logging.Filter):
    """Puts the organization before a message, and drops what the SDK tells of every stream of every organization."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record is logged, after adding the organization to it."""
        organization = ORGANIZATION.get()
        if not organization:
            return True
        if record.levelno == logging.INFO and record.name != "tap-bill":
            return False
        record.msg, record.args = f"{organization}: {record.getMessage()}", ()
        return True


def name_organizations() -> None:
    """Let every line of the log name its organization from now on."""
    for handler in logging.getLogger().handlers:
        handler.addFilter(OrganizationFilter())

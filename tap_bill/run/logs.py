"""The log: without what the SDK says of its own working, and with the organization where a run reads several."""

from __future__ import annotations

import logging
import typing as t
from contextvars import ContextVar
from pathlib import Path

import singer_sdk

CURRENT_ORGANIZATION: ContextVar[str] = ContextVar("organization", default="")
"""The organization that this thread works for; empty in a run over one."""


_SDK = str(Path(singer_sdk.__file__).parent)


SDK_NOTES: t.Final = (
    "Added '%s' as child stream",
    "Parsing '%s' config from env",
    "Parsing env var",
    "Skipping parse of env var",
)
"""Lines of the SDK that tell a user nothing, or what the tap says better."""


def be_quiet() -> None:
    """Drop `SDK_NOTES` from now on."""
    for name in ("tap-bill", "singer_sdk.configuration._dict_config"):
        logging.getLogger(name).addFilter(_is_of_use)


def _is_of_use(record: logging.LogRecord) -> bool:
    return record.levelno > logging.INFO or not str(record.msg).startswith(SDK_NOTES)


class OrganizationFilter(logging.Filter):
    """Puts the organization before a message, and drops lines that come for every stream of each."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record is logged, after adding the organization to it."""
        organization = CURRENT_ORGANIZATION.get()
        if not organization:
            return True
        of_a_stream = record.name != "tap-bill"
        if record.levelno == logging.INFO and (of_a_stream or record.pathname.startswith(_SDK)):
            return False
        record.msg, record.args = f"{organization}: {record.getMessage()}", ()
        return True


def name_organizations() -> None:
    """Let every line of the log name its organization from now on."""
    for handler in logging.getLogger().handlers:
        handler.addFilter(OrganizationFilter())

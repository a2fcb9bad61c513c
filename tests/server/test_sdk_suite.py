"""The SDK's own tap tests, every record of every stream, against the emulator."""

from __future__ import annotations

import atexit

import pytest
from singer_sdk.testing import SuiteConfig, get_tap_test_class

from bill_emulator import Company, Credentials, Emulator
from tap_bill.tap import TapBill

# The suite reads the streams while pytest collects, so the server is there for as long as the module is.
USER = Credentials(is_sync_token=False)  # who may see what waits for approval
EMULATOR = Emulator(company=Company(seed=7, bills=60), credentials=USER, spend_limit=0)
EMULATOR.__enter__()
atexit.register(EMULATOR.__exit__, None, None, None)

CONFIG = {**EMULATOR.credentials, **EMULATOR.spend_credentials, "api_url": EMULATOR.url}
CATALOG = TapBill(config=CONFIG).catalog_dict
for entry in CATALOG["streams"]:
    for field in entry["metadata"]:
        field["metadata"]["selected"] = True


# _unknown_fields is there only when BILL sends fields that the schema does not name, and the emulator sends none.
@pytest.mark.filterwarnings("ignore:Fields in transformed catalog but not in records:UserWarning")
@pytest.mark.filterwarnings("ignore:No records were available to test:UserWarning")
class TestTapBill(
    get_tap_test_class(
        TapBill,
        config=CONFIG,
        catalog=CATALOG,
        # The suite reads the streams one by one, and that one has rows only at the end of a run.
        suite_config=SuiteConfig(max_records_limit=None, ignore_no_records_for_streams=["sync_audit"]),
    )
):
    pass

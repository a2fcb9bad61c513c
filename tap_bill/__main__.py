"""Run the tap with `python -m tap_bill`."""

from tap_bill.tap import TapBill

TapBill.cli()

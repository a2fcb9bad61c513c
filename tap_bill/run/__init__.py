"""Runs over one or many organizations, their report, and `--test`."""

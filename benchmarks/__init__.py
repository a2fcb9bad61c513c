"""Measurements to run by hand; see README.md."""

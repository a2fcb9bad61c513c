"""Streams, rows and Singer messages."""

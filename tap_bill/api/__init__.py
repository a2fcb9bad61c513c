"""BILL over HTTP: sign-in, limits, retries, pages; knows nothing of Singer."""

"""The whole pipeline in one command: BILL emulator, tap-bill, target-postgres, PostgreSQL. See `python -m demo`."""

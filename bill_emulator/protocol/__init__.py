"""BILL's v3 API over HTTP: sign-in, lists, limits, Spend & Expense, and every way to misbehave."""

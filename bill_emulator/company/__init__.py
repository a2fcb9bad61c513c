"""The invented company: its books, people and settings. It knows nothing of HTTP."""

"""`tap-bill --verify-api`: what the tap assumes about BILL, tried on the user's BILL."""

"""Singer tap for the BILL (Bill.com) v3 API."""

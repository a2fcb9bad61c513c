"""What is to be read, what is on its way, and what is left: scans, the reader, the state."""

"""What operators and administrators do over many connections."""

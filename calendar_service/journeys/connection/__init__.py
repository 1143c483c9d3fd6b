"""One agent's connection, from consent to erasure."""

"""The database: every key, every lifetime and every atomic step. Must not know Google or the web."""

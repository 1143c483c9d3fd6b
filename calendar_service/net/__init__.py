"""Outgoing connections: opened within a deadline, never re-opened by themselves. Knows no peer."""

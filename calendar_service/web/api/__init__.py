"""The internal API: one table of calls, which serves requests and describes itself."""

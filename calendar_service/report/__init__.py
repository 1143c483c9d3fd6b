"""The conformance report: clause by clause, what is promised and what shows that it is kept. Must change nothing."""

"""The conformance report: for each clause, the promise and its evidence. Changes nothing."""

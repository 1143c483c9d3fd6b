"""The HTTP entry points: internal API, pages, and what the operator's tools read. Journeys make the decisions."""

"""A Google Calendar integration that keeps one published promise."""

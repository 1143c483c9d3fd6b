"""The client of Google: OAuth, and the calendar methods of law 1."""

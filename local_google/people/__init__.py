"""Pages for people: consent, accounts, a week of a calendar, permissions."""

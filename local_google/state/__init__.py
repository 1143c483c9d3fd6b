"""The state of the local Google: books, journal, faults, switches, clock."""

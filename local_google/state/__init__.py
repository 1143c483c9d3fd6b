"""What this Google knows and does: books, journal, faults, switches, clock."""

"""Our side of Google: OAuth and the calendar methods of law 1. Must not know store, journeys or web."""

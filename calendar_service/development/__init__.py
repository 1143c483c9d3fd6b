"""`calendar-service run`: everything on one machine, for development only."""

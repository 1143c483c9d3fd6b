"""Plain values of the service, and what follows from them. Imports the standard library only."""

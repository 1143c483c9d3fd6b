"""The stand-in agent console and the reviewer console around it."""

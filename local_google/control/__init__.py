"""For tests and demonstrations: the control endpoints, and a generated month of a contact centre."""

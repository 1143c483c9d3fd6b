"""For tests and demonstrations: the control endpoints, and a month of made-up accounts."""

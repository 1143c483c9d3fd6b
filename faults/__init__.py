"""A campaign of faults against the real processes: nothing lost, nothing doubled. The service must not import it."""

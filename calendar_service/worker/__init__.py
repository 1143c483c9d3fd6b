"""The worker: runs what is due, of every agent and of the whole service. Must not decide what a journey decides."""

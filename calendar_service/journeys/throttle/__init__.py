"""May this call at Google go now? Breaker, rate budget, backoff."""

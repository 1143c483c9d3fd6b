"""The audit log's chain: sealed, checkpointed, exported, verified."""

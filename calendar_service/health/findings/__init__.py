"""Doctor's sentences, by subject: what a measure means, and what to do about it. Must not measure."""

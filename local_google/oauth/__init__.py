"""OAuth 2.0: consent, codes, tokens, revocation."""

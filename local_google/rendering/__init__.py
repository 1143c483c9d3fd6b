"""Pages: language, texts, templates."""

"""What pages and report are written with: languages, templates and style. Must not know the web or a journey."""

"""Languages, templates and style of the pages and the report."""

"""Pages, style sheet and translations, kept together; being a package, the folder travels in the wheel."""

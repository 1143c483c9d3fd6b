"""The templates of one language, for pages and report. Must not know what is written with them."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from calendar_service.rendering.language import TEMPLATES, catalogue


@cache
def environment(code: str) -> Environment:
    """Return the templates of one language: escaped, strict about names, without anything to load at run time."""
    loaded = Environment(
        loader=PackageLoader(TEMPLATES, ""),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    loaded.policies["ext.i18n.trimmed"] = True
    loaded.install_gettext_translations(catalogue(code), newstyle=True)  # type: ignore[attr-defined]
    return loaded

"""The templates of one language, for pages and report."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from calendar_service.rendering.language import TEMPLATES, catalogue


@cache
def environment(code: str) -> Environment:
    """Return the templates of one language; they escape values and raise for an undefined name."""
    templates = Environment(
        loader=PackageLoader(TEMPLATES, ""),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.policies["ext.i18n.trimmed"] = True
    templates.install_gettext_translations(catalogue(code), newstyle=True)  # type: ignore[attr-defined]
    return templates

"""Whether a page speaks one language: nothing English that is not marked so in what a Spanish reader sees or hears."""

import re

from playwright.sync_api import Page

_ENGLISH = re.compile(r"\b(and|are|for|from|is|not|of|that|the|this|to|with|you|your)\b", re.IGNORECASE)
"""Words that every English sentence has and no Spanish one."""


def in_english(page: Page) -> list[str]:
    """Return the texts that have two such words; quotations marked with their language and code are left out."""
    texts: list[str] = page.evaluate(_TEXTS)
    return [f"speaks English: {text}" for text in texts if len(_ENGLISH.findall(text)) >= 2]


_TEXTS = """() => {
    const found = [document.title], own = document.documentElement.lang;
    const text = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const foreign = each => each.closest('code, pre, [lang]:not([lang="' + own + '"])');
    while (text.nextNode()) if (!foreign(text.currentNode.parentElement)) found.push(text.currentNode.data.trim());
    for (const each of document.querySelectorAll('[aria-label], [alt]'))
        if (!foreign(each)) found.push(each.getAttribute('aria-label') ?? each.getAttribute('alt'));
    return found;
}"""

"""Whether everybody can use a page: what axe-core finds, what is too wide, which words nobody translates."""

from __future__ import annotations

import re

from playwright.sync_api import Page

from .parts import axe

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PHONE = {"width": 390, "height": 844}
ZOOMED = {"width": 320, "height": 256}  #: 1280 x 1024 at 400 % (WCAG 1.4.10)


def audit(page: Page, state: str, *, only: str = "") -> None:
    """axe finds nothing (below `only`, a selector), and nothing is wider than the screen. Raises AssertionError."""
    page.emulate_media(reduced_motion="reduce")  # a colour on its way from light to dark is no finding
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe() + ";1")
    found = page.evaluate(
        "([options, only]) => axe.run(only ? { include: only } : document, options).then(all =>"
        " all.violations.map(v => `${v.id}: ${v.nodes.map(n => n.target.join(' ') + ' ' + (n.any[0]?.message ?? ''))"
        ".join(' | ')}`))",
        [{"runOnly": RULES, "resultTypes": ["violations"]}, only],
    )
    assert found == [], f"{state}: {found}"
    width = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert width[0] <= width[1], f"{state}: the page is {width[0]} px wide on a screen of {width[1]}"


#: What people typed or what is the same in every language; all other words must come from a catalogue.
NAMES = re.compile(
    r"\d+:\d+.[AP]M|"
    r"Calm|Evening|Cardiology|Grace \w+|Katherine Johnson|"
    r"Dr Ada Smith|Ada Smith|Ada|Smith|Dr|Elm Street Practice|ada-[\w-]+@elm\.example"
    r"|/?room-[\w-]+|localhost:\d+/?|https?://\S+|hc-\S+|[\d:.,/ +·–-]+|RPPS|BIG-nummer|\S+@\S+|127\.0\.0\.0/24"
)


def bare(page: Page, *, only: str = "body", names: re.Pattern[str] = NAMES) -> list[str]:
    """Texts, labels and titles that passed no catalogue: the pseudo-locale puts all others in brackets.

    What is in `<code>` is a name that people type, in every language.
    """
    texts = page.evaluate(
        """only => {
          const found = [];
          for (const root of document.querySelectorAll(only)) {
            const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
            while (walk.nextNode()) if (!walk.currentNode.parentElement.closest("script, style, noscript, code"))
              found.push(walk.currentNode.data);
            for (const element of root.querySelectorAll("[aria-label], [title], [alt], [placeholder]"))
              for (const name of ["aria-label", "title", "alt", "placeholder"]) if (element.getAttribute(name))
                found.push(element.getAttribute(name));
          }
          if (only === "body") found.push(document.title);
          return found;
        }""",
        only,
    )
    left = []
    for text in texts:
        rest = text
        for _ in range(3):  # words within words within words
            rest = re.sub(r"\[[^\[\]]*\]", "", rest)
        rest = names.sub("", rest).strip(" \n\t[]()|,")
        if re.search(r"[A-Za-z]{2}", rest):
            left.append(text.strip())
    return left

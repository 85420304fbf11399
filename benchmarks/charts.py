"""Pictures of the figures: bars as plain SVG, which follow the reader's light or dark scheme."""

from __future__ import annotations

from html import escape

WIDTH, LABEL, ROW, LEFT = 720, 130, 22, 16
COLOURS = {"stock": "#b4564a", "tuned": "#c99a3b", "node": "#6b9a58", "demo": "#c99a3b", "housecall": "#3f78b5"}
STYLE = """text { font: 13px system-ui, sans-serif; fill: #222 } .title { font-size: 15px; font-weight: 600 }
.soft { fill: #666 } @media (prefers-color-scheme: dark) { text { fill: #eee } .soft { fill: #aaa } }"""


def bars(title: str, unit: str, groups: dict[str, dict[str, float]]) -> str:
    """One group of bars below the other, each bar a server's median; all bars have one scale."""
    most = max((value for group in groups.values() for value in group.values()), default=0) or 1
    room, y = WIDTH - LEFT - LABEL - 90, 30
    parts = [f'<text class="title" x="{LEFT}" y="20">{escape(title)}</text>']
    for name, group in groups.items():
        y += 24
        parts.append(f'<text class="soft" x="{LEFT}" y="{y - 6}">{escape(name)}</text>')
        for server, value in group.items():
            length = max(1.0, value / most * room)
            parts += [
                f'<text x="{LEFT}" y="{y + 13}">{escape(server)}</text>',
                f'<rect x="{LEFT + LABEL}" y="{y + 1}" width="{length:.1f}" height="{ROW - 6}" rx="3" '
                f'fill="{COLOURS.get(server, "#888")}"/>',
                f'<text x="{LEFT + LABEL + length + 8:.1f}" y="{y + 13}">{value:,.4g} {escape(unit)}</text>',
            ]
            y += ROW
    said = "; ".join(
        f"{name}: " + ", ".join(f"{s} {v:.4g} {unit}" for s, v in of.items()) for name, of in groups.items()
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + 10}" width="{WIDTH}" height="{y + 10}" '
        f'role="img"><title>{escape(title)}</title><desc>{escape(said)}</desc><style>{STYLE}</style>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )

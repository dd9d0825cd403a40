"""Write ``knowledge_base/text/pinyin.txt`` anew: how the characters of GB 2312 sound, by pypinyin.

A table because importing pypinyin takes 0.2 s and 58 MB in a process that needs one reading of each
character. Run: ``python scripts/new_pinyin.py``.
"""

from importlib.metadata import version
from pathlib import Path

from pypinyin import lazy_pinyin

TABLE = Path(__file__).parent.parent / "knowledge_base" / "text" / "pinyin.txt"


def gb2312() -> list[str]:
    """Its 6,763 characters."""
    pairs = (bytes([row, cell]) for row in range(0xB0, 0xF8) for cell in range(0xA1, 0xFF))
    return [char for pair in pairs if (char := pair.decode("gb2312", errors="ignore"))]


def table() -> str:
    """A line a syllable: the syllable without its tone, and its characters."""
    by_sound: dict[str, list[str]] = {}
    for char in gb2312():
        by_sound.setdefault(lazy_pinyin(char)[0], []).append(char)
    head = (
        "# How the characters of GB 2312 sound when they stand alone, without tones.\n"
        f"# Made by scripts/new_pinyin.py from pypinyin {version('pypinyin')} (MIT licence).\n"
    )
    return head + "".join(
        f"{syllable} {''.join(chars)}\n" for syllable, chars in sorted(by_sound.items())
    )


if __name__ == "__main__":
    TABLE.write_text(table(), encoding="utf-8")

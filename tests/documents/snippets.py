#!/usr/bin/env python3
"""snippets.py: the C++ in docs/guide/ is code that the build compiles and the tests run.

Each ```cpp block must stand, line for line and whatever its indentation, in a source under examples/, src/ or tests/; "…" on a
line of its own stands for lines left out. `changing-events.md` shows what a user changes in code of his own, and is exempt.
"""

import pathlib
import re
import sys
import textwrap

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXEMPT = {"changing-events.md"}


def lines_of(text):
    return [line.strip() for line in textwrap.dedent(text).splitlines() if line.strip()]


def stands_in(wanted, source):
    """Whether the parts between "…" follow one another in the source."""
    parts, part = [], []
    for line in wanted:
        if line in ("…", "// …"):
            parts.append(part)
            part = []
        else:
            part.append(line)
    parts.append(part)
    begin = 0
    for part in parts:
        for at in range(begin, len(source) - len(part) + 1):
            if source[at:at + len(part)] == part:
                begin = at + len(part)
                break
        else:
            return False
    return True


def main():
    sources = [lines_of(path.read_text(encoding="utf-8"))
               for folder in ("examples", "src", "tests") for path in (ROOT / folder).rglob("*.[ch]pp")]
    assert not stands_in(["int nobody_wrote_this;"], sources[0]), "the check finds what is not there"
    count, missing = 0, []
    for page in sorted((ROOT / "docs/guide").glob("*.md")):
        if page.name in EXEMPT:
            continue
        for block in re.findall(r"^```cpp\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
            count += 1
            wanted = lines_of(block)
            if not any(stands_in(wanted, source) for source in sources):
                missing.append(f"{page.relative_to(ROOT)}: no source holds:\n{textwrap.indent(block, '    ')}")
    print("\n".join(missing) or f"{count} snippets stand in compiled sources")
    return 1 if missing or count == 0 else 0


sys.exit(main())

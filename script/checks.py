#!/usr/bin/env python3
"""Rules of the project that no compiler knows, checked on the text of its files.

Each rule is a generator over a Tree (path -> text) that yields findings. SELF_TESTS plants, for each rule, files that it
must report, and the same tree without them must be clean: a rule that has gone blind fails there first.
"""

import argparse
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

FUNCTION_LINES_MAX = 100
FILE_LINES_WARNED = 600
FILE_LINES_MAX = 800

# (rule, path or folder ending in "/") -> why the rule does not hold there.
EXEMPT = {
    ("outside-world", "src/env/"): "the adapters to the real world live here",
    ("outside-world", "bench/"): "benches measure the real world",
    ("outside-world", "src/event/testing/seed.hpp"): "a random test draws its seed, and prints it",
    ("outside-world", "src/telemetry/log_test.cpp"): "several real threads write to one log at once",
    ("outside-world", "src/telemetry/metrics_test.cpp"): "several real threads count on one metric at once",
    ("open-question", "script/checks.py"): "names what it looks for",
    ("machine-path", "script/checks.py"): "names what it looks for",
}


@dataclass
class Finding:
    path: str
    line: int
    message: str
    warning: bool = False


@dataclass
class Tree:
    """Text files by path, as git knows them. Derived views are made once."""

    files: dict[str, str]
    code_: dict[str, str] = field(default_factory=dict)

    def matching(self, pattern: str):
        regex = re.compile(pattern)
        return [(path, self.files[path]) for path in sorted(self.files) if regex.fullmatch(path)]

    def cpp(self, pattern: str = r"(src|apps|examples|tests|bench)/.*"):
        return [(p, t) for p, t in self.matching(pattern) if p.endswith((".hpp", ".cpp"))]

    def code(self, path: str) -> str:
        """C++ with comments and the insides of literals blanked; lines stay where they are."""
        if path not in self.code_:
            self.code_[path] = blank_comments_and_literals(self.files[path])
        return self.code_[path]


CPP_TOKENS = re.compile(
    r"""
      (?P<comment> //[^\n]* | /\*.*?\*/ )
    | (?P<raw> R"(?P<fence>[^\s()\\]{0,16})\(.*?\)(?P=fence)" )
    | (?P<string> "(?:\\.|[^"\\\n])*" )
    | (?P<char> (?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+' )
    """,
    re.VERBOSE | re.DOTALL,
)


def blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def blank_comments_and_literals(text: str) -> str:
    def replace(match):
        whole = match.group(0)
        if match.lastgroup in ("comment",):
            return blank(whole)
        return whole[0] + blank(whole[1:-1]) + whole[-1]

    return CPP_TOKENS.sub(replace, text)


def includes_of(text: str):
    """(line, how, target) of each #include: how is '<' or '"'."""
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if match:
            yield number, match.group(1), match.group(2)


def line_of(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


# ---------------------------------------------------------------------------------------------------------------- rules


def public_header_dependency(tree: Tree):
    """Headers under include/ include the standard library and leftfold only: users compile no dependency of ours."""
    for path, text in tree.cpp(r"src/[^/]+/include/.*"):
        for line, how, target in includes_of(text):
            standard = how == "<" and re.fullmatch(r"[a-z_0-9]+", target)
            if not standard and not target.startswith("leftfold/"):
                yield Finding(path, line, f"public header includes {target}: keep it in a source, behind our own type")


OUTSIDE_WORLD = [
    (r"\b(system_clock|steady_clock|high_resolution_clock|utc_clock|file_clock)::now\b", "time comes from Clock"),
    (r"\bsystem_clock\b", "civil time is Timestamp, read from Clock"),
    (r"\b(clock_gettime|gettimeofday)\s*\(", "time comes from Clock"),
    (r"(?<![\w.>])s?rand\s*\(", "chance comes from Random"),
    (r"\brandom_device\b", "chance comes from Random"),
    (r"\bstd::(jthread|thread)\b(?!::id)|\bstd::async\b|\bpthread_create\b", "threads come from Workers and shards"),
    (r"(?<![\w>])::(open|openat|creat|fopen)\s*\(|\bstd::fopen\b", "files come from FileSystem"),
    (r"\b(sleep_for|sleep_until|usleep|nanosleep)\b", "waiting is Scheduler::call_after"),
]


def outside_world(tree: Tree):
    """Time, chance, threads, sleeping and opening files happen in src/env only, tests included: else nothing can be simulated."""
    for path, _ in tree.cpp():
        code = tree.code(path)
        seen = set()
        for pattern, instead in OUTSIDE_WORLD:
            if "random_device" in pattern and path.endswith("_test.cpp"):
                continue  # how a random test draws the seed that it prints
            for match in re.finditer(pattern, code):
                line = line_of(code, match.start())
                if line not in seen:
                    seen.add(line)
                    yield Finding(path, line, f"'{match.group(0).strip()}' outside src/env: {instead}")


CONTAINER = re.compile(r"\b(namespace|class|struct|union|enum|extern)\b(?![^<]*>\s*\()")
CONTROL = re.compile(r"^\s*(if|for|while|switch|do|else|try|catch|return)\b")


def functions_of(code: str):
    """(first line, last line) of each outermost function body, by its braces."""
    stack, head_start, inside = [], 0, 0
    for match in re.finditer(r"[{};]", code):
        token, at = match.group(0), match.start()
        if token == ";":
            head_start = at + 1
        elif token == "{":
            head = re.sub(r"^\s*#.*$", "", code[head_start:at], flags=re.MULTILINE)
            function = not inside and ")" in head and not CONTROL.match(head)
            if function and CONTAINER.search(head.split("(")[0]) and "operator" not in head:
                function = bool(re.search(r"\)\s*(const|noexcept|override|final|&|\s)*(->.*)?$", head))
            stack.append((function, line_of(code, head_start + len(head) - len(head.lstrip()))))
            inside += function
            head_start = at + 1
        elif stack:
            function, first = stack.pop()
            head_start = at + 1
            if function:
                inside -= 1
                yield first, line_of(code, at)


def length(tree: Tree):
    """A function fits 100 lines, a file 600 (both warnings), and no file passes 800."""
    for path, text in tree.cpp():
        lines = text.count("\n")
        if lines > FILE_LINES_WARNED:
            yield Finding(path, 1, f"{lines} lines: split it (at most {FILE_LINES_MAX})", warning=lines <= FILE_LINES_MAX)
        for first, last in functions_of(tree.code(path)):
            if last - first + 1 > FUNCTION_LINES_MAX:
                yield Finding(path, first, f"a function of {last - first + 1} lines: name its parts", warning=True)


def open_question(tree: Tree):
    """No TODO or FIXME: what is left to do is an issue, or a sentence on what is not there."""
    for path, text in tree.files.items():
        for match in re.finditer(r"\b(TODO|FIXME)\b", text):
            yield Finding(path, line_of(text, match.start()), f"{match.group(0)}: do it, or file it as an issue")


def machine_path(tree: Tree):
    """No path of somebody's machine in a file of the project."""
    for path, text in tree.files.items():
        for match in re.finditer(r"(?:^|(?<=[\s\"'`=(:,]))/(work|root|home/\w+)(?=/)", text, re.MULTILINE):
            yield Finding(path, line_of(text, match.start()), f"path of one machine: {match.group(0)}/")


def modules_of(tree: Tree):
    return sorted({p.split("/")[1] for p in tree.files if re.fullmatch(r"src/[^/]+/CMakeLists\.txt", p)})


def module_page(tree: Tree):
    """Every module has a README.md."""
    for module in modules_of(tree):
        if f"src/{module}/README.md" not in tree.files:
            yield Finding(f"src/{module}/README.md", 1, "missing: what the module is for, what it may use, what it promises")


def licence(tree: Tree):
    """The licence is there, whole."""
    text = tree.files.get("LICENSE", "")
    if "Apache License" not in text or "END OF TERMS AND CONDITIONS" not in text:
        yield Finding("LICENSE", 1, "the text of the Apache License 2.0 is missing")


def header_form(tree: Tree):
    """A public header opens with a comment on what it is for; every header says #pragma once."""
    for path, text in tree.cpp():
        if not path.endswith(".hpp"):
            continue
        if "/include/" in path and not re.match(r"(//|/\*)\s*\S", text):
            yield Finding(path, 1, "does not open with a comment on what it is for")
        if not re.search(r"^#pragma once$", text, re.MULTILINE):
            yield Finding(path, 1, "no #pragma once")


@dataclass
class Module:
    lists: dict[str, list[str]]

    def get(self, key: str) -> list[str]:
        return self.lists.get(key, [])


KEYWORDS = ("DEPENDS", "SOURCES", "LIBRARIES", "TESTS", "TEST_DEPENDS", "TEST_LIBRARIES", "FUZZ", "TEST_ONLY")


def parse_module(text: str):
    text = re.sub(r"#[^\n]*", "", text)
    match = re.search(r"leftfold_module\(\s*\w+([^)]*)\)", text)
    if not match:
        return None
    lists, current = {}, None
    for word in match.group(1).split():
        if word in KEYWORDS:
            current = lists.setdefault(word, [])
        elif current is not None:
            current.append(word)
    return Module(lists)


def resolved(folder: Path, relative: str) -> str:
    return os.path.normpath(str(folder / relative))


def is_inside(path: str, relative: str, folder: str) -> bool:
    return resolved(Path(path).parent, relative).startswith(f"{folder}/")


def module_edge(tree: Tree):
    """What a module includes, it declares: leftfold/Y/ in module X needs Y in its DEPENDS (tests: or TEST_DEPENDS)."""
    for name in modules_of(tree):
        cmake = f"src/{name}/CMakeLists.txt"
        module = parse_module(tree.files[cmake])
        if module is None:
            continue
        allowed = {name, *module.get("DEPENDS")}
        used = set()
        for path, text in tree.cpp(rf"src/{name}/.*"):
            test = re.search(r"(^|[/_])test(s|ing)?[._/]", path.removeprefix(f"src/{name}/"))
            for line, how, target in includes_of(text):
                if target.startswith("../") and not is_inside(path, target, f"src/{name}"):
                    yield Finding(path, line, f'"{target}" leaves the folder: include by leftfold/MODULE/')
                if not target.startswith("leftfold/"):
                    continue
                other = target.split("/")[1]
                used.add(other)
                if other in allowed or test and other in module.get("TEST_DEPENDS"):
                    continue
                where = "DEPENDS or TEST_DEPENDS" if test else "DEPENDS"
                yield Finding(path, line, f"includes {target}, but {cmake} has no '{other}' in {where}")
        for other in sorted((allowed | set(module.get("TEST_DEPENDS"))) - used - {name}):
            yield Finding(cmake, 1, f"'{name}' declares '{other}' and includes nothing of it", warning=True)


def forgotten_source(tree: Tree):
    """Every .cpp of a module is built: a test that no CMakeLists.txt names never runs."""
    for name in modules_of(tree):
        cmake = f"src/{name}/CMakeLists.txt"
        words = set(re.sub(r"#[^\n]*", "", tree.files[cmake]).replace(")", " ").replace("(", " ").split())
        for path, _ in tree.cpp(rf"src/{name}/.*"):
            below = path.removeprefix(f"src/{name}/")
            if path.endswith(".cpp") and below not in words and f"{below.split('/')[0]}/CMakeLists.txt" not in tree.files:
                yield Finding(path, 1, f"is named nowhere in {cmake}")


def document_link(tree: Tree):
    """A relative link in a page leads to a file that is there."""
    folders = dict.fromkeys(str(parent) for path in tree.files for parent in Path(path).parents)
    for path, text in tree.matching(r".*\.md"):
        text = re.sub(r"```.*?```|`[^`\n]*`", lambda match: blank(match.group(0)), text, flags=re.DOTALL)
        for match in re.finditer(r"\]\(([^)\s#]+)(?:#[^)\s]*)?\)", text):
            target = match.group(1)
            if re.match(r"[a-z]+:", target):
                continue
            if resolved(Path(path).parent, target) not in tree.files | folders:
                yield Finding(path, line_of(text, match.start()), f"link to {target}, which is not there")


def dependency_page(tree: Tree):
    """What cmake/Dependencies.cmake finds has its line in docs/dependencies.md, by the same name."""
    page = tree.files.get("docs/dependencies.md", "")
    cmake = "cmake/Dependencies.cmake"
    for match in re.finditer(r"find_package\((\w+)", tree.files.get(cmake, "")):
        if f"`{match.group(1)}`" not in page:
            line = line_of(tree.files[cmake], match.start())
            yield Finding(cmake, line, f"docs/dependencies.md does not say what `{match.group(1)}` is for")


RULES = {
    "public-header-dependency": public_header_dependency,
    "outside-world": outside_world,
    "length": length,
    "open-question": open_question,
    "machine-path": machine_path,
    "module-page": module_page,
    "licence": licence,
    "header-form": header_form,
    "module-edge": module_edge,
    "forgotten-source": forgotten_source,
    "document-link": document_link,
    "dependency-page": dependency_page,
}


def is_exempt(rule: str, path: str) -> bool:
    return any(r == rule and (path == p or p.endswith("/") and path.startswith(p)) for r, p in EXEMPT)


def check(tree: Tree):
    for name, rule in RULES.items():
        for finding in rule(tree):
            if not is_exempt(name, finding.path):
                yield name, finding


# ------------------------------------------------------------------------------------------------------------ self-test

CLEAN = {
    "LICENSE": "Apache License\nEND OF TERMS AND CONDITIONS\n",
    "cmake/Dependencies.cmake": "find_package(fmt REQUIRED)\n",
    "docs/dependencies.md": "| {fmt} (`fmt`) | text |\n",
    "README.md": "See [the module](src/a/README.md) and [all](src/).\n",
    "src/a/README.md": "# a\n",
    "src/a/CMakeLists.txt": "leftfold_module(a\n    SOURCES a.cpp\n    TESTS a_test.cpp\n    FUZZ fuzz/x.cpp)\n",
    "src/a/include/leftfold/a/a.hpp": "// A: the first letter.\n#pragma once\n\n#include <vector>\n",
    "src/a/a.cpp": '#include "leftfold/a/a.hpp"\n'
    "// steady_clock::now() and ::open( in a comment, and below in strings, are no use of them\n"
    'const char* text = "std::thread " R"(system_clock)";\n'
    "std::int64_t value = 1'000'000; Clock::time_point operand(int); file.open(path); this_thread::get_id();\n",
    "src/a/a_test.cpp": '#include "leftfold/a/a.hpp"\nstd::random_device seed;\n',
    "src/a/fuzz/x.cpp": '#include "../detail.hpp"\n',
    "src/a/detail.hpp": "#pragma once\n",
    "src/b/README.md": "# b\n",
    "src/b/CMakeLists.txt": "leftfold_module(b\n    DEPENDS a\n    SOURCES b.cpp)  # uses a\n",
    "src/b/b.cpp": '#include "leftfold/a/a.hpp"\n',
    "src/env/README.md": "# env\n",
    "src/env/CMakeLists.txt": "leftfold_module(env SOURCES clock.cpp)\n",
    "src/env/clock.cpp": "auto now = std::chrono::steady_clock::now();\n",
}

LONG_FUNCTION = "namespace x {\nclass Y {\n    void f(int a) const {\n" + "        ++a;\n" * 100 + "    }\n};\n}\n"
HEADER = "src/a/include/leftfold/a/a.hpp"

# (rule, planted files, path that must be reported, its line). None as text removes a file.
SELF_TESTS = [
    *[
        ("public-header-dependency", {HEADER: f"// A.\n#pragma once\n#include {target}\n"}, HEADER, 3)
        for target in ("<boost/asio.hpp>", "<fmt/format.h>", "<simdjson.h>", "<sqlite3.h>", "<librdkafka/rdkafka.h>",
                       "<CLI/CLI.hpp>", "<openssl/ssl.h>", "<toml++/toml.h>", "<xxhash.h>", '"detail.hpp"')
    ],
    *[
        ("outside-world", {"src/a/a.cpp": f"// for a\nvoid f() {{ {code}; }}\n"}, "src/a/a.cpp", 2)
        for code in ("auto t = std::chrono::system_clock::now()", "using C = std::chrono::system_clock",
                     "auto t = steady_clock::now()", "std::random_device d", "std::thread t(f)", "std::jthread t(f)",
                     "auto x = std::async(f)", "int fd = ::open(path, 0)", "int r = rand()", "int r = std::rand()",
                     "std::this_thread::sleep_for(1ms)", "usleep(3)")
    ],
    ("outside-world", {"src/a/a_test.cpp": "void f() {\n    usleep(3);\n}\n"}, "src/a/a_test.cpp", 2),
    ("outside-world", {"examples/x/main.cpp": "std::thread t;\n"}, "examples/x/main.cpp", 1),
    ("length", {"src/a/a.cpp": "int a;\n" * 801}, "src/a/a.cpp", 1),
    ("length", {"src/a/a.cpp": "int a;\n" * 601}, "src/a/a.cpp", 1),
    ("length", {"src/a/a.cpp": LONG_FUNCTION}, "src/a/a.cpp", 3),
    ("length", {"src/a/a_test.cpp": LONG_FUNCTION.replace("    void f(int a) const", "TEST(A, b)")}, "src/a/a_test.cpp", 3),
    ("open-question", {"README.md": "# x\n\nTODO: more\n"}, "README.md", 3),
    ("open-question", {"src/a/a.cpp": "// FIXME later\n"}, "src/a/a.cpp", 1),
    ("machine-path", {"script/x": "cd /work/x/src\n"}, "script/x", 1),
    ("machine-path", {"script/x": 'cd "/home/ann/a"\n'}, "script/x", 1),
    ("machine-path", {"script/x": "HOME=/root/x\n"}, "script/x", 1),
    ("module-page", {"src/b/README.md": None}, "src/b/README.md", 1),
    ("licence", {"LICENSE": None}, "LICENSE", 1),
    ("licence", {"LICENSE": "Apache License\n"}, "LICENSE", 1),
    ("header-form", {HEADER: "#pragma once\n"}, HEADER, 1),
    ("header-form", {HEADER: "// A.\nint a();\n"}, HEADER, 1),
    ("header-form", {"src/a/detail.hpp": "int a();\n"}, "src/a/detail.hpp", 1),
    ("module-edge", {"src/a/a.cpp": '#include <map>\n#include "leftfold/b/b.hpp"\n'}, "src/a/a.cpp", 2),
    ("module-edge", {HEADER: '// A.\n#pragma once\n#include "leftfold/b/b.hpp"\n'}, HEADER, 3),
    ("module-edge", {"src/a/a.cpp": '#include "../b/b.hpp"\n'}, "src/a/a.cpp", 1),
    ("module-edge", {"src/b/b.cpp": "int b;\n"}, "src/b/CMakeLists.txt", 1),
    (
        "module-edge",
        {
            "src/a/CMakeLists.txt": "leftfold_module(a SOURCES a.cpp TESTS a_test.cpp TEST_DEPENDS sim FUZZ fuzz/x.cpp)\n",
            "src/a/a_test.cpp": '#include "leftfold/sim/sim.hpp"\n',
            "src/a/a.cpp": '#include "leftfold/sim/sim.hpp"\n',
        },
        "src/a/a.cpp",
        1,
    ),
    ("forgotten-source", {"src/a/new_test.cpp": "int a;\n"}, "src/a/new_test.cpp", 1),
    ("dependency-page", {"docs/dependencies.md": "text\n"}, "cmake/Dependencies.cmake", 1),
    ("document-link", {"docs/x.md": "[a](../READ.md)\n"}, "docs/x.md", 1),
]


def reported(files: dict[str, str]):
    return {(rule, f.path, f.line) for rule, f in check(Tree(files))}


def self_test() -> int:
    failures = [f"clean tree: reported {finding}" for finding in sorted(reported(CLEAN))]
    for rule, planted, path, line in SELF_TESTS:
        files = {p: t for p, t in (CLEAN | planted).items() if t is not None}
        found = {finding for finding in reported(files) if finding[0] == rule}
        if found != {(rule, path, line)}:
            failures.append(f"{rule}: planted {planted}, expected {path}:{line}, reported {sorted(found)}")
    untested = set(RULES) - {rule for rule, *_ in SELF_TESTS}
    failures += [f"{rule}: no self-test" for rule in sorted(untested)]
    for failure in failures:
        print(f"self-test: {failure}"[:600], file=sys.stderr)
    print(f"checks.py: {len(SELF_TESTS)} planted faults, {len(failures)} failures", file=sys.stderr if failures else sys.stdout)
    return 1 if failures else 0


# ----------------------------------------------------------------------------------------------------------------- main


def read_tree(root: Path) -> Tree:
    """What is committed or would be: a file that git ignores is nobody's business."""
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={root}", "-C", str(root), "ls-files", "-z", "--cached", "--others",
         "--exclude-standard"], check=True, capture_output=True)  # fmt: skip
    files = {}
    for name in listed.stdout.decode().split("\0"):
        path = root / name
        if not name or not path.is_file() or path.is_symlink() or "/corpus/" in name:
            continue
        data = path.read_bytes()
        if b"\0" not in data[:8192]:
            files[name] = data.decode("utf-8", errors="replace")
    return Tree(files)


def main() -> int:
    rules = "\n".join(f"  {name:26}{rule.__doc__}" for name, rule in RULES.items())
    exempt = "\n".join(f"  {rule:26}{path}: {why}" for (rule, path), why in EXEMPT.items())
    parser = argparse.ArgumentParser(
        description="Checks the project's own rules on the text of its files.",
        epilog=f"rules:\n{rules}\n\nwhere a rule does not hold (EXEMPT in this file):\n{exempt}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--self-test", action="store_true", help="prove on planted faults that every rule bites")
    parser.add_argument("--no-warnings", action="store_true", help="print errors only")
    arguments = parser.parse_args()
    if arguments.self_test:
        return self_test()

    tree = read_tree(Path(__file__).resolve().parent.parent)
    errors = warnings = 0
    for rule, finding in check(tree):
        errors += not finding.warning
        warnings += finding.warning
        if not (finding.warning and arguments.no_warnings):
            kind = "warning" if finding.warning else "error"
            print(f"{finding.path}:{finding.line}: {kind}: {finding.message} [{rule}]")
    print(f"checks.py: {len(tree.files)} files, {errors} errors, {warnings} warnings")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: BSD-2-Clause
"""The faults that tests/mutate/mutate plants: small changes of a C function's text."""
import re

SWAPS = {
    "<": ("<=", ">="), "<=": ("<", ">"), ">": (">=", "<="), ">=": (">", "<"), "==": ("!=",), "!=": ("==",),
    "&&": ("||",), "||": ("&&",), "+": ("-",), "-": ("+",), "<<": (">>",), ">>": ("<<",), "|": ("&",), "&": ("|",),
    "+=": ("-=", "="), "-=": ("+=", "="), "|=": ("&=", "="), "&=": ("|=", "="), "++": ("--",), "--": ("++",),
    "true": ("false",), "false": ("true",),
}
OPERATOR = re.compile(r"(?<= )(?:<<|>>|[<>=!]=|&&|\|\||[-+|&]=|[<>|&+-])(?= )|\+\+|--|\b(?:true|false)\b")
NUMBER = re.compile(r"(?<![\w.\"])(?:0x[0-9a-f]+|\d+)(?=[ul]*\b(?!\.))")
STATEMENT = re.compile(r"(?<=[{};:]\n)\t+(?!\s|return\b|case\b|default\b|goto\b|\(void\))[\w*(+-][^{};]*;(?=\n)")
DECLARATION = re.compile(r"\s*(?:const|static|struct|enum|union|unsigned|char|int|long|bool|u?int\d+_t|size_t|va_list|volatile)\b")
ORDER = re.compile(r"__ATOMIC_(?:ACQUIRE|RELEASE|ACQ_REL|SEQ_CST)")
FUNCTION = re.compile(r"^\{\n.*?^\}\n", re.M | re.S)
HIDDEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'|^[ \t]*#(?:[^\n]*\\\n)*[^\n]*', re.M | re.S)


def hide(text):
    """@text with comments, strings and directives blanked, every place kept."""
    return HIDDEN.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text)


def conditions(text):
    """(start, end) of what stands in the brackets of each if and while."""
    for found in re.finditer(r"\b(?:if|while) \(", text):
        end, depth = found.end(), 1
        while depth > 0:
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        yield found.end(), end - 1


def in_function(text):
    """(start, end, replacement, name of the kind) of each fault in @text, which hide() made."""
    for found in OPERATOR.finditer(text):
        for other in SWAPS[found.group()]:
            yield found.start(), found.end(), other, "operator"
    for found in NUMBER.finditer(text):
        if re.search(r"sizeof\([^()]*$", text[:found.start()]):
            continue
        value = int(found.group(), 0)
        for other in (value + 1, value - 1):
            if other >= 0:
                yield found.start(), found.end(), str(other), "number"
    for found in STATEMENT.finditer(text):
        if not DECLARATION.match(found.group()):
            yield found.start(), found.end(), "\t;", "statement"
    for found in ORDER.finditer(text):
        yield found.start(), found.end(), "__ATOMIC_RELAXED", "order"
    for start, end in conditions(text):
        for wrong in ("!(%s)", "(%s) && 0", "(%s) || 1"):
            if not (wrong.endswith("1") and text[:start].endswith("while (")):
                yield start, end, wrong, "condition"


def of_file(text):
    """Each fault of a C file: (start, end, the text instead, kind); places are of @text."""
    hidden = hide(text)
    for function in FUNCTION.finditer(hidden):
        base = function.start()
        for start, end, other, kind in in_function(function.group()):
            start, end = base + start, base + end
            yield start, end, other % text[start:end] if kind == "condition" else other, kind

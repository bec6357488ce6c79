"""Writes fulgurite as one file, to try it where only one can be pasted, an online compiler say.

    python3 include/amalgamate.py > fulgurite.hpp                            the core and the console exporter
    python3 include/amalgamate.py fulgurite.hpp > fulgurite.hpp              the core alone
    python3 include/amalgamate.py exporter/otlp_http.hpp > fulgurite.hpp     whatever else, named below include/fulgurite/

The headers of other libraries stay includes: the console exporter wants fmt (`-lfmt`). Compile with
`-std=c++20 -pthread`. Programs that stay had better use the headers as they are: they compile faster.
"""

import pathlib
import re
import sys

INCLUDE = pathlib.Path(__file__).resolve().parent
OURS = re.compile(r"#include <(fulgurite/[^>]+)>\n")


def version():
    text = (INCLUDE / "fulgurite" / "platform" / "version.hpp").read_text()
    return re.search(r'library_version = "([^"]+)"', text).group(1)


def one_file(names):
    """The text of the headers and of all of ours that they include, each once, what is included before who includes."""
    done, parts = set(), []

    def add(name):
        if name in done:
            return
        done.add(name)
        path = INCLUDE / name
        if not path.is_file():
            sys.exit(f"amalgamate.py: there is no {path}")
        text = path.read_text()
        for included in OURS.findall(text):
            add(included)
        text = OURS.sub("", text).replace("#pragma once\n", "")
        parts.append(f"// {'-' * (112 - len(name))} <{name}>\n" + re.sub(r"\n{3,}", "\n\n", text))

    for name in names:
        add(f"fulgurite/{name}")
    wanted = "".join(f"//   <fulgurite/{name}>\n" for name in names)
    return (f"// fulgurite {version()} in one file, made by include/amalgamate.py. It stands for\n{wanted}"
            "//\n// Licence: Apache-2.0\n#pragma once\n\n" + "\n".join(parts))


sys.stdout.write(one_file(sys.argv[1:] or ["fulgurite.hpp", "exporter/console.hpp"]))

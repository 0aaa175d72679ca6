#!/usr/bin/env python3
"""The subjects of the commits since the last tag, grouped by their Conventional Commits type."""

import subprocess
from collections import defaultdict


def git(*arguments):
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=False).stdout.strip()


def main():
    last = git("describe", "--tags", "--abbrev=0")
    groups = defaultdict(list)
    for subject in git("log", "--format=%s", f"{last}..HEAD" if last else "HEAD").splitlines():
        kind, colon, text = subject.partition(": ")
        groups[kind if colon else "other"].append(text or subject)
    for kind in sorted(groups):
        print(f"{kind}:")
        for text in groups[kind]:
            print(f"  - {text}")


if __name__ == "__main__":
    main()

"""Run benchmarks, each in a process of its own, and print their figures.

Usage: ``python -m clustering_platform_tests.benchmarks [opinions] [conversations] [topics] [names] [backfill]
[options]``.
Options go to the one benchmark that is named: ``opinions --sets A,B,C,D --rounds 5``; ``opinions --help`` tells them.
"""

import subprocess
import sys

ALL = ("opinions", "conversations", "topics", "names", "backfill")


def main() -> int:
    """Run the benchmarks that were named, or all, and return the number that failed."""
    names = [argument for argument in sys.argv[1:] if argument in ALL]
    options = [argument for argument in sys.argv[1:] if argument not in ALL]
    if options and len(names) != 1:
        print(f"name one of {', '.join(ALL)} before {' '.join(options)}", file=sys.stderr)
        return 2
    commands = (
        [sys.executable, "-m", f"clustering_platform_tests.benchmarks.{name}", *options] for name in names or ALL
    )
    return sum(subprocess.run(command, check=False).returncode != 0 for command in commands)


if __name__ == "__main__":
    raise SystemExit(main())

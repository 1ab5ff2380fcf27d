"""Run benchmarks, each in a process of its own, and print their figures.

Usage: ``python -m clustering_platform_tests.benchmarks [opinions] [topics]``.
"""

import subprocess
import sys

ALL = ("opinions", "topics")


def main() -> int:
    """Run the benchmarks that were named, or all, and return the number that failed."""
    chosen = sys.argv[1:] or ALL
    commands = ([sys.executable, "-m", f"clustering_platform_tests.benchmarks.{name}"] for name in chosen)
    return sum(subprocess.run(command, check=False).returncode != 0 for command in commands)


if __name__ == "__main__":
    raise SystemExit(main())

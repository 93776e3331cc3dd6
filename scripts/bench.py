"""``make bench``: all benchmarks, one after the other, each with its own baseline of the same run (docs/benchmarks.md).

``make bench ARGS='brain page'`` runs only these; their modules take more options themselves.
"""

import subprocess
import sys

from cli.processes import ROOT

ALL = {
    "routing": "The distribution in virtual time, beside Erlang C, longest idle and round robin",
    "connections": "1,000 pages connected: a line to the other side",
    "brain": "The brain beside stock Rasa",
    "brains": "One and two brains on PostgreSQL",
    "page": "From Enter to the bot's answer on the page",
    "wechat": "WeChat's callback",
}


def main() -> None:
    """Runs those that are named, or all. Exits with the first one's status that fails."""
    unknown = set(sys.argv[1:]) - set(ALL)
    if unknown:
        sys.exit(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(ALL)}")
    for name in sys.argv[1:] or ALL:
        print(f"\n## {name}: {ALL[name]}\n", flush=True)
        subprocess.run([sys.executable, "-m", f"scripts.bench_{name}"], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()

"""What `import lightbulb_envs` costs on top of Gymnasium and PettingZoo.

    python -m benchmarks.import_time [--repeats 15]

imports each in fresh processes, in turn, and prints the medians of one run and their difference.
"""

import argparse
import statistics
import subprocess
import sys

PEERS = "import gymnasium, pettingzoo"
OURS = "import gymnasium, pettingzoo, lightbulb_envs"
_TIMED = (
    "import sys, time; start = time.perf_counter(); {}; "
    "print(time.perf_counter() - start, int('torch' in sys.modules))"
)


def import_once(statement: str) -> tuple[float, bool]:
    """Returns the seconds that an import takes in a new process, and whether it loads torch."""
    command = [sys.executable, "-c", _TIMED.format(statement)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, loads_torch = done.stdout.split()
    return float(seconds), loads_torch == "1"


def main() -> None:
    """Prints the medians."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.import_time")
    parser.add_argument("--repeats", type=int, default=15)
    repeats = parser.parse_args().repeats
    seconds: dict[str, list[float]] = {PEERS: [], OURS: []}
    import_once(OURS)  # fills the file cache and compiles
    for _ in range(repeats):
        for statement, taken in seconds.items():
            taken.append(import_once(statement)[0])
    medians = {statement: statistics.median(taken) for statement, taken in seconds.items()}
    for statement, median in medians.items():
        print(f"{1000 * median:7.1f} ms  {statement}")
    print(f"{1000 * (medians[OURS] - medians[PEERS]):+7.1f} ms  added, medians of {repeats}")
    print(f"torch loaded: {import_once(OURS)[1]}")


if __name__ == "__main__":
    main()

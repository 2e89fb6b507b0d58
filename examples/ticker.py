"""A ticker: one line a second, in the colours that it likes."""

import itertools
import time


def main() -> None:
    for tick in itertools.count(1):
        print(f"tick \033[{31 + tick % 6}m{tick}\033[0m")
        time.sleep(1)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("the clock stops")

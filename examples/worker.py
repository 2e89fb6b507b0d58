"""A worker with a progress bar: its line is redrawn, and only its last state stays."""

import itertools
import time


def main() -> None:
    for job in itertools.count(1):
        for percent in range(0, 101, 5):
            print(f"\rjob {job}: {percent:3d} % {'#' * (percent // 5):<20}", end="", flush=True)
            time.sleep(0.1)
        print(f"\rjob {job}: \033[32mdone\033[0m")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("\nputting the job back")

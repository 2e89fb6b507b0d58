"""A program that takes the whole screen, as editors do: it draws its size and what was typed.

It draws anew only when it is told of another size, as curses programs do. ``q`` ends it.
"""

import os
import signal
import sys
import termios
import tty

former = termios.tcgetattr(0)
typed = ""


def draw(*_):
    rows, columns = os.get_terminal_size(0).lines, os.get_terminal_size(0).columns
    lines = [f"FULL {rows}x{columns}", f"typed <{typed}>"]
    out = "\x1b[2J" + "".join(f"\x1b[{place};1H{text}" for place, text in enumerate(lines, 1))
    # The bottom line by line feeds alone, which only move down where they are left as they are.
    out += f"\x1b[1;10H\n\nX\x1b[{rows};1Hbottom\x1b[2;1H"
    os.write(1, out.encode())


os.write(1, b"\x1b[?1049h\x1b[?25l\x1b[?1000h\x1b[?2004h")
tty.setraw(0)
signal.signal(signal.SIGWINCH, draw)
draw()
while True:
    key = os.read(0, 1)
    if key in (b"q", b""):
        break
    typed += key.decode(errors="replace") if key >= b" " else f"^{key[0]:02x}"
    draw()
os.write(1, b"\x1b[?2004l\x1b[?1000l\x1b[?25h\x1b[?1049l")
termios.tcsetattr(0, termios.TCSANOW, former)
print("left the screen", flush=True)
sys.exit(3)

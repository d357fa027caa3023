"""Runs a program on a terminal of its own and types an answer whenever it asks: QUESTION=ANSWER ... -- PROGRAM ...

Prints the last line that the program says, and everything before it on stderr. A question behind the last answer is taken for a
refusal: the program is ended.
"""

import os
import pty
import signal
import sys


def main():
    split = sys.argv.index("--")
    answers = [argument.split("=", 1) for argument in sys.argv[1:split]]
    first = answers[0][0]
    child, terminal = pty.fork()
    if child == 0:
        os.execvp(sys.argv[split + 1], sys.argv[split + 1 :])
    said, seen = "", 0
    while True:
        try:
            read = os.read(terminal, 65536)
        except OSError:
            # The last one who had the terminal open is gone.
            break
        said += read.decode(errors="replace").replace("\r\n", "\n")
        if answers and answers[0][0] in said[seen:]:
            seen = len(said)
            os.write(terminal, answers.pop(0)[1].encode() + b"\n")
        elif not answers and first in said[seen:]:
            os.kill(child, signal.SIGKILL)
            print(said, "asked again", sep="\n", file=sys.stderr)
            sys.exit(1)
    _, status = os.waitpid(child, 0)
    before, _, last = said.rstrip("\n").rpartition("\n")
    print(before, file=sys.stderr)
    code = os.waitstatus_to_exitcode(status)
    print(last, file=sys.stdout if code == 0 else sys.stderr)
    sys.exit(code)


main()

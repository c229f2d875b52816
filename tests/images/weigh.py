"""Runs a command and writes what it cost to a file, as JSON: {"status", "wall", "cpu", "resident"}.

usage: weigh.py FILE COMMAND...
Small on purpose: Linux counts the memory of the process that starts a command as the command's own until it runs, so
peaks below this program's (about 9 MiB) cannot be seen. A command's children count too: time as a sum, memory as the
largest."""
import os
import sys
import time

out, *command = sys.argv[1:]
start = time.perf_counter()
process = os.posix_spawnp(command[0], command, os.environ)
_, status, usage = os.wait4(process, 0)
wall = time.perf_counter() - start
with open(out, 'w', encoding='ascii') as file:
    file.write(f'{{"status": {os.waitstatus_to_exitcode(status)}, "wall": {wall:.6f}, '
               f'"cpu": {usage.ru_utime + usage.ru_stime:.6f}, "resident": {usage.ru_maxrss << 10}}}')

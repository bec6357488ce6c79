"""What a span executes on the user's thread takes no lock, makes no system call and allocates nothing.

    no_locks.py --program PROGRAM [--expect-locks] MODE:N...

The program is called as `PROGRAM MODE N`. Instructions that run at least once in a hundred spans more often with 2N
than with N are the path of a span; what runs more rarely (a ring that grows, the one wake-up per half ring) is not. Each
is looked up in the disassembly of its object file: a `lock` prefix, an exchange with memory (locked without saying so),
a full fence or a system call fails, and so does any instruction inside an allocator's or a mutex's function (glibc
leaves the prefix out while there is one thread). With --expect-locks every mode must fail: the control of this test.
"""

import argparse
import re
import subprocess
import sys

import callgrind

RARE = 0.01
FUNCTIONS = re.compile(r"^(malloc|calloc|realloc|free|cfree|_int_malloc|_int_free|operator new|operator delete|_Zn[wa]m|"
                       r"_Zd[la]Pv|pthread_mutex_|pthread_rwlock_|pthread_cond_|__lll_lock)")
ADDRESS = re.compile(r"^\s+([0-9a-f]+):\s+(.*)$")


def forbidden(instruction):
    words = instruction.split()
    if "lock" in words[:2]:
        return True
    if words and words[0].startswith("xchg"):
        return "(" in instruction or re.search(r"%fs:|%gs:|\b0x[0-9a-f]{5,},", instruction) is not None
    return bool(words) and words[0] in ("mfence", "syscall", "sysenter", "int")


def disassembly(object_file):
    run = subprocess.run(["objdump", "-d", "--no-show-raw-insn", object_file], capture_output=True, text=True)
    found = {}
    for line in run.stdout.splitlines():
        if match := ADDRESS.match(line):
            found[int(match.group(1), 16)] = match.group(2).strip()
    return found


def self_test():
    for text in ("lock cmpxchg %rdx,(%rdi)", "xchg   %rax,(%rdi)", "xchg   %eax,%fs:0x10", "mfence", "syscall"):
        assert forbidden(text), text
    for text in ("xchg   %ax,%ax", "cmpxchg %rdx,(%rdi)", "mov    %rax,(%rdi)", "lfence", "rdtsc"):
        assert not forbidden(text), text


self_test()
parser = argparse.ArgumentParser()
parser.add_argument("--program", required=True)
parser.add_argument("--expect-locks", action="store_true")
parser.add_argument("modes", nargs="+", metavar="MODE:N")
arguments = parser.parse_args()

callgrind.need("valgrind", "objdump")
disassembled = {}
failed = False
for entry in arguments.modes:
    mode, count = entry.split(":")
    count = int(count)
    once, twice = (callgrind.run([arguments.program, mode, str(spans)], by_instruction=True) for spans in (count, 2 * count))
    path = [where for where, executions in twice.items() if executions - once.get(where, 0) >= RARE * count]
    bad = []
    known = 0
    for object_file, address, function in sorted(path):
        if object_file not in disassembled:
            disassembled[object_file] = disassembly(object_file)
        instruction = disassembled[object_file].get(address)
        known += instruction is not None
        if instruction and forbidden(instruction):
            bad.append(f"  {object_file} {address:#x} in {function}: {instruction}")
    functions = sorted({function for _, _, function in path if FUNCTIONS.match(function)})
    bad += [f"  {function} is on the path" for function in functions]
    print(f"{mode}: {len(path)} instructions on the path, {known} of them found in the disassembly, {len(bad)} forbidden")
    print(*bad, sep="\n", end="\n" if bad else "")
    # An address that is in no disassembly was not checked, and an empty path is no path.
    if known < len(path) or not path or bool(bad) != arguments.expect_locks:
        failed = True
sys.exit(1 if failed else 0)

"""C text that is compiled and loaded: which compiler, and whatever can go wrong with it."""

from __future__ import annotations

import ctypes
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import autograd
from autograd.compiler.native import building
from autograd.compiler.native.building import NativeError, compiler, load
from tests.compiler.native import needs_compiler

pytestmark = [needs_compiler, pytest.mark.skipif(os.name != "posix", reason="compilers that are scripts of the shell")]
TEXT = "#include <math.h>\nstatic double table[4000] = {1.0};\ndouble f(double x) { return exp(x) + table[(int)x]; }\n"
HANGS = 'echo $$ > "$0.pid"; exec sleep 600'
PATIENCE = 60.0  # seconds for what takes a moment


def value(library: ctypes.CDLL) -> float:
    library.f.argtypes, library.f.restype = [ctypes.c_double], ctypes.c_double
    return library.f(0.0)


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended may wait for its parent to notice."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat")
        return not (state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z")
    except (ProcessLookupError, FileNotFoundError):
        return False


def within_patience(condition) -> bool:
    end = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


# What works


def test_a_text_becomes_a_library_once(place, script, runs, capfd):
    path = script('real "$@" -Wall')
    library = load(TEXT + "static int unused;\n")
    assert value(library) == 2.0
    assert load(TEXT + "static int unused;\n") is library
    assert load(TEXT) is not library
    assert runs(path) == 2
    assert capfd.readouterr() == ("", "")  # although the compiler warned
    assert list(place.temporary.iterdir()) == []


def test_flags_are_passed(place):
    text = "#ifndef NUMBER\n#define NUMBER 1.0\n#endif\ndouble f(double x) { return x + NUMBER; }\n"
    assert value(load(text)) == 1.0
    assert value(load(text, flags=[*building.FLAGS, "-DNUMBER=2.0"])) == 2.0
    assert len(place.kept()) == 2


def test_the_gil_is_released(place):
    text = "int f(volatile int *go) { while (!*go); return 7; }\n"
    go, library, found = ctypes.c_int(0), load(text), []
    thread = threading.Thread(target=lambda: found.append(library.f(ctypes.byref(go))))
    thread.start()
    go.value = 1  # nobody would get here if the call held it
    thread.join(PATIENCE)
    assert found == [7]


def test_threads_build_a_text_once(place, script, runs):
    path, found = script('sleep 0.2; real "$@"'), []
    threads = [threading.Thread(target=lambda: found.append(load(TEXT))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(found) == 8
    assert len(set(map(id, found))) == runs(path) == 1


@pytest.mark.filterwarnings("ignore:.*fork")  # of Python 3.12, and of JAX where it is installed
def test_a_fork_does_not_wait_for_a_build_of_its_parent(place, script, tmp_path):
    gate, path = tmp_path / "gate", script(f'while [ ! -e "{tmp_path}/gate" ]; do sleep 0.02; done; real "$@"')
    thread = threading.Thread(target=load, args=(TEXT,))
    thread.start()
    assert within_patience(Path(f"{path}.runs").exists)
    child = os.fork()
    if not child:
        status = 1
        try:
            gate.touch()
            status = int(value(load(TEXT)) != 2.0)
        finally:
            os._exit(status)
    ended, end = (0, 0), time.monotonic() + PATIENCE
    while ended == (0, 0) and time.monotonic() < end:
        time.sleep(0.02)
        ended = os.waitpid(child, os.WNOHANG)
    if ended == (0, 0):
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    thread.join(PATIENCE)
    assert ended == (child, 0)


# Which compiler


def test_the_compiler_is_cc_in_the_environment_with_its_arguments(monkeypatch, tmp_path, script):
    path = script("", name="my cc")
    monkeypatch.setenv("CC", f"  {shlex.quote(str(path))} -m64 '-DA=b c'")
    assert compiler() == [str(path), "-m64", "-DA=b c"]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CC", "./'my cc'")  # compilers run in another folder
    assert compiler() == [str(path)]


@pytest.mark.parametrize("chosen", ["/no/such/cc", "nothing-that-compiles -O2", "'unfinished", "''"])
def test_a_chosen_compiler_that_is_not_here(monkeypatch, chosen):
    monkeypatch.setenv("CC", chosen)
    with pytest.raises(NativeError, match=r"(?s)CC=.*unset CC") as caught:
        load(TEXT)
    assert repr(chosen) in str(caught.value)


def test_compilers_in_order(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CC", " ")  # as good as none
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(NativeError, match=r'neither cc, clang nor gcc.*scalar-autograd\[native\].*CC.*backend="numpy"'):
        compiler()
    package = tmp_path / "ziglang"
    package.mkdir()
    (package / "__init__.py").touch()
    with pytest.raises(NativeError, match="no C compiler"):
        compiler()
    for path, command in [(package / "zig", ["cc"]), *((tmp_path / name, []) for name in ("gcc", "clang", "cc"))]:
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
        assert compiler() == [str(path), *command]


def test_a_compiler_that_does_not_know_this_processor(place, script, runs):
    path = script('case "$*" in *=native*) echo "unsupported option ${1}" >&2; exit 1; esac; real "$@"')
    assert value(load(TEXT)) == 2.0
    assert runs(path) == 3
    path = script('case "$*" in *march=native*) echo "unknown value native" >&2; exit 1; esac; real "$@"')
    assert value(load(TEXT)) == 2.0
    assert Path(f"{path}.runs").read_text().count("run") == 3 + 2


# What fails


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("echo one; echo two >&2; exit 3", r"fake failed with exit code 3; it said \n  one\n  two\n"),
        ("exit 1", r"failed with exit code 1; it said nothing\n"),
        ("seq 100; exit 1", r"it said \n  1\n  2\n(  \d+\n){10}  \.\.\.\nWay out"),
        (r"printf 'a\377b'; exit 1", "it said \n  a\ufffdb"),
        ('echo half > "$TMPDIR/half.s"; kill -9 $$', r"was stopped by signal 9"),
        ("kill -11 $$", r"was stopped by signal 11"),
        ("echo done", r"wrote no library .*No such file.*it said \n  done"),
        ("mkdir $out", r"wrote no library .*directory"),
        ("echo garbage > $out", r"wrote a library that cannot be loaded: .*"),
        (": > $out", r"wrote a library that cannot be loaded: .*too short"),
        ("echo 'int main(void) { return 0; }' > a.c; real -c a.c -o $out", r"wrote a library that cannot be loaded"),
    ],
)
def test_a_broken_compiler(place, script, lines, message):
    path = script(lines)
    for _ in range(2):  # a failure is tried again
        with pytest.raises(NativeError, match=message) as caught:
            load(TEXT)
        assert str(path) in str(caught.value)
        assert str(caught.value).endswith('in the environment variable CC, or use backend="numpy", which needs none')
    assert place.kept() == list(place.temporary.iterdir()) == []
    script('real "$@"')
    assert value(load(TEXT)) == 2.0


@pytest.mark.skipif(sys.platform != "linux", reason="ELF")
@pytest.mark.parametrize("cut", ["10", "63", "64", "200", "4096", "9000", "20000", "-1"])
def test_a_library_that_is_cut_short_does_not_kill_the_process(place, script, cut):
    script(f'real "$@"; head -c {cut} "$out" > short; mv short "$out"')
    with pytest.raises(NativeError, match="cut short"):
        load(TEXT)
    assert place.kept() == []


def test_a_text_that_is_no_c(place, script, runs):
    path = script('real "$@"')
    with pytest.raises(NativeError, match=r"(?s)exit code 1.*program\.c:1.*double f"):
        load("double f(double x) { return y; }")
    assert runs(path) == 1


def test_a_compiler_that_is_no_program(place, tmp_path, monkeypatch):
    path = tmp_path / "text"
    path.write_bytes(b"\x00\x01")
    path.chmod(0o755)
    monkeypatch.setenv("CC", str(path))
    with pytest.raises(NativeError, match=r"text cannot be run: .*Exec format"):
        load(TEXT)


@pytest.mark.parametrize("lines", [HANGS, 'sleep 600 & echo $! > "$0.pid"; wait'])
def test_a_slow_compiler_is_stopped_with_all_that_it_started(place, script, lines):
    path = script(f"trap '' TERM; {lines}")
    with pytest.raises(NativeError, match=r"has not finished after 0.5 s and was stopped.*\nWay out"):
        load(TEXT, timeout=0.5)
    assert within_patience(lambda: not alive(int(Path(f"{path}.pid").read_text())))
    assert place.kept() == list(place.temporary.iterdir()) == []


def test_an_interrupt_stops_the_compiler(place, script, monkeypatch):
    path, wait = script(HANGS), subprocess.Popen.wait

    def interrupted(self, timeout=None):
        if timeout is None:
            return wait(self)
        assert within_patience(Path(f"{path}.pid").exists)
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess.Popen, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        load(TEXT)
    assert within_patience(lambda: not alive(int(Path(f"{path}.pid").read_text())))
    assert list(place.temporary.iterdir()) == []


def test_what_a_compiler_leaves_running_is_not_waited_for(place, script):
    path = script('sleep 600 & echo $! > "$0.pid"; real "$@"')
    try:
        assert value(load(TEXT, timeout=PATIENCE)) == 2.0
    finally:
        os.kill(int(Path(f"{path}.pid").read_text()), signal.SIGKILL)


def test_no_temporary_folder(place, monkeypatch):
    monkeypatch.setattr(building.tempfile, "tempdir", str(place.cache / "nothing"))
    with pytest.raises(NativeError, match=r"no temporary folder to compile in: .*set TMPDIR"):
        load(TEXT)


def test_a_temporary_folder_on_a_full_disk(place, monkeypatch):
    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(NativeError, match=r"cannot be written: .*No space left.*set TMPDIR"):
        load(TEXT)
    assert list(place.temporary.iterdir()) == []


# The package


def test_the_engine_does_not_import_what_building_needs():
    program = (
        "import sys, autograd; "
        "print({'subprocess', 'ctypes', 'hashlib', 'shlex', 'autograd.compiler', 'autograd.compiler.native'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "set()\n"
    assert autograd.NativeError is NativeError
    assert issubclass(NativeError, RuntimeError)

"""The cache of machine code: who may read and write it, what is in it, and what happens when anything goes wrong."""

from __future__ import annotations

import builtins
import ctypes
import errno
import io
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
import warnings
from multiprocessing import get_context
from pathlib import Path

import pytest

import autograd
from autograd.compiler.native import building, cache
from autograd.compiler.native.building import load
from tests.compiler.native import needs_compiler

pytestmark = [needs_compiler, pytest.mark.skipif(os.name != "posix", reason="compilers that are scripts of the shell")]
TEXT = "double f(double x) { return x + 1; }\n"
PATIENCE = 60.0


def value(library: ctypes.CDLL) -> float:
    library.f.argtypes, library.f.restype = [ctypes.c_double], ctypes.c_double
    return library.f(1.0)


@pytest.fixture
def again(monkeypatch):
    """Loads as a new process would: with nothing loaded."""

    def loaded(text: str = TEXT, **options) -> float:
        monkeypatch.setattr(building, "_loaded", {})
        return value(load(text, **options))

    return loaded


@pytest.fixture
def counted(script):
    """The real compiler, as a script that counts its runs."""
    return script('real "$@"')


def fails(code: int):
    """A function that the system refuses."""

    def failing(*arguments, **options):
        raise OSError(code, os.strerror(code))

    return failing


# What is kept


def test_a_second_process_does_not_compile(place, counted, runs):
    program = f"from tests.compiler.test_cache import *; assert value(load({TEXT!r})) == 2.0"
    for _ in range(3):
        subprocess.run([sys.executable, "-c", program], check=True)
    assert runs(counted) == 1
    (path,) = place.kept()
    assert stat.S_IMODE(place.cache.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
    assert list(place.temporary.iterdir()) == []


def test_another_key_for_all_that_machine_code_depends_on(place, counted, runs, again, monkeypatch):
    changes = [
        lambda: None,
        lambda: monkeypatch.setattr(building, "_processor", lambda: "flags: sse2"),
        lambda: monkeypatch.setattr(building.platform, "machine", lambda: "arm64"),
        lambda: monkeypatch.setenv("CC", f"{counted} -DA"),
        lambda: os.utime(counted, (0, 0)),  # another version of the compiler
        lambda: counted.write_text(counted.read_text() + "\n"),
    ]
    for count, change in enumerate(changes, 1):
        change()
        for _ in range(2):
            assert again() == 2.0
        assert runs(counted) == len(place.kept()) == count
    for count, (text, options) in enumerate([(TEXT + " ", {}), (TEXT, {"flags": [*building.FLAGS, "-O1"]})], len(changes) + 1):
        for _ in range(2):
            assert again(text, **options) == 2.0
        assert runs(counted) == len(place.kept()) == count


def test_both_programs_of_a_wrapped_compiler_count(place, script, monkeypatch):
    wrapper, inner = script('"$@"', name="wrapper"), script('real "$@"', name="inner")
    monkeypatch.setenv("CC", f"{wrapper} {inner}")
    before = building._key(TEXT, building.compiler(), [])
    os.utime(inner, (0, 0))
    assert building._key(TEXT, building.compiler(), []) != before


def test_the_processor_has_a_name(monkeypatch):
    assert building._processor()
    monkeypatch.setattr(builtins, "open", fails(errno.ENOENT))
    assert building._processor() == building.platform.processor()


def in_another_process(barrier, found):
    barrier.wait(PATIENCE)
    found.put(value(load(TEXT)))


def test_processes_that_build_at_once(place, script, runs):
    path, context = script('sleep 0.2; real "$@"'), get_context("spawn")
    barrier, found = context.Barrier(3), context.Queue()
    processes = [context.Process(target=in_another_process, args=(barrier, found)) for _ in range(3)]
    for process in processes:
        process.start()
    assert [found.get(timeout=PATIENCE) for _ in processes] == [2.0] * 3
    for process in processes:
        process.join(PATIENCE)
    assert 1 <= runs(path) <= 3
    assert len(place.kept()) == 1
    assert list(place.temporary.iterdir()) == []


# What is damaged


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-1],
        lambda content: content[: len(content) // 2],
        lambda content: b"",
        lambda content: content[:5000] + bytes([content[5000] ^ 1]) + content[5001:],
        lambda content: content + b"\0",
        lambda content: bytes(len(content)),
    ],
)
def test_a_damaged_file_is_built_again(place, counted, runs, again, damage):
    load(TEXT)
    (path,) = place.kept()
    content = path.read_bytes()
    path.unlink()  # it is loaded
    path.write_bytes(damage(content))
    path.with_name(f"{path.name[:33]}{'0' * 32}{cache.SUFFIX}").write_bytes(content)  # its digest is not that of its name
    assert again() == 2.0
    assert runs(counted) == 2
    assert again() == 2.0
    assert runs(counted) == 2
    assert [path.read_bytes() for path in place.kept()] == [content]


def test_a_file_that_is_whole_and_cannot_be_loaded(place, counted, runs, again):
    load(TEXT)
    (path,) = place.kept()
    path.rename(path.with_name("elsewhere"))
    bad = path.with_name(cache._name(path.name[:32], b"for another system"))
    bad.write_bytes(b"for another system")
    for _ in range(2):
        assert again() == 2.0
        assert runs(counted) == 2
        assert not bad.exists()


def test_a_file_that_cannot_be_read(place, counted, runs, again):
    place.cache.mkdir(mode=0o700)
    key = building._key(TEXT, building.compiler(), building.FLAGS)
    (place.cache / f"{key}-folder{cache.SUFFIX}").mkdir()
    assert again() == again() == 2.0


@pytest.mark.parametrize("moment", ["compiling", "writing"])
def test_a_killed_build_leaves_nothing_that_is_ever_loaded(place, script, tmp_path, again, moment):
    hangs = f'echo $$ > "{tmp_path}/pid"; exec sleep 600'
    path = script(hangs if moment == "compiling" else 'real "$@"')
    program = (
        "import os, time; from pathlib import Path; from tests.compiler.test_cache import *\n"
        f"def hang(*_): Path({str(tmp_path)!r}, 'pid').write_text('0'); time.sleep(600)\n"
        + ("os.replace = hang\n" if moment == "writing" else "")
        + f"load({TEXT!r}, timeout=600)"
    )
    process = subprocess.Popen([sys.executable, "-c", program])
    try:
        end = time.monotonic() + PATIENCE
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            assert time.monotonic() < end
            time.sleep(0.02)
    finally:
        process.kill()
        process.wait()
    if pid := int((tmp_path / "pid").read_text()):
        os.kill(pid, signal.SIGKILL)
    left = [*place.kept(), *place.temporary.iterdir()]
    assert len(left) == (1 if moment == "compiling" else 2)
    assert not any(cache.KEPT.fullmatch(path.name) for path in left)
    script('real "$@"', name=path.name)
    assert again() == 2.0
    assert all(path.exists() for path in left)  # they may belong to a build that runs
    for path in left:
        os.utime(path, (0, 0))
    assert again(TEXT + "\n") == 2.0
    assert not any(path.exists() for path in left)
    assert len(place.kept()) == 2
    assert list(place.temporary.iterdir()) == []


# Folders that are not ours


def owned_by_another(place, monkeypatch):
    place.cache.mkdir(mode=0o700)
    monkeypatch.setattr(os, "geteuid", lambda: place.cache.stat().st_uid + 1)


def link(place, monkeypatch):
    place.cache.with_name("real").mkdir(mode=0o700)
    place.cache.symlink_to(place.cache.with_name("real"))


def mode(bits):
    def made(place, monkeypatch):
        place.cache.mkdir()
        place.cache.chmod(bits)

    return made


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (owned_by_another, "it belongs to user"),
        (link, "it is a symbolic link"),
        (mode(0o777), r"others may write into it \(mode 777\)"),
        (mode(0o702), r"others may write into it \(mode 702\)"),
        (mode(0o770), r"others may write into it \(mode 770\)"),
        (mode(0o1777), r"others may write into it \(mode 1777\)"),
    ],
)
def test_a_folder_that_others_may_write_into_is_neither_read_nor_written(place, counted, runs, again, monkeypatch, make, why):
    assert again() == 2.0
    (good,) = place.kept()
    place.cache.rename(place.cache.with_name("before"))
    make(place, monkeypatch)
    (place.cache / good.name).write_bytes((place.cache.with_name("before") / good.name).read_bytes())
    for _ in range(2):
        with pytest.warns(RuntimeWarning, match=rf"not kept in .*cache: {why}.*autograd\.cache_dir\(folder\)"):
            assert again() == again(TEXT + "\n") == 2.0
    assert runs(counted) == 5
    assert [path.name for path in place.kept()] == [good.name]
    assert list(place.temporary.iterdir()) == []


def test_the_warning_is_shown_once(place, again):
    mode(0o777)(place, None)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            assert again() == 2.0
    assert len(caught) == 1


def test_a_file_in_place_of_the_folder(place, again):
    place.cache.write_text("")
    with pytest.warns(RuntimeWarning, match="it is not a folder"):
        assert again() == 2.0


# Folders that cannot be written


@pytest.mark.parametrize("below", [True, False])
def test_a_home_that_is_read_only(place, counted, runs, again, monkeypatch, tmp_path, below):
    if below:
        (tmp_path / "file").touch()
        autograd.cache_dir(tmp_path / "file" / "autograd")
    else:
        monkeypatch.setattr(Path, "mkdir", fails(errno.EROFS))
    assert again() == again() == 2.0
    assert runs(counted) == 2
    assert list(place.temporary.iterdir()) == []


def test_a_cache_that_is_read_only_is_read(place, counted, runs, again, monkeypatch):
    load(TEXT)
    monkeypatch.setattr(os, "utime", fails(errno.EROFS))
    monkeypatch.setattr(os, "replace", fails(errno.EROFS))
    assert again() == 2.0
    assert runs(counted) == 1
    assert again(TEXT + "\n") == again(TEXT + "\n") == 2.0
    assert runs(counted) == 3
    assert len(place.kept()) == 1


@pytest.mark.parametrize("step", ["mkstemp", "write", "replace"])
def test_a_full_disk(place, counted, runs, again, monkeypatch, step):
    class HalfWritten(io.FileIO):
        def write(self, content):
            super().write(content[: len(content) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if step == "write":
        monkeypatch.setattr(cache, "open", HalfWritten, raising=False)
    else:
        monkeypatch.setattr(tempfile if step == "mkstemp" else os, step, fails(errno.ENOSPC))
    assert again() == 2.0
    assert place.kept() == list(place.temporary.iterdir()) == []


def test_a_folder_from_which_no_program_may_run(place, counted, again, monkeypatch):
    real = ctypes.CDLL

    def refused(where):
        def opened(path):
            if Path(path).is_relative_to(where):
                raise OSError(f"{path}: failed to map segment from shared object")
            return real(path)

        return opened

    monkeypatch.setattr(ctypes, "CDLL", refused(place.temporary))
    assert again() == 2.0
    monkeypatch.setattr(ctypes, "CDLL", refused(place.cache))
    assert again(TEXT + "\n") == 2.0
    monkeypatch.setattr(ctypes, "CDLL", refused(place.cache.parent))
    with pytest.raises(building.NativeError, match=r"cannot be loaded: .*failed to map segment"):
        again(TEXT + "\n\n")


# How much is kept


def made(folder: Path, age: int, size: int = 10) -> Path:
    """A library that was used a while ago."""
    content = bytes([age]) * size
    path = folder / cache._name(cache.digest(content), content)
    path.write_bytes(content)
    os.utime(path, (1e9 - age, 1e9 - age))
    return path


@pytest.mark.parametrize(("files", "size"), [(3, 10**9), (10**9, 30)])
def test_what_was_used_longest_ago_is_removed(place, monkeypatch, files, size):
    monkeypatch.setattr(cache, "MOST_FILES", files)
    monkeypatch.setattr(cache, "MOST_BYTES", size)
    place.cache.mkdir(mode=0o700)
    old = [made(place.cache, age) for age in (3, 1, 4, 2)]
    yours = [place.cache / "letter.txt", place.cache / f"program{cache.SUFFIX}", place.cache / "folder"]
    yours[0].write_bytes(bytes(1000))
    yours[1].touch()
    yours[2].mkdir()
    for path in yours:
        os.utime(path, (0, 0))
    assert cache.find(old[2].name[:32]) == old[2]  # the oldest, used again
    new = cache.keep("0" * 32, b"0123456789")
    assert set(place.kept()) == {*yours, new, old[2], old[1]}


def test_processes_that_sweep_at_once(place, monkeypatch):
    monkeypatch.setattr(cache, "MOST_FILES", 0)
    place.cache.mkdir(mode=0o700)
    paths = [made(place.cache, age) for age in (1, 2)]
    monkeypatch.setattr(Path, "iterdir", lambda folder: iter([folder / "removed by another", *paths]))
    assert cache.keep("0" * 32, b"new")
    assert not any(path.exists() for path in paths)


def test_a_sweep_that_fails_loses_nothing(place, monkeypatch):
    monkeypatch.setattr(Path, "iterdir", fails(errno.EIO))
    path = cache.keep("0" * 32, b"new")
    assert path is not None
    assert path.read_bytes() == b"new"


# Where


def test_where_the_cache_is(monkeypatch, tmp_path):
    monkeypatch.delenv("AUTOGRAD_CACHE_DIR")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache/mine")
    assert autograd.cache_dir() == Path("/var/cache/mine/autograd")
    for none in ("", "relative"):  # as its specification has it
        monkeypatch.setenv("XDG_CACHE_HOME", none)
        assert autograd.cache_dir() == tmp_path / ".cache" / "autograd"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert autograd.cache_dir() == tmp_path / "Library" / "Caches" / "autograd"
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "Local"))
    assert autograd.cache_dir() == tmp_path / "Local" / "autograd"
    monkeypatch.delenv("LOCALAPPDATA")
    assert autograd.cache_dir() == tmp_path / "AppData" / "Local" / "autograd"


def test_where_the_cache_is_without_a_home(monkeypatch):
    for name in ("AUTOGRAD_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # as it is where nobody knows the home
    assert autograd.cache_dir() == Path(tempfile.gettempdir(), f"autograd-{os.getuid()}")


def test_the_cache_is_where_the_user_says(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUTOGRAD_CACHE_DIR", "~/one")
    assert autograd.cache_dir() == tmp_path / "one"
    for folder in ("two", "~/two", tmp_path / "two"):
        assert autograd.cache_dir(folder) == autograd.cache_dir() == tmp_path / "two"
    monkeypatch.chdir("/")
    assert autograd.cache_dir() == tmp_path / "two"
    assert not list(tmp_path.iterdir())  # made when it is needed
    with pytest.raises(TypeError):
        autograd.cache_dir(3)
    assert autograd.cache_dir() == tmp_path / "two"
    autograd.cache_dir("~/of/several/folders")
    path = cache.keep("0" * 32, b"content")
    assert path is not None
    assert path.parent == tmp_path / "of" / "several" / "folders"

"""Small hostile programs: what a compiled function depends on changes between its calls, and it must notice or refuse.

pytestmark = pytest.mark.usefixtures("each_way")

A program is a generator. It yields calls `(f, *arguments)`, and changes something between them. It is run with the plain function
and with the compiled one, on every back end: results and arguments must be the same after each call, and so must values and
gradients of the engine. A program that is `refused` raises instead, with a text that says why.
"""

from __future__ import annotations

import array
import builtins
import collections
import contextvars
import copy
import dataclasses
import decimal
import enum
import fractions
import functools
import itertools
import math
import re
import sys
import types
import weakref

import numpy as np
import pytest

import autograd as ag
from autograd import Value

PROGRAMS = []
REFUSED = {}


def agrees(program):
    PROGRAMS.append(program)
    return program


def refused(match):
    def mark(program):
        REFUSED[program] = match
        return agrees(program)

    return mark


def plain(x):
    """Something that can be compared: the kinds of numbers do not count, but signs of zero and nan do."""
    if isinstance(x, Value):
        return f"{x.data:.12g}"
    if isinstance(x, collections.abc.Mapping):
        return [type(x).__name__, *[[repr(key), plain(part)] for key, part in x.items()]]
    if isinstance(x, (list, tuple, collections.deque)):
        return [type(x).__name__, *map(plain, x)]
    if isinstance(x, np.ndarray):
        return ["array", *map(plain, x.ravel().tolist())]
    if isinstance(x, (str, bytes, type(None))):
        return repr(x)
    return f"{float(x):.12g}" if hasattr(x, "__float__") else type(x).__name__


def outcomes(program, wrap):
    """What each call of a program gives, or the error that it raises."""
    found, wrapped = [], {}
    for f, *arguments in program():
        call = wrapped.setdefault(id(f), wrap(f))
        try:
            found.append((plain(call(*arguments)), [plain(x) for x in arguments]))
        except Exception as error:
            found.append(error)
    return found


def engine(f):
    return ag.value_and_grad(f)


def compare(program, expected, found):
    assert len(expected) == len(found) > 1
    errors = [error for error in found if isinstance(error, Exception)]
    for k, (before, after) in enumerate(zip(expected, found)):
        if isinstance(before, Exception) or isinstance(after, Exception):
            continue
        assert after == before, f"call {k}"
    for before, after in zip(expected, found):
        if isinstance(after, Exception) and not isinstance(before, Exception) and program not in REFUSED:
            raise after
    return errors


# Floats that are given


@agrees
def a_float_that_is_equal():
    def f(x):
        return x * 10.0 if x == 2.0 else x

    yield f, 2.0
    yield f, 3.0
    yield f, 2.0


@agrees
def a_float_that_differs():
    def f(x):
        return x * 10.0 if x != 2.0 else x

    yield f, 2.0
    yield f, 3.0


@refused("key of a dictionary")
def a_float_as_a_key():
    def f(x):
        return {1.0: 5.0, 2.0: 7.0}.get(x, 0.0) * x

    yield f, 1.0
    yield f, 2.0
    yield f, 3.0


@refused("key of a dictionary")
def a_float_in_a_set():
    def f(x):
        return x * 3.0 if x in {1.0, 2.0} else x

    yield f, 1.0
    yield f, 3.0


@refused("key of a dictionary")
def a_result_as_a_key():
    def f(x):
        return {2.0: 5.0}.get(x * 2.0, 1.0) * x

    yield f, 1.0
    yield f, 2.0


@refused("key of a dictionary")
def distinct_numbers_of_a_list():
    def f(xs):
        return xs[0] * len(set(xs))

    yield f, [1.0, 1.0]
    yield f, [1.0, 2.0]


@refused("key of a dictionary")
def a_cached_helper_of_floats():
    @functools.lru_cache
    def square(x):
        return x * x

    def f(x):
        return square(x) + square(x)

    yield f, 1.0
    yield f, 2.0


@agrees
def a_float_in_a_list():
    def f(x):
        return x * 3.0 if x in [1.0, 2.0] else x

    yield f, 1.0
    yield f, 3.0
    yield f, 2.0


@agrees
def the_place_of_a_float():
    def f(x):
        return x * [1.0, 2.0, 3.0].index(x)

    yield f, 1.0
    yield f, 3.0
    yield f, 7.0


@agrees
def how_often_a_float_occurs():
    def f(x):
        return x * [1.0, 2.0, 1.0].count(x)

    yield f, 1.0
    yield f, 3.0


@agrees
def sorted_floats():
    def f(xs):
        low, high = sorted(xs)
        return high * high - low

    yield f, [1.0, 2.0]
    yield f, [3.0, 2.0]


@refused("float()")
def the_sign_of_zero():
    def f(x):
        return math.copysign(1.0, x) * x

    yield f, 0.0
    yield f, -0.0


@agrees
def a_zero_that_is_false():
    def f(x):
        return x * 2.0 if x else x - 1.0

    yield f, 1.0
    yield f, 0.0
    yield f, -0.0
    yield f, math.nan


@agrees
def nan_is_not_itself():
    def f(x):
        return x * 2.0 if x == x else 5.0

    yield f, 1.0
    yield f, math.nan


@refused("is_integer")
def a_method_of_floats():
    def f(x):
        return x * 2.0 if x.is_integer() else x

    yield f, 1.0
    yield f, 1.5


@refused("as text")
def a_float_in_a_text():
    def f(x):
        return x * len(f"{x:.0f}")

    yield f, 1.0
    yield f, 100.0


@refused("read")
def a_float_as_it_is_printed():
    def f(x):
        return x * len(str(x))

    yield f, 1.0
    yield f, 1.25


@agrees
def a_float_of_a_class_of_its_own():
    class Celsius(float):
        def kelvin(self):
            return float(self) + 273.0

    def f(x):
        return x.kelvin() * 2.0 if isinstance(x, Celsius) else x * 3.0

    yield f, Celsius(1.0)
    yield f, 1.0
    yield f, Celsius(2.0)


@agrees
def a_float_with_an_attribute():
    class Measured(float):
        unit = 1.0

    def f(x):
        return x * getattr(x, "unit", 5.0)

    x = Measured(2.0)
    yield f, x
    x.unit = 1000.0
    yield f, x
    yield f, 2.0


@agrees
def a_fraction():
    def f(x):
        return x * 2.0 if isinstance(x, float) else x.numerator * 1.0

    yield f, fractions.Fraction(1, 3)
    yield f, fractions.Fraction(2, 3)


@agrees
def a_decimal():
    def f(x):
        return float(x * 3) if isinstance(x, decimal.Decimal) else x

    yield f, decimal.Decimal("0.5")
    yield f, decimal.Decimal("0.25")


# Integers that are given


@agrees
def integers_meet_floats():
    def f(x, n):
        return x * (n * 0.5) + 0.5 * n + n / 2 + (n - 0.5) + (0.5 - n) + 1.5 / n + n // 2.0

    yield f, 1.0, 2
    yield f, 1.0, 3


@agrees
def an_integer_is_compared_with_a_float():
    def f(x, n):
        return x * 2.0 if n < 2.5 else x * 3.0 if n >= 4.0 else x

    for n in (1, 3, 5):
        yield f, 1.5, n


@agrees
def powers_with_an_integer():
    def f(x, n):
        return x * 0.9**n + n**0.5 + x**n + n**2 + 2**n + pow(n, 3, 5)

    yield f, 2.0, 2
    yield f, 2.0, 3


@agrees
def an_integer_meets_values():
    def f(x, n):
        return n * x + x / n + n / x + x - n + n - x + x % n + (x if x > n else 0.0) + (x if n > x else 0.0)

    yield f, 2.5, 2
    yield f, 2.5, 3


@agrees
def quotient_and_remainder():
    def f(x, n):
        a, b = divmod(n, 3)
        c, d = divmod(7.5, n)
        e, g = divmod(n, 1.5)
        return x * (a + b + c + d + e + g)

    yield f, 1.0, 4
    yield f, 1.0, 5


@agrees
def an_integer_counts():
    def f(x, n):
        return sum([x for _ in range(n)]) + len("ab" * n) + len([0.0] * n) + len(range(0, 10, n))

    yield f, 1.0, 2
    yield f, 1.0, 3


@agrees
def an_integer_in_texts():
    def f(x, n):
        texts = ("%d" % n, f"{n}", f"{n:>5}", str(n), hex(n), "%d.5" % n)  # noqa: UP031 - on purpose
        return x * sum(map(len, texts)) + float(texts[-1])

    yield f, 1.0, 7
    yield f, 1.0, 123


@agrees
def rounding_and_bits_of_an_integer():
    def f(x, n):
        return x * (n & 1) + round(n, -1) + round(n) + (n << 1) + (~n) + (-n) + abs(n) + n.bit_length() + math.factorial(n)

    yield f, 1.0, 6
    yield f, 1.0, 15


@agrees
def an_integer_as_a_key_and_a_place():
    def f(x, n):
        return x * {1: 3.0, 2: 4.0}[n] + [1.0, 2.0, 3.0][n] + (5.0, 6.0, 7.0)[:n][-1] + (n in {1, 7})

    yield f, 1.0, 1
    yield f, 1.0, 2


@agrees
def an_integer_where_the_type_counts():
    def f(x, n):
        return x * (2.0 if type(n) is int else 3.0) * n

    yield f, 1.0, 1
    yield f, 1.0, 2


@agrees
def an_integer_of_many_digits():
    def f(x, n):
        return x * (n % 1000)

    yield f, 1.0, 10**20 + 7
    yield f, 1.0, 10**20 + 8


@agrees
def a_copied_integer():
    def f(x, n):
        return x * copy.deepcopy(n) * copy.copy([n])[0]

    yield f, 1.0, 2
    yield f, 1.0, 3


@agrees
def an_integer_for_numpy():
    def f(x, n):
        counted = x * np.arange(n).sum() + np.ones(n).sum() + np.array([n, 1.0]).sum()
        return counted + np.sqrt(n * 1.0) + float(np.float64(2.0) * n)

    yield f, 1.0, 4
    yield f, 1.0, 9


class Mode(enum.Enum):
    TRAIN = 1
    TEST = 2


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Bits(enum.IntFlag):
    A = 1
    B = 2


@agrees
def members_of_enumerations():
    def f(x, mode, level):
        return x * (2.0 if mode is Mode.TRAIN else 3.0) * (5.0 if level is Level.LOW else 7.0) * level

    yield f, 1.0, Mode.TRAIN, Level.LOW
    yield f, 1.0, Mode.TEST, Level.LOW
    yield f, 1.0, Mode.TEST, Level.HIGH
    yield f, 1.0, Mode.TEST, 2


@agrees
def a_flag_and_its_name():
    def f(x, bits):
        return x * len(bits.name) if isinstance(bits, Bits) and Bits.A in bits else x * 9.0

    yield f, 1.0, Bits.A
    yield f, 1.0, Bits.B
    yield f, 1.0, 1


@agrees
def truths_and_integers():
    def f(x, flag):
        return x * (2.0 if flag is True else 3.0 if isinstance(flag, bool) else 5.0)

    for flag in (True, 1, False, 0, np.bool_(True), None):
        yield f, 1.0, flag


@agrees
def a_truth_of_numpy():
    def f(x, flag):
        return x * (2.0 if flag is np.True_ else 3.0 if flag else 4.0)

    for flag in (np.bool_(True), True, np.bool_(False)):
        yield f, 1.0, flag


@agrees
def an_integer_of_numpy():
    def f(x, n):
        return x * (n.dtype.itemsize if isinstance(n, np.integer) else 5.0) * n

    for n in (np.int64(2), np.int32(2), 2, np.int64(3)):
        yield f, 1.0, n


@agrees
def an_integer_of_a_class_of_its_own():
    class Size(int):
        unit = 2.0

    def f(x, n):
        return x * getattr(n, "unit", 1.0) * n

    n = Size(3)
    yield f, 1.0, n
    n.unit = 7.0
    yield f, 1.0, n
    yield f, 1.0, 3


@agrees
def a_list_of_integers_as_places():
    def f(x, places):
        return (x[places] * x[places]).sum()

    yield f, np.array([1.0, 2.0, 3.0]), [0, 2]
    yield f, np.array([1.0, 2.0, 3.0]), [1, 1]
    yield f, np.array([1.0, 2.0, 3.0]), np.array([0, 1])
    yield f, np.array([1.0, 2.0, 3.0]), np.array([2, 1])


@agrees
def ragged_rows_are_taken():
    def f(rows, k):
        return ag.sum(ag.take(rows, k))

    yield f, [[1.0], [2.0, 3.0], []], 0
    yield f, [[1.0], [2.0, 3.0], []], 1


@agrees
def other_things_are_taken():
    def f(x, k):
        return x * ag.take([1.0, 2.0], k) + len(ag.take(["a", "bcd"], k)) + ag.take([{"u": 1.0}, {"u": 5.0}], k)["u"]

    yield f, 1.0, 0
    yield f, 1.0, 1


@agrees
def integers_of_a_list_compute():
    def f(x, ns):
        return x * sum(ns) + max(ns) * 0.5 + len(set(ns)) + sorted(ns)[0] / 2

    yield f, 1.0, [3, 1, 2]
    yield f, 1.0, [3, 3, 2]


# Containers that are given


@agrees
def a_dictionary_with_a_default():
    def f(x, table):
        return x * table["missing"] + table["a"]

    yield f, 1.0, collections.defaultdict(lambda: 2.0, a=1.0, missing=0.0)
    yield f, 1.0, collections.defaultdict(lambda: 3.0, a=1.0, missing=1.0)


@refused("argument table")
def a_default_that_is_made():
    def f(x, table):
        return x * table["missing"]

    yield f, 1.0, collections.defaultdict(lambda: 2.0, a=1.0)
    yield f, 1.0, collections.defaultdict(lambda: 3.0, a=1.0)


class Table(collections.abc.Mapping):
    def __init__(self, name, **parts):
        self.name, self.parts = name, parts

    def __getitem__(self, key):
        return self.parts[key]

    def __iter__(self):
        return iter(self.parts)

    def __len__(self):
        return len(self.parts)


@agrees
def a_mapping_of_the_users():
    def f(x, table):
        return x * table["a"] * len(table.name)

    yield f, 1.0, Table("u", a=2.0)
    yield f, 1.0, Table("u", a=3.0)
    yield f, 1.0, Table("uvw", a=3.0)


class Row(list):
    unit = 1.0


class Record(dict):
    unit = 1.0


class Name(str):
    unit = 1.0


class Matrix(np.ndarray):
    unit = 1.0


def changed_unit(make):
    thing = make()
    thing.unit = 10.0
    return thing


@agrees
def an_attribute_of_a_list():
    def f(x, row):
        return x * row[0] * getattr(row, "unit", 0.0)

    yield f, 1.0, Row([2.0])
    yield f, 1.0, changed_unit(lambda: Row([2.0]))
    yield f, 1.0, [2.0]


@agrees
def an_attribute_of_a_dictionary():
    def f(x, record):
        return x * record["a"] * getattr(record, "unit", 0.0)

    yield f, 1.0, Record(a=2.0)
    yield f, 1.0, changed_unit(lambda: Record(a=2.0))
    yield f, 1.0, {"a": 2.0}


@agrees
def an_attribute_of_a_text():
    def f(x, name):
        return x * len(name) * getattr(name, "unit", 0.0)

    yield f, 1.0, Name("ab")
    yield f, 1.0, changed_unit(lambda: Name("ab"))
    yield f, 1.0, "ab"


@agrees
def an_attribute_of_an_array():
    def f(x, matrix):
        return x * matrix[0] * getattr(matrix, "unit", 0.0)

    yield f, 1.0, np.array([2.0]).view(Matrix)
    yield f, 1.0, changed_unit(lambda: np.array([2.0]).view(Matrix))
    yield f, 1.0, np.array([2.0])


Pair = collections.namedtuple("Pair", "left right")


@dataclasses.dataclass
class Point:
    x: float
    tags: list


@agrees
def a_named_tuple():
    def f(pair, y):
        return pair.left * y + pair.right

    yield f, Pair(1.0, 2.0), 3.0
    yield f, Pair(4.0, 5.0), 3.0


@agrees
def a_record_of_numbers():
    def f(y, point):
        return y * point.x * len(point.tags)

    point = Point(2.0, ["a"])
    yield f, 1.0, point
    point.x = 3.0
    yield f, 1.0, point
    point.tags.append("b")
    yield f, 1.0, point


@agrees
def a_queue():
    def f(x, queue):
        return x * sum(queue) * (queue.maxlen or 1)

    yield f, 1.0, collections.deque([1.0, 2.0])
    yield f, 1.0, collections.deque([1.0, 5.0])
    yield f, 1.0, collections.deque([1.0, 5.0], maxlen=3)


@agrees
def containers_of_collections():
    def f(x, things):
        return x * things["a"] * len(things) + isinstance(things, collections.OrderedDict)

    yield f, 1.0, collections.OrderedDict(a=2.0)
    yield f, 1.0, collections.OrderedDict(a=3.0)
    yield f, 1.0, types.MappingProxyType({"a": 2.0})
    yield f, 1.0, collections.UserDict(a=3.0)
    yield f, 1.0, collections.UserDict(a=4.0)
    yield f, 1.0, collections.ChainMap({"a": 5.0}, {"b": 1.0})
    yield f, 1.0, collections.Counter(a=2)
    yield f, 1.0, collections.Counter(a=3)


@agrees
def a_list_of_collections():
    def f(x, things):
        return x * things[1] + sum(things)

    yield f, 1.0, collections.UserList([1.0, 2.0])
    yield f, 1.0, collections.UserList([1.0, 3.0])
    yield f, 1.0, array.array("d", [1.0, 2.0])
    yield f, 1.0, array.array("d", [1.0, 5.0])
    yield f, 1.0, bytearray(b"ab")
    yield f, 1.0, bytearray(b"ac")


@agrees
def sets_of_numbers():
    def f(x, things):
        return x * sum(things) + isinstance(things, frozenset)

    yield f, 1.0, {1.0, 2.0}
    yield f, 1.0, {1.0, 3.0}
    yield f, 1.0, frozenset({1.0, 3.0})


@agrees
def ranges_that_are_equal():
    def f(x, steps):
        return x * steps.stop

    yield f, 1.0, range(0, 3, 2)
    yield f, 1.0, range(0, 4, 2)


@agrees
def keys_that_are_equal():
    def f(x, table):
        return x * (2.0 if next(iter(table)) is True else 3.0 if isinstance(next(iter(table)), int) else 4.0)

    yield f, 1.0, {1: 0.0}
    yield f, 1.0, {True: 0.0}
    yield f, 1.0, {1.0: 0.0}
    yield f, 1.0, {Level.LOW: 0.0}


@agrees
def zeros_as_keys():
    def f(x, table):
        return x + math.copysign(1.0, next(iter(table)))

    yield f, 1.0, {0.0: 0.0}
    yield f, 1.0, {-0.0: 0.0}


@agrees
def texts_and_bytes():
    def f(x, name):
        return x * (2.0 if name == "a" else 3.0)

    yield f, 1.0, "a"
    yield f, 1.0, b"a"
    yield f, 1.0, np.str_("a")


@agrees
def slices_and_dots():
    def f(xs, where):
        return sum(xs[where]) if where is not ... else xs[0]

    yield f, [1.0, 2.0, 3.0], slice(0, 2)
    yield f, [1.0, 2.0, 3.0], slice(1, 3)
    yield f, [1.0, 2.0, 3.0], ...


@refused("uses up|changes")
def an_iterator():
    def f(x, numbers):
        return x * sum(numbers)

    numbers = iter([1.0, 2.0, 3.0])
    yield f, 1.0, numbers
    yield f, 1.0, numbers


@agrees
def one_list_twice():
    def f(xs, ys):
        return xs[0] * 2.0 if xs is ys else xs[0] * 3.0

    xs = [1.0]
    yield f, xs, xs
    yield f, xs, [1.0]


@agrees
def the_order_of_keys():
    def f(x, table):
        first, *_ = table.values()
        return x * first

    yield f, 1.0, {"a": 2.0, "b": 3.0}
    yield f, 1.0, {"b": 3.0, "a": 2.0}


@agrees
def an_array_of_other_things():
    def f(x, things):
        return x * len(things[0]) if isinstance(things[0], str) else x

    yield f, 1.0, np.array(["a", None], dtype=object)
    yield f, 1.0, np.array(["abc", None], dtype=object)
    yield f, 1.0, np.array([None, "abc"], dtype=object)
    yield f, 1.0, np.array(["abcd"])


@refused("shape")
def an_array_without_dimensions():
    def f(x, scale):
        return x * scale * (2.0 if scale.shape == () else 3.0)

    yield f, 1.0, np.array(2.0)
    yield f, 1.0, np.array(3.0)


@agrees
def arrays_of_other_kinds():
    def f(x, mask):
        return (x * mask).sum()

    yield f, np.array([1.0, 2.0]), np.array([True, False])
    yield f, np.array([1.0, 2.0]), np.array([False, False])
    yield f, np.array([1.0, 2.0]), np.array([3, 4])
    yield f, np.array([1.0, 2.0]), np.array([3.0, 5.0], dtype=np.float32)


def jax_array(numbers):
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    return jax.numpy.array(numbers)


def tensor(numbers):
    torch = pytest.importorskip("torch")
    return torch.tensor(numbers, dtype=torch.float64)


@agrees
def an_array_of_jax():
    def f(x, others):
        return x * others[0] + others[1]

    yield f, 2.0, jax_array([1.0, 2.0])
    yield f, 2.0, jax_array([3.0, 5.0])


@agrees
def a_tensor_of_torch():
    def f(x, others):
        return x * float(others[0]) + float(others[1])

    yield f, 2.0, tensor([1.0, 2.0])
    yield f, 2.0, tensor([3.0, 5.0])


@agrees
def arrays_of_others_outside():
    weights, others = tensor([1.0, 2.0]), jax_array([1.0, 2.0])

    def f(x):
        return x * float(weights[0]) + float(others[1])

    yield f, 2.0
    weights[0] = 5.0
    yield f, 2.0
    others = others + 1.0
    yield f, 2.0


# What is done to what the caller has given


@refused("argument xs")
def a_list_grows():
    def f(xs):
        xs.append(1.0)
        return xs[0] * len(xs)

    xs = [2.0]
    yield f, xs
    yield f, xs


@refused("argument xs")
def a_list_shrinks():
    def f(xs):
        return xs.pop() * 2.0

    xs = [2.0, 3.0, 4.0]
    yield f, xs
    yield f, xs


@refused("argument xs")
def an_element_is_replaced():
    def f(xs):
        xs[0] = xs[0] * 2.0
        return xs[0]

    xs = [2.0]
    yield f, xs
    yield f, xs


@refused("argument table")
def a_dictionary_grows():
    def f(x, table):
        table["new"] = 1.0
        return x * len(table)

    table = {"a": 1.0}
    yield f, 1.0, table
    yield f, 1.0, table


@refused("argument xs")
def a_list_is_sorted():
    def f(xs):
        xs.sort()
        return xs[0]

    xs = [2.0, 1.0]
    yield f, xs
    yield f, xs


@refused("argument xs")
def an_array_is_written_into():
    def f(xs):
        xs[0] = 7.0
        return xs[0] * xs[1]

    xs = np.array([1.0, 2.0])
    yield f, xs
    yield f, xs


@refused("argument ns")
def a_list_of_integers_shrinks():
    def f(x, ns):
        return x * ns.pop()

    ns = [1, 2, 3]
    yield f, 1.0, ns
    yield f, 1.0, ns


@refused("changes|argument")
def a_queue_grows():
    def f(x, queue):
        queue.append(1.0)
        return x * len(queue)

    queue = collections.deque([1.0])
    yield f, 1.0, queue
    yield f, 1.0, queue


@refused("changes|argument")
def a_set_grows():
    def f(x, names):
        names.add("b")
        return x * len(names)

    names = {"a"}
    yield f, 1.0, names
    yield f, 1.0, names


@refused("argument rows")
def an_inner_list_grows():
    def f(x, rows):
        rows[0].append(3.0)
        return x * rows[0][0]

    rows = [[1.0]]
    yield f, 1.0, rows
    yield f, 1.0, rows
# Classes and functions outside


@agrees
def a_method_is_replaced():
    class Gain:
        def of(self, x):
            return x * 2.0

    gain = Gain()

    def f(x):
        return gain.of(x)

    yield f, 3.0
    Gain.of = lambda self, x: x * 5.0
    yield f, 3.0


@agrees
def a_property_is_replaced():
    class Gain:
        size = property(lambda self: 2.0)

    gain = Gain()

    def f(x):
        return x * gain.size

    yield f, 3.0
    Gain.size = property(lambda self: 5.0)
    yield f, 3.0
    Gain.size = 7.0
    yield f, 3.0


@agrees
def a_static_method_is_replaced():
    class Gain:
        @staticmethod
        def of(x):
            return x * 2.0

    def f(x):
        return Gain.of(x)

    yield f, 3.0
    Gain.of = staticmethod(lambda x: x * 5.0)
    yield f, 3.0


@agrees
def a_class_method_is_replaced():
    class Gain:
        size = 2.0

        @classmethod
        def of(cls, x):
            return x * cls.size

    def f(x):
        return Gain.of(x)

    yield f, 3.0
    Gain.of = classmethod(lambda cls, x: x * cls.size + 1.0)
    yield f, 3.0
    Gain.size = 4.0
    yield f, 3.0


@agrees
def a_method_is_added_below():
    class Base:
        def of(self, x):
            return x * 2.0

    class Gain(Base):
        pass

    gain = Gain()

    def f(x):
        return gain.of(x)

    yield f, 3.0
    Gain.of = lambda self, x: x * 5.0
    yield f, 3.0
    del Gain.of
    yield f, 3.0
    Base.of = lambda self, x: x * 7.0
    yield f, 3.0


@agrees
def what_a_new_method_uses():
    class Gain:
        def of(self, x):
            return x * 2.0

    gain, scale = Gain(), [5.0]

    def f(x):
        return gain.of(x)

    yield f, 3.0
    Gain.of = lambda self, x: x * scale[0]
    yield f, 3.0
    scale[0] = 6.0
    yield f, 3.0


@agrees
def an_operator_of_a_class_is_replaced():
    class Gain:
        def __rmul__(self, x):
            return x * 2.0

        def __call__(self, x):
            return x

    gain = Gain()

    def f(x):
        return gain(x) * 1.0 + (x * gain if isinstance(x, float) else gain.__rmul__(x))

    yield f, 3.0
    Gain.__rmul__ = lambda self, x: x * 5.0
    yield f, 3.0
    Gain.__call__ = lambda self, x: x * 7.0
    yield f, 3.0


@agrees
def an_object_changes_its_class():
    class Gain:
        def of(self, x):
            return x * 2.0

    class Loss:
        def of(self, x):
            return x * 3.0

    gain = Gain()

    def f(x):
        return gain.of(x)

    yield f, 3.0
    gain.__class__ = Loss
    yield f, 3.0


@agrees
def a_descriptor_with_a_state():
    class Scaled:
        def __init__(self, scale):
            self.scale = scale

        def __get__(self, owner, kind):
            return self.scale

    class Gain:
        size = Scaled(2.0)

    gain = Gain()

    def f(x):
        return x * gain.size

    yield f, 3.0
    vars(Gain)["size"].scale = 5.0
    yield f, 3.0
    Gain.size = Scaled(7.0)
    yield f, 3.0


@agrees
def a_metaclass_with_a_number():
    class Meta(type):
        scale = 2.0

        @property
        def size(cls):
            return cls.scale

    class Gain(metaclass=Meta):
        pass

    def f(x):
        return x * Gain.size

    yield f, 3.0
    Meta.scale = 5.0
    yield f, 3.0
    Meta.size = property(lambda cls: 7.0)
    yield f, 3.0


@agrees
def attributes_that_are_made_on_demand():
    class Gain:
        def __getattr__(self, name):
            return 2.0

    gain = Gain()

    def f(x):
        return x * gain.size

    yield f, 3.0
    Gain.__getattr__ = lambda self, name: 5.0
    yield f, 3.0
    gain.size = 7.0
    yield f, 3.0


@agrees
def a_base_class_changes():
    class Two:
        size = 2.0

    class Five:
        size = 5.0

    class Gain(Two):
        pass

    gain = Gain()

    def f(x):
        return x * gain.size

    yield f, 3.0
    Gain.__bases__ = (Five,)
    yield f, 3.0
    Five.size = 6.0
    yield f, 3.0


@agrees
def the_code_of_a_function_is_replaced():
    def helper(x):
        return x * 2.0

    def f(x):
        return helper(x)

    yield f, 3.0
    helper.__code__ = (lambda x: x * 5.0).__code__
    yield f, 3.0
    f.__code__ = types.FunctionType(f.__code__.replace(co_name="g"), {}, "g", None, f.__closure__).__code__
    yield f, 3.0


@agrees
def the_own_code_is_replaced():
    def f(x):
        return x * 2.0

    yield f, 3.0
    f.__code__ = (lambda x: x * 5.0).__code__
    yield f, 3.0


@agrees
def defaults_are_replaced():
    def helper(x, scale=2.0, *, shift=1.0):
        return x * scale + shift

    def f(x):
        return helper(x)

    yield f, 3.0
    helper.__defaults__ = (5.0,)
    yield f, 3.0
    helper.__kwdefaults__ = {"shift": 7.0}
    yield f, 3.0
    helper.__kwdefaults__["shift"] = 8.0
    yield f, 3.0


@agrees
def the_own_defaults_are_replaced():
    def f(x, scale=2.0):
        return x * scale

    yield f, 3.0
    f.__defaults__ = (5.0,)
    yield f, 3.0


@agrees
def a_default_that_is_a_list():
    def f(x, scales=[2.0]):  # noqa: B006 - on purpose
        return x * scales[0]

    yield f, 3.0
    f.__defaults__[0][0] = 5.0
    yield f, 3.0


@agrees
def an_attribute_of_a_function():
    def f(x):
        return x * f.scale

    f.scale = 2.0
    yield f, 3.0
    f.scale = 5.0
    yield f, 3.0


@agrees
def a_closure_that_is_rebound():
    scale = 2.0

    def f(x):
        return x * scale

    yield f, 3.0
    scale = 5.0
    yield f, 3.0
    scale = [7.0]
    yield (lambda x: f(x) if isinstance(scale, float) else x), 3.0
    yield (lambda x: x * scale[0]), 3.0


@agrees
def a_closure_of_a_closure():
    def outer():
        scale = 2.0

        def middle(x):
            return inner(x)

        def inner(x):
            return x * scale

        def change(number):
            nonlocal scale
            scale = number

        return middle, change

    f, change = outer()
    yield f, 3.0
    change(5.0)
    yield f, 3.0


@agrees
def a_function_in_a_list():
    steps = [lambda x: x * 2.0]

    def f(x):
        return steps[0](x)

    yield f, 3.0
    steps[0] = lambda x: x * 5.0
    yield f, 3.0


@agrees
def a_bound_method_of_another():
    class Gain:
        def __init__(self, size):
            self.size = size

        def of(self, x):
            return x * self.size

    call = Gain(2.0).of

    def f(x):
        return call(x)

    yield f, 3.0
    call.__self__.size = 5.0
    yield f, 3.0
    call = Gain(7.0).of
    yield f, 3.0


# Names and modules


def module_of(name, source, **facts):
    found = types.ModuleType(name)
    vars(found).update(ag=ag, **facts)
    exec(compile(source, f"{name}.py", "exec"), vars(found))
    sys.modules[name] = found
    return found


@agrees
def a_name_that_appears_later():
    module = module_of(
        "hostile_late", "def f(x):\n    try:\n        return x * scale\n    except NameError:\n        return x * 2.0\n"
    )
    yield module.f, 3.0
    module.scale = 5.0
    yield module.f, 3.0
    module.scale = 7.0
    yield module.f, 3.0
    del module.scale
    yield module.f, 3.0


@agrees
def a_name_that_hides_a_builtin():
    module = module_of("hostile_hides", "def f(x):\n    return sum([x, x]) + max(x, 1.0)\n")
    yield module.f, 3.0
    module.sum = lambda xs: xs[0] * 5.0
    yield module.f, 3.0
    del module.sum
    yield module.f, 3.0


@agrees
def a_name_of_none_that_hides_a_builtin():
    module = module_of("hostile_none", "def f(x):\n    return x * 2.0 if sum is None else sum([x])\n")
    yield module.f, 3.0
    module.sum = None
    yield module.f, 3.0


@agrees
def a_builtin_that_is_replaced():
    def f(x):
        return hostile_sum([x, x])  # noqa: F821 - a builtin of this test

    builtins.hostile_sum = sum
    yield f, 3.0
    builtins.hostile_sum = lambda xs: xs[0] * 5.0
    yield f, 3.0
    del builtins.hostile_sum


@agrees
def a_name_of_a_helper_in_a_helper():
    module = module_of("hostile_helpers", "def inner(x):\n    return abs(x) * k\ndef f(x):\n    return inner(x)\nk = 2.0\n")
    yield module.f, 3.0
    module.abs = lambda x: x * 5.0
    yield module.f, 3.0
    module.k = 7.0
    yield module.f, 3.0
    module.inner = lambda x: x
    yield module.f, 3.0


@agrees
def a_module_in_an_attribute():
    class Model:
        def __init__(self, config):
            self.config = config

    config = module_of("hostile_config", "scale = 2.0\n")
    model = Model(config)

    def f(x):
        return x * model.config.scale

    yield f, 3.0
    config.scale = 5.0
    yield f, 3.0


@agrees
def a_module_in_a_dictionary():
    config = module_of("hostile_config", "scale = 2.0\n")
    modules = {"config": config}

    def f(x):
        return x * modules["config"].scale

    yield f, 3.0
    config.scale = 5.0
    yield f, 3.0


@agrees
def a_module_by_getattr():
    config = module_of("hostile_config", "scale = 2.0\n")

    def f(x):
        return x * getattr(config, "scale")  # noqa: B009 - on purpose

    yield f, 3.0
    config.scale = 5.0
    yield f, 3.0


@agrees
def a_module_by_a_name_that_is_made():
    config = module_of("hostile_config", "scale_a = 2.0\n")
    letter = "a"

    def f(x):
        return x * getattr(config, f"scale_{letter}")

    yield f, 3.0
    config.scale_a = 5.0
    yield f, 3.0


@agrees
def the_names_of_a_module():
    config = module_of("hostile_config", "scale = 2.0\n")

    def f(x):
        return x * vars(config)["scale"] + config.__dict__["scale"]

    yield f, 3.0
    config.scale = 5.0
    yield f, 3.0


@agrees
def a_module_that_is_given():
    config = module_of("hostile_config", "scale = 2.0\n")

    def f(x, config):
        return x * config.scale

    yield f, 3.0, config
    config.scale = 5.0
    yield f, 3.0, config
    config.scale = 7.0
    yield f, 3.0, config


@agrees
def an_attribute_of_a_module_that_appears_later():
    config = module_of("hostile_config", "scale = 2.0\n")

    def f(x):
        return x * (config.extra if hasattr(config, "extra") else config.scale)

    yield f, 3.0
    config.extra = 5.0
    yield f, 3.0


@agrees
def a_module_of_a_package():
    package = module_of("hostile_package", "")
    package.__path__ = []
    config = package.config = module_of("hostile_package.config", "scale = 2.0\n")
    module = module_of(
        "hostile_package.work",
        "def f(x):\n    from . import config\n    from .config import scale\n    return x * config.scale * scale\n",
        __package__="hostile_package",
    )
    yield module.f, 3.0
    config.scale = 5.0
    yield module.f, 3.0


@agrees
def a_module_that_is_imported_inside():
    config = module_of("hostile_config", "scale = 2.0\n")

    def f(x):
        import hostile_config

        return x * hostile_config.scale

    yield f, 3.0
    config.scale = 5.0
    yield f, 3.0


@agrees
def a_module_by_its_name():
    config = module_of("hostile_config", "scale = 2.0\n")

    def f(x):
        return x * sys.modules["hostile_config"].scale

    yield f, 3.0
    config.scale = 5.0
    yield f, 3.0


@agrees
def a_function_of_a_module_is_replaced():
    module = module_of("hostile_functions", "def gain(x):\n    return x * k\nk = 2.0\n")

    def f(x):
        return module.gain(x)

    yield f, 3.0
    module.k = 5.0
    yield f, 3.0
    module.gain = lambda x: x * 7.0
    yield f, 3.0


@agrees
def all_globals_by_name():
    module = module_of("hostile_globals", "def f(x):\n    return x * globals()['scale']\nscale = 2.0\n")
    yield module.f, 3.0
    module.scale = 5.0
    yield module.f, 3.0


# Things outside that are no numbers


@agrees
def an_array_without_dimensions_outside():
    scale = np.array(2.0)

    def f(x):
        return x * scale

    yield f, 3.0
    scale[...] = 5.0
    yield f, 3.0


@agrees
def views_of_a_dictionary():
    table = {"a": 2.0}
    values, keys = table.values(), table.keys()

    def f(x):
        return x * sum(values) * len(keys)

    yield f, 3.0
    table["a"] = 5.0
    yield f, 3.0
    table["b"] = 1.0
    yield f, 3.0


@agrees
def a_proxy_of_a_dictionary():
    table = {"a": 2.0}
    proxy = types.MappingProxyType(table)

    def f(x):
        return x * proxy["a"]

    yield f, 3.0
    table["a"] = 5.0
    yield f, 3.0


@agrees
def a_context_variable():
    scale = contextvars.ContextVar("scale", default=2.0)

    def f(x):
        return x * scale.get()

    yield f, 3.0
    scale.set(5.0)
    yield f, 3.0


class Holder:
    def __init__(self, size):
        self.size = size


@agrees
def a_weak_reference():
    holder = Holder(2.0)
    reference = weakref.ref(holder)
    proxy = weakref.proxy(holder)

    def f(x):
        return x * (reference().size + proxy.size if reference() is not None else 7.0)

    yield f, 3.0
    holder.size = 5.0
    yield f, 3.0
    del holder
    yield f, 3.0


@agrees
def a_weak_dictionary():
    holder = Holder(2.0)
    table = weakref.WeakValueDictionary(a=holder)

    def f(x):
        return x * (table["a"].size if "a" in table else 7.0)

    yield f, 3.0
    holder.size = 5.0
    yield f, 3.0


@agrees
def a_helper_in_vectorize():
    scale = 2.0
    gain = np.vectorize(lambda x: x * scale, otypes=[object])

    def f(x):
        return gain([x])[0]

    yield f, 3.0
    scale = 5.0
    yield f, 3.0


@refused("numpy.frompyfunc")
def a_helper_in_frompyfunc():
    scale = [2.0]
    gain = np.frompyfunc(lambda x: x * scale[0], 1, 1)

    def f(x):
        return gain(x)

    yield f, 3.0
    scale[0] = 5.0
    yield f, 3.0


@agrees
def a_partial_function():
    def gain(x, scale):
        return x * scale[0]

    scale = [2.0]
    call = functools.partial(gain, scale=scale)

    def f(x):
        return call(x)

    yield f, 3.0
    scale[0] = 5.0
    yield f, 3.0
    call = functools.partial(gain, scale=[7.0])
    yield f, 3.0


@agrees
def a_cached_function_of_the_users():
    scale = [2.0]

    @functools.lru_cache
    def size(name):
        return scale[0] if name else 1.0

    def f(x):
        return x * size("a")

    yield f, 3.0
    scale[0] = 5.0
    size.cache_clear()
    yield f, 3.0


@agrees
def a_cached_property():
    class Gain:
        def __init__(self):
            self.scale = 2.0

        @functools.cached_property
        def size(self):
            return self.scale

    gain = Gain()
    gain.size  # noqa: B018 - it is cached now

    def f(x):
        return x * gain.size

    yield f, 3.0
    del gain.size
    gain.scale = 5.0
    gain.size  # noqa: B018
    yield f, 3.0


@agrees
def a_function_by_the_type():
    @functools.singledispatch
    def gain(kind, x):
        return x * 2.0

    def f(x, kind):
        return gain(kind, x)

    yield f, 3.0, "a"
    gain.register(str, lambda kind, x: x * 5.0)
    yield f, 3.0, "a"


@agrees
def getters_of_operator():
    import operator

    holder = Holder(2.0)
    get, pick = operator.attrgetter("size"), operator.itemgetter(0)
    sizes = [3.0]

    def f(x):
        return x * get(holder) * pick(sizes)

    yield f, 3.0
    holder.size = 5.0
    yield f, 3.0
    sizes[0] = 7.0
    yield f, 3.0
    get = operator.attrgetter("other")
    holder.other = 11.0
    yield f, 3.0


@agrees
def a_namespace_and_a_queue_outside():
    space, queue = types.SimpleNamespace(scale=2.0), collections.deque([1.0])

    def f(x):
        return x * space.scale * queue[-1]

    yield f, 3.0
    space.scale = 5.0
    yield f, 3.0
    queue.append(7.0)
    yield f, 3.0


@agrees
def containers_with_attributes_outside():
    row, record = Row([1.0]), Record(a=1.0)

    def f(x):
        return x * row.unit * record.unit

    yield f, 3.0
    row.unit = 5.0
    yield f, 3.0
    record.unit = 7.0
    yield f, 3.0


@agrees
def an_array_that_shares_its_numbers():
    numbers = np.array([2.0, 3.0])
    view = memoryview(numbers)

    def f(x):
        return x * view[0]

    yield f, 3.0
    numbers[0] = 5.0
    yield f, 3.0


@agrees
def slots_and_private_attributes():
    class Slotted:
        __slots__ = ("__dict__", "_size")

    class Hidden:
        def __init__(self):
            self.__size = 2.0

        def set(self, size):
            self.__size = size

        def get(self):
            return self.__size

    slotted, hidden = Slotted(), Hidden()
    slotted._size = slotted.other = 2.0

    def f(x):
        return x * slotted._size * slotted.other * hidden.get()

    yield f, 3.0
    slotted._size = 5.0
    yield f, 3.0
    slotted.other = 7.0
    yield f, 3.0
    hidden.set(11.0)
    yield f, 3.0


@agrees
def a_private_slot():
    class Slotted:
        __slots__ = ("__size",)

        def set(self, size):
            self.__size = size
            return self

        def get(self):
            return self.__size

    slotted = Slotted().set(2.0)

    def f(x):
        return x * slotted.get()

    yield f, 3.0
    slotted.set(5.0)
    yield f, 3.0


@agrees
def a_state_that_is_pickled_otherwise():
    class Gain:
        def __init__(self):
            self.scale = 2.0

        def __getstate__(self):
            return {}

    gain = Gain()

    def f(x):
        return x * gain.scale

    yield f, 3.0
    gain.scale = 5.0
    yield f, 3.0


@refused("uses up")
def an_iterator_outside():
    numbers = itertools.count(1.0)

    def f(x):
        return x * next(numbers)

    yield f, 3.0
    yield f, 3.0


# Numbers outside that keep changing


@agrees
def a_rate_that_keeps_changing():
    rate = 1.0

    def f(x):
        return x * rate

    for rate in (1.0, 0.5, 0.25, 0.125):  # noqa: B007 - f sees it
        yield f, 3.0


@agrees
def an_attribute_that_keeps_changing():
    holder = Holder(1.0)

    def f(x):
        return x * holder.size if holder.size > 0.3 else x

    for size in (1.0, 0.5, 0.25, 1.0, math.nan):
        holder.size = size
        yield f, 3.0


@agrees
def a_step_that_keeps_growing():
    steps = [0]

    def f(x):
        return x * 0.5 ** steps[0] + (1.0 if steps[0] % 2 else 0.0)

    for step in range(6):
        steps[0] = step
        yield f, 3.0


@agrees
def an_array_that_keeps_changing():
    weights = np.zeros(100)

    def f(x):
        return x * weights[3]

    for number in (1.0, 2.0, 3.0):
        weights[3] = number
        yield f, 3.0


@agrees
def a_big_list_that_changes_inside():
    numbers = [float(k) for k in range(5000)]

    def f(x):
        return x * numbers[4321]

    yield f, 3.0
    numbers[4321] = -1.0
    yield f, 3.0
    numbers[4321] = True
    yield f, 3.0


@agrees
def a_big_list_whose_zero_changes_its_sign():
    numbers = [0.5 * k for k in range(5000)]

    def f(x):
        return x * 0.0 + math.copysign(1.0, numbers[0])

    yield f, 3.0
    numbers[0] = -0.0
    yield f, 3.0
    numbers[:] = [-number for number in numbers]
    yield f, 3.0
    numbers[0] = math.nan
    yield f, 3.0


@agrees
def a_big_list_that_gets_a_value():
    numbers = [0.25 + k for k in range(5000)]

    def f(x):
        return x * numbers[7] * (2.0 if isinstance(numbers[7], Value) else 3.0)

    yield f, 3.0
    numbers[7] = Value(numbers[7])
    yield f, 3.0
    numbers.append(1.0)
    yield f, 3.0


@agrees
def a_big_array_that_changes_inside():
    numbers = np.arange(100_000.0)

    def f(x):
        return x * numbers[54_321]

    yield f, 3.0
    numbers[54_321] = -1.0
    yield f, 3.0


@agrees
def a_rate_that_a_helper_reads_too():
    rate = 1.0

    def helper(x):
        return x * rate

    def f(x):
        return helper(x) * rate

    for rate in (1.0, 0.5, 0.25, 0.125):  # noqa: B007 - f sees it
        yield f, 3.0


@agrees
def a_rate_that_becomes_other_things():
    rate = 1.0

    def f(x):
        return x * (1.0 if rate is None else rate)

    for rate in (1.0, 0.5, 2, True, None, 0.25, np.float64(3.0), 7, math.inf, -0.0):  # noqa: B007 - f sees it
        yield f, 3.0


@agrees
def a_rate_that_is_read_as_a_number():
    rate = 1.0

    def f(x):
        return x * math.exp(rate) + len(f"{rate:.1f}") + {0.5: 1.0}.get(rate, 2.0)

    for rate in (1.0, 0.5, 10.25, 0.5):  # noqa: B007 - f sees it
        yield f, 3.0


@agrees
def a_rate_whose_type_is_asked_for():
    rate = 1.0

    def f(x):
        return x * (rate if isinstance(rate, float) else 5.0)

    for rate in (1.0, 0.5, 2, 0.25):  # noqa: B007 - f sees it
        yield f, 3.0


@agrees
def a_rate_in_a_recursion():
    rate = 1.0

    def f(x, n):
        return x * rate if n == 0 else f(x, n - 1) * rate

    for rate in (1.0, 0.5, 0.25, 0.125):  # noqa: B007 - f sees it
        yield f, 3.0, 2


@agrees
def a_rate_of_a_module():
    module = module_of("hostile_rate", "def f(x):\n    return x * rate + (1.0 if rate > 0.3 else 0.0)\nrate = 1.0\n")
    for rate in (1.0, 0.5, 0.25, 0.125, 2.0):
        module.rate = rate
        yield module.f, 3.0


@agrees
def a_rate_that_another_starts_to_read():
    module = module_of("hostile_rate", "def f(x):\n    return x * rate + g(x)\ndef g(x):\n    return x\nrate = 1.0\n")
    for rate in (1.0, 0.5, 0.25):
        module.rate = rate
        yield module.f, 3.0
    exec("def g(x):\n    return x * rate", vars(module))
    for rate in (1.0, 0.5, 0.25):
        module.rate = rate
        yield module.f, 3.0


@agrees
def a_step_that_takes_and_one_that_counts():
    step = 0

    def f(x):
        return x * ag.take([1.0, 2.0, 4.0, 8.0], step) + sum([x for _ in range(step)])

    for step in (0, 1, 2, 3, 1):  # noqa: B007 - f sees it
        yield f, 3.0


@agrees
def a_step_that_is_compared_and_divides():
    step = 1

    def f(x):
        return x / step + 0.5**step + (1.0 if step >= 3 else 0.0) + step / 2 + (step - 1) * x

    for step in (1, 2, 3, 4, 5):  # noqa: B007 - f sees it
        yield f, 3.0


@agrees
def an_attribute_of_what_is_given():
    class Gain:
        def __init__(self):
            self.rate, self.step = 1.0, 0

        def of(self, x):
            return x * self.rate * 0.5**self.step

    def f(x, gain):
        return gain.of(x) + (gain.step if gain.rate < 0.3 else 0.0)

    gain = Gain()
    for step in range(6):
        gain.rate, gain.step = 0.5**step, step
        yield f, 3.0, gain
    other = Gain()
    yield f, 3.0, other
    other.rate = "none"
    yield (lambda x, gain: x * len(gain.rate)), 3.0, other


@agrees
def an_object_under_two_names():
    holder = Holder(1.0)
    other = Holder(1.0)

    def f(x):
        return x * holder.size * other.size

    for size in (1.0, 0.5, 0.25):
        holder.size = size
        yield f, 3.0
    other = holder
    for size in (1.0, 0.5, 0.25):
        holder.size = size
        yield f, 3.0


@refused("changes")
def an_object_that_counts():
    class Counter:
        def __init__(self):
            self.step = 0

    counter = Counter()

    def f(x):
        counter.step += 1
        return x * counter.step

    yield f, 3.0
    yield f, 3.0


@agrees
def a_property_of_a_changing_attribute():
    class Gain:
        def __init__(self):
            self.rate = 1.0

        @property
        def twice(self):
            return self.rate * 2.0

    gain = Gain()

    def f(x):
        return x * gain.twice

    for rate in (1.0, 0.5, 0.25, math.nan, 0.0):
        gain.rate = rate
        yield f, 3.0


@agrees
def a_frozen_record():
    @dataclasses.dataclass(frozen=True)
    class Config:
        rate: float

    config = Config(1.0)

    def f(x):
        return x * config.rate

    for rate in (1.0, 0.5, 0.25, 0.125):
        config = Config(rate)
        yield f, 3.0


# More of what is given


@refused("argument xs")
def an_array_is_scaled_in_place():
    def f(xs):
        xs *= 2.0
        return xs[0] * xs[1]

    xs = np.array([1.0, 2.0])
    yield f, xs
    yield f, xs


@refused("argument xs")
def a_list_is_extended_in_place():
    def f(xs):
        xs += [1.0]
        return xs[0] * xs[-1]

    xs = [2.0]
    yield f, xs
    yield f, xs


@refused("argument table")
def a_key_is_moved():
    def f(x, table):
        table.move_to_end("a")
        return x * next(iter(table.values()))

    table = collections.OrderedDict(a=1.0, b=2.0)
    yield f, 1.0, table
    yield f, 1.0, table


@agrees
def integers_and_truths_in_lists():
    def f(x, things):
        return x * (2.0 if things[0] is True else 3.0 if isinstance(things[0], int) else 4.0) + len(things)

    for things in ([1], [True], [1.0], [1, True], [True, 1], [], [None]):
        yield f, 1.0, [*things, 1.0]


@agrees
def numbers_of_other_kinds_in_containers():
    def f(x, things):
        return x * float(things["a"]) + (1.0 if isinstance(things["a"], decimal.Decimal) else 0.0)

    yield f, 1.0, {"a": decimal.Decimal("0.5")}
    yield f, 1.0, {"a": decimal.Decimal("0.25")}
    yield f, 1.0, {"a": fractions.Fraction(1, 4)}


@agrees
def arrays_of_other_classes():
    class Grid(np.ndarray):
        pass

    def f(x, matrix):
        return (x * matrix)[0, 1] * (2.0 if isinstance(matrix, Grid) else 1.0)

    yield f, 2.0, np.array([[1.0, 2.0], [3.0, 4.0]])
    yield f, 2.0, np.array([[1.0, 2.0], [3.0, 4.0]]).view(Grid)
    yield f, 2.0, np.array([[1.0, 5.0], [3.0, 4.0]]).view(Grid)


@refused("a masked array is no container of numbers here")
def masked_arrays():
    def f(x, matrix):
        return (x * matrix)[0, 1]

    yield f, 2.0, np.array([[1.0, 2.0], [3.0, 4.0]])
    yield f, 2.0, np.ma.masked_array([[1.0, 2.0], [3.0, 4.0]], mask=False)
    yield f, 2.0, np.ma.masked_array([[1.0, 5.0], [3.0, 4.0]], mask=False)


@agrees
def times_and_texts_in_arrays():
    def f(x, things):
        return x * (things[1] - things[0]).astype(float) if things.dtype.kind == "M" else x * len(things[0])

    yield f, 2.0, np.array(["2020-01-01", "2020-01-03"], dtype="datetime64[D]")
    yield f, 2.0, np.array(["2020-01-01", "2020-01-04"], dtype="datetime64[D]")
    yield f, 2.0, np.array(["ab", "abc"])


@agrees
def a_function_that_is_given():
    def f(x, act):
        return act(x) * 2.0

    scale = [2.0]
    act = functools.partial(lambda scale, x: scale[0] * x, scale)
    yield f, 3.0, act
    scale[0] = 5.0
    yield f, 3.0, act
    yield f, 3.0, abs
    yield f, 3.0, ag.tanh
    yield f, 3.0, ag.sin


@pytest.mark.parametrize("backend", ["numpy", "python"])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_programs(program, backend):
    compiled = outcomes(program, lambda f: ag.compile(f, backend=backend))
    compare(program, outcomes(program, lambda f: f), compiled)
    slopes = outcomes(program, lambda f: ag.compile(f, backend=backend).value_and_grad)
    compare(program, outcomes(program, engine), slopes)
    if (match := REFUSED.get(program)) is not None:
        assert any(isinstance(error, (TypeError, AttributeError)) and re.search(match, str(error)) for error in compiled)


def programs_of(compiled):
    return sum(map(len, compiled.variants.known.values()))


def test_a_rate_is_an_input_from_its_second_value_on():
    rate = 1.0

    def f(x):
        return x * rate

    compiled = ag.compile(f)
    for rate in (1.0, 0.5, 0.25, 0.125, 2.0):
        assert compiled(3.0) == 3.0 * rate
        assert compiled.value_and_grad(3.0) == (3.0 * rate, rate)
    assert programs_of(compiled) == 2
    assert compiled.inputs(3.0) == [3.0, 2.0]
    assert not any(line.startswith("rate") for line in compiled.frozen)


def test_numbers_in_attributes_are_inputs_soon():
    holder, steps = Holder(1.0), Holder(0)

    def f(x, holder):
        return x * holder.size * 0.5**steps.size

    compiled = ag.compile(f)
    for step in range(8):
        holder.size, steps.size = 3.0**step, step
        assert compiled(3.0, holder) == 3.0 * 1.5**step
    assert programs_of(compiled) <= 3
    assert (holder.size, steps.size) == (3.0**7, 7)


def test_a_rate_is_an_input_beside_a_model():
    import nn

    model, decay = nn.MLP(2, [1], seed=0), 1.0

    def loss(model, x):
        return model(x) ** 2 + decay * nn.l2_penalty(model, 1.0)

    step = ag.compile(loss).functional(model)
    weights = np.array([p.data for p in model.parameters()])
    for decay in (1.0, 0.5, 0.25, 0.125):  # noqa: B007 - loss sees it
        value, slopes = step(weights, [1.0, 2.0])
        expected = loss(model, [1.0, 2.0])
        assert value == pytest.approx(expected.data, rel=1e-12)
        assert slopes == pytest.approx(ag.grad(expected, model.parameters()), rel=1e-12)
    assert sum(map(len, step.variants.known.values())) == 2


def test_integers_that_meet_floats_are_inputs():
    compiled = ag.compile(lambda x, n: x * (n * 0.5) + n / 2 + (1.0 if n < 2.5 else 0.0))
    assert [compiled(2.0, n) for n in (1, 2, 3, 4)] == [2.5, 4.0, 4.5, 6.0]
    assert programs_of(compiled) == 2
    assert not any("n is" in line for line in compiled.frozen)


def test_what_is_compared_by_identity_alone_is_frozen():
    import threading

    lock = threading.Lock()
    compiled = ag.compile(lambda x: x * (2.0 if lock.locked() else 3.0))
    assert compiled(1.0) == 3.0
    assert any("what changes inside it is not noticed" in line for line in compiled.frozen)


def test_big_things_outside_are_not_kept_and_not_walked():
    numbers, array_of_numbers = [0.5 * k for k in range(10_000)], np.arange(100_000.0)
    compiled = ag.compile(lambda x: x * numbers[3] * array_of_numbers[3])
    assert compiled(1.0) == 4.5
    found = compiled.signature(compiled_call(1.0))
    assert not any(isinstance(part, bytes) and len(part) > 100 for part in found.key)


def compiled_call(*arguments):
    from autograd.compiler.variant import Call

    return Call(arguments, {})

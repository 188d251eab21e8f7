"""The room of values: `Value`, a number that remembers how it was made, and the one traversal of the graph it belongs to."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from importlib import import_module
from itertools import filterfalse
from numbers import Complex, Real
from typing import TYPE_CHECKING, Any, overload

from autograd.floats import number, unboxed
from autograd.ops import Primitive

__all__ = ["Note", "Operand", "Parents", "Value", "current", "note", "primal", "record", "topological"]


class Note:
    """What stands around an operation when it is recorded; a node keeps the note of its moment."""

    # Every operation asks the first two, every node on the way back the third, and slots are read fastest. All other facts stand
    # in the class until a note changes them.
    __slots__ = ("__dict__", "hooks", "recording", "watch")

    def __init__(
        self, recording: bool = True, watch: Callable[[Value], None] | None = None, hooks: tuple[Callable[[Any], Any], ...] = ()
    ) -> None:
        self.recording = recording  # whether operations remember their operands; `no_grad` says no
        self.watch = watch  # called with every node as it is made
        self.hooks = hooks  # of one single node: who listens to its gradient

    nested = 0  # how many derivatives are being taken right now; an inner derivative must give Values
    scope: tuple[str, ...] = ()  # the path of the module or block of code that is running
    read: Callable[..., None] | None = None  # called when a program reads the number in a Value: how, and the operands
    carried: Callable[..., None] | None = None  # called when derivatives were carried back: the order, and the cotangents
    storing: Callable[..., None] | None = None  # the same, before `backward()` stores them in `grad`
    trace: Any = None  # the compiler's trace, if operations are being written down by one
    choices: Callable[..., Any] | None = None  # the local derivatives of a choice, as Values that hold whichever side it takes
    # What is known of one single node: its name, and the line of the program that made it.
    label = ""
    line = ""
    listened = True  # whether hooks are called
    registered = 0  # how many hooks were ever registered or removed, so that nobody must look for them at every step
    closure: Callable[[], None] | None = None  # a program's own way to carry a gradient back from this node: `out._backward = f`

    def but(self, **facts: Any) -> Note:
        """The same note with some facts changed."""
        slots = [facts.pop(name, getattr(self, name)) for name in ("recording", "watch", "hooks")]
        changed = Note(*slots)
        changed.__dict__ = self.__dict__ | facts
        return changed


PLAIN = Note()
note: ContextVar[Note] = ContextVar("note", default=PLAIN)  # the note of the moment, one per thread or task
current = note.get


EMPTY: tuple[Any, ...] = ()


class Value:
    """A number that remembers how it was made, so that derivatives can be found by walking back.

    `data` is the number, `grad` the derivative of the last root by it: 0.0 until `backward()` was called on the root.
    Arithmetic with Values and numbers makes new Values and follows IEEE 754: inf and nan appear where they must, and nothing
    raises. Numbers are constants: they carry no gradient. All comparisons, `==` too, compare the numbers; `is`, sets and keys of
    dictionaries tell nodes apart.

    `Value(number, operands, name)` is the result of an operation of your own, whose `_backward` you set afterwards, or whose
    local derivatives you give in place of the name, as programs for micrograd do. `autograd.primitive` defines one that can be
    differentiated again and compiled.

    Raises TypeError for what is not a number, and for a label that is no text; write `Value(float("2.5"))` for text.

    >>> a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    >>> c = (a * b + 10) ** 2
    >>> c.backward()
    >>> c, a
    (Value(data=16.0, grad=1.0, op='**'), Value(data=2.0, grad=-24.0, label='a'))
    """

    # _operands holds Values, and floats for constants; _locals the local derivative for each of them, None where no path leads.
    __slots__ = ("_data", "_grad", "_locals", "_note", "_operands", "_primitive")

    _data: float
    _primitive: Primitive | None
    _operands: tuple[Operand, ...]
    _locals: tuple[float | None, ...]
    _note: Note
    _grad: Any  # a float; a Value after backward(create_graph=True)
    grad: Any  # the same, for programs: from the first compiled function on, a listener is notified

    @overload
    def __init__(self, data: Any, *, label: str = "") -> None: ...

    @overload
    def __init__(self, data: Any, label: str, /) -> None: ...

    @overload
    def __init__(self, data: Any, _children: Iterable[Any], _op: str | Iterable[Any], label: str = "") -> None: ...

    def __init__(self, data: Any, _children: Any = (), _op: Any = "", label: str = "") -> None:
        self._data = data if data.__class__ is float else number(data, "Value")
        self._primitive, self._operands, self._locals, self._grad = None, (), (), 0.0
        self._note = current()
        if _children is not EMPTY or label != "" or _op != "":
            self._make_result(_children, _op, label)

    @property
    def data(self) -> float:
        """The number. Setting it moves a leaf (a parameter, say); gradients stay those of the point that was evaluated."""
        if (read := current().read) is not None:
            read(".data", self)
        return self._data

    @data.setter
    def data(self, data: Any) -> None:
        self._data = number(data, "Value.data")

    @property
    def label(self) -> str:
        """The name of this node, for pictures and messages."""
        if (read := current().read) is not None:
            read(".label", self)
        return self._note.label

    @label.setter
    def label(self, label: str) -> None:
        if not isinstance(label, str):
            as_text = "" if label is None else str(label)
            raise TypeError(f"the label of a Value is text, not {type(label).__name__} {label!r}; write label={as_text!r}")
        if (read := current().read) is not None:
            read(".label =", self)
        self._note = self._note.but(label=label)

    @property
    def scope(self) -> str:
        """The path of the module or block of code that made this node: 'mlp/layer1'."""
        return "/".join(self._note.scope)

    @property
    def _op(self) -> str:
        return self._primitive.label if self._primitive else ""

    @property
    def _prev(self) -> Parents:
        """The parents in order, one entry per use: `a * a` has two."""
        return Parents([operand for operand in self._operands if operand.__class__ is not float])  # type: ignore[misc]

    def zero_grad(self) -> None:
        """Set the gradient of this Value, and of every Value it was made from, to 0."""
        for node in topological(self):
            node.grad = 0.0

    def detach(self) -> Value:
        """A new leaf with the same number: nothing flows back through it."""
        return Value(self.data)

    def register_hook(self, hook: Callable[[Any], Any]) -> Callable[[], None]:
        """Call `hook(gradient)` when the gradient of this Value is complete; what it returns, if not None, replaces the gradient.

        Returns a function that removes the hook.

        >>> x = Value(3.0)
        >>> remove = x.register_hook(lambda gradient: 2 * gradient)
        >>> (x * x).backward()
        >>> x.grad
        12.0
        """
        if (read := current().read) is not None:
            read("register_hook", self)
        self._note = self._note.but(hooks=(*self._note.hooks, hook))
        Note.registered += 1

        def remove() -> None:
            self._note = self._note.but(hooks=tuple([other for other in self._note.hooks if other is not hook]))
            Note.registered += 1

        return remove

    def __repr__(self) -> str:
        data = repr(self._data) if current().trace is None else "?"  # not known while a function is compiled
        facts = {"grad": self._grad, "op": self._op, "label": self._note.label}
        return f"Value(data={data}, {', '.join(f'{name}={fact!r}' for name, fact in facts.items() if fact != '')})"

    def __format__(self, spec: str) -> str:
        return format(self.data, spec) if spec else str(self)

    # NumPy asks what its functions mean on a Value. The module that answers is imported by the first call, and replaces these.
    def __array_ufunc__(self, *question: Any, **options: Any) -> Any:
        import_module("autograd.arrays.protocols")
        return self.__array_ufunc__(*question, **options)

    def __array_function__(self, *question: Any) -> Any:
        import_module("autograd.arrays.protocols")
        return self.__array_function__(*question)

    # Reading the number. Whoever listens is told; only `float()`, which `math.sin(v)` calls too, may be no reading on purpose.
    def __float__(self) -> float:
        if (read := current().read) is not None:
            read("float()", self)
        return self._data

    def item(self) -> float:
        """The number, as `data`."""
        return self.data

    def conjugate(self) -> Value:
        """The Value itself: it is real. NumPy's `std` and `var` ask for it."""
        return self

    def __int__(self) -> int:
        return int(self.data)

    def __round__(self, digits: int | None = None) -> float:
        return round(self.data, digits) if digits is not None else round(self.data)

    def __floor__(self) -> int:
        return math.floor(self.data)

    def __ceil__(self) -> int:
        return math.ceil(self.data)

    def __trunc__(self) -> int:
        return math.trunc(self.data)

    # Comparisons compare the numbers; one that a program branches on is a reading too. Sets and dictionaries hold nodes.
    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        return bool(compare("!=", self, 0.0))

    def __eq__(self, other: object) -> Any:
        return compare("==", self, other)

    def __ne__(self, other: object) -> Any:
        return compare("!=", self, other)

    def __lt__(self, other: Any) -> Any:
        return compare("<", self, other)

    def __le__(self, other: Any) -> Any:
        return compare("<=", self, other)

    def __gt__(self, other: Any) -> Any:
        return compare(">", self, other)

    def __ge__(self, other: Any) -> Any:
        return compare(">=", self, other)

    if TYPE_CHECKING:  # what the table and the chain rule add below, for type checkers

        # ruff: noqa: D102
        def _unary(self) -> Value: ...
        def _binary(self, other: Any) -> Value: ...
        def _slope(self, negative_slope: Any = ...) -> Value: ...
        def _alpha(self, alpha: Any = ...) -> Value: ...
        def _make_result(self, operands: Any, operation: Any, label: Any) -> None: ...
        def _pair(self, other: Any) -> tuple[Value, Value]: ...
        def backward(self, gradient: Operand = 1.0, *, create_graph: bool = False) -> None: ...

        __neg__ = __pos__ = __abs__ = square = sqrt = cbrt = exp = exp2 = expm1 = log = log2 = log10 = log1p = _unary
        sin = cos = tan = asin = acos = atan = arcsin = arccos = arctan = sinh = cosh = tanh = asinh = acosh = atanh = _unary
        arcsinh = arccosh = arctanh = sinc = erf = erfc = lgamma = digamma = stop_gradient = sign = floor = ceil = _unary
        round = rint = trunc = sigmoid = relu = softplus = silu = gelu = degrees = rad2deg = radians = deg2rad = _unary
        neg = negative = pos = positive = abs = absolute = fabs = _unary
        __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __pow__ = _binary
        __rpow__ = __mod__ = __rmod__ = __floordiv__ = __rfloordiv__ = fmod = atan2 = arctan2 = hypot = polygamma = _binary
        maximum = minimum = copysign = heaviside = logaddexp = logaddexp2 = _binary
        __divmod__ = __rdivmod__ = _pair
        leaky_relu = _slope
        elu = _alpha


class Parents(tuple["Value", ...]):
    """The parents of a node: like a set, as which micrograd keeps them, it tells nodes apart and not numbers."""

    __slots__ = ()
    __hash__ = tuple.__hash__

    def __contains__(self, node: object) -> bool:
        return any(node is parent for parent in self)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, (set, frozenset)):
            return set(self) == other
        return isinstance(other, tuple) and len(self) == len(other) and all(map(operator.is_, self, other))

    def __ne__(self, other: object) -> bool:
        return not self == other


Operand = Value | float
ORDER: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip


def compare(sign: str, left: Value, right: Any) -> Any:
    """Compare the numbers of two operands as Python compares floats, and notify a listener."""
    if isinstance(right, Value):
        y: Any = right._data
    elif right.__class__ is float:
        y = right
    elif (inside := unboxed(right)) is not right:
        return compare(sign, left, inside)
    elif is_real(right):
        y = right  # integers and fractions are compared exactly
    elif sign in ("==", "!=") and isinstance(right, Complex):
        if right.imag != 0.0:
            return sign == "!="
        y = right = float(right.real)
    elif sign in ("==", "!="):
        return NotImplemented  # other kinds of things are not equal; arrays answer by themselves
    else:
        return number(right, sign, foreign=NotImplemented)
    answer = bool(ORDER[sign](left._data, y))
    if (read := current().read) is not None:
        read(sign, left, right if isinstance(right, Value) else nearest(right), answer)
    return answer


def is_real(x: Any) -> bool:
    """Whether this is one real number, of whatever type."""
    return isinstance(x, Real) or (hasattr(x, "__float__") and not isinstance(x, Complex) and not getattr(x, "ndim", 0))


def nearest(x: Any) -> float:
    """The float that is nearest to a real number, an infinity beyond them all."""
    try:
        return float(x)
    except OverflowError:
        return math.inf if x > 0 else -math.inf


def primal(operand: Operand) -> float:
    """The number of an operand."""
    return operand if operand.__class__ is float else operand._data  # type: ignore[union-attr]


def record(
    data: float, primitive: Primitive, operands: tuple[Operand, ...], local_derivatives: tuple[float | None, ...]
) -> Value:
    """The node of an operation that was just computed: the one place where a graph grows."""
    node = new(Value)
    node._data = data
    node._grad = 0.0
    node._note = around = current()
    if around.recording:
        node._primitive, node._operands, node._locals = primitive, operands, local_derivatives
    else:
        node._primitive, node._operands, node._locals = None, (), ()
    if around.watch is not None:
        around.watch(node)
    return node


new = Value.__new__
setattr(Value, "grad", Value.__dict__["_grad"])  # noqa: B010 - type checkers know it as a variable


MANY = 8  # operands of one node; looking first which of them are known pays from here on


def topological(*roots: Value) -> list[Value]:
    """Every node the roots were made from, each after its operands; depth first, operands in order, so always the same."""
    order: list[Value] = []
    seen: set[Value] = set()
    stack: list[Any] = list(reversed(roots))
    while stack:
        node = stack.pop()
        if node is None:  # the operands of the node below are in the order by now
            order.append(stack.pop())
        elif node.__class__ is not float and node not in seen:
            seen.add(node)
            if operands := node._operands[::-1]:
                stack += (node, None)
                stack += operands if len(operands) < MANY else filterfalse(seen.__contains__, operands)
            else:
                order.append(node)
    return order

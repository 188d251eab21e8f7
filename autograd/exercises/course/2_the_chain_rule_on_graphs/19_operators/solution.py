import math


class Value:
    def __init__(self, data, operands=()):
        self.data = data
        self.grad = 0.0
        self._operands = operands
        self._backward = lambda: None

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other))

        def backward():
            self.grad += out.grad
            other.grad += out.grad

        out._backward = backward
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other))

        def backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out._backward = backward
        return out

    __radd__, __rmul__ = __add__, __mul__

    def __pow__(self, n):
        out = Value(self.data**n, (self,))  # hole
        # hole
        def backward():  # hole
            self.grad += n * self.data ** (n - 1) * out.grad  # hole
        # hole
        out._backward = backward  # hole
        return out  # hole

    def relu(self):
        out = Value(max(self.data, 0.0), (self,))  # hole
        # hole
        def backward():  # hole
            self.grad += (1.0 if out.data > 0 else 0.0) * out.grad  # hole
        # hole
        out._backward = backward  # hole
        return out  # hole

    def tanh(self):
        out = Value(math.tanh(self.data), (self,))  # hole
        # hole
        def backward():  # hole
            self.grad += (1 - out.data**2) * out.grad  # hole
        # hole
        out._backward = backward  # hole
        return out  # hole

    def __neg__(self):
        return self * -1  # hole

    def __sub__(self, other):
        return self + (-other)  # hole

    def __rsub__(self, other):
        return other + (-self)  # hole

    def __truediv__(self, other):
        return self * other**-1  # hole

    def __rtruediv__(self, other):
        return other * self**-1  # hole

    def backward(self):
        order, done, stack = [], set(), [self]
        while stack:
            node = stack[-1]
            missing = [x for x in node._operands if x not in done]
            if missing:
                stack += missing
            elif stack.pop() not in done:
                order.append(node)
                done.add(node)
        self.grad = 1.0
        for node in reversed(order):
            node._backward()

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
        other = other if isinstance(other, Value) else Value(other)  # hole
        out = Value(self.data * other.data, (self, other))  # hole
        # hole
        def backward():  # hole
            self.grad += other.data * out.grad  # hole
            other.grad += self.data * out.grad  # hole
        # hole
        out._backward = backward  # hole
        return out  # hole

    __radd__, __rmul__ = __add__, __mul__  # 2 + value, 2 * value

    def backward(self):
        order, done, stack = [], set(), [self]  # hole
        while stack:  # hole
            node = stack[-1]  # hole
            missing = [x for x in node._operands if x not in done]  # hole
            if missing:  # hole
                stack += missing  # hole
            elif stack.pop() not in done:  # hole
                order.append(node)  # hole
                done.add(node)  # hole
        self.grad = 1.0  # hole
        for node in reversed(order):  # hole
            node._backward()  # hole

class Value:
    """Local derivatives are kept instead of functions."""

    def __init__(self, data, operands=(), locals=()):
        self.data, self.grad = data, 0.0
        self.operands, self.locals = operands, locals

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        order, seen, stack = [], set(), [(self, False)]
        while stack:
            node, finished = stack.pop()
            if finished:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                stack.append((node, True))
                stack += [(operand, False) for operand in node.operands]
        self.grad = 1.0
        for node in reversed(order):
            for operand, local in zip(node.operands, node.locals):
                operand.grad += local * node.grad

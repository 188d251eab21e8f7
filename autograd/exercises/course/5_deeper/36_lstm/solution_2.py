from autograd import Value


def backward(i, f, o, g, c, dh, dc2):
    inputs = [Value(x) for x in (i, f, o, g, c)]
    i, f, o, g, c = inputs
    new = f.sigmoid() * c + i.sigmoid() * g.tanh()
    (dh * o.sigmoid() * new.tanh() + dc2 * new).backward()
    return [x.grad for x in inputs]

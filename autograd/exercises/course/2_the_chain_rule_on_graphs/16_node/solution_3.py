def mul_backward(x, y, out_grad, x_grad, y_grad):
    local = {"x": y, "y": x}
    sofar = {"x": x_grad, "y": y_grad}
    return tuple(sofar[name] + local[name] * out_grad for name in "xy")

def mul_backward(x, y, out_grad, x_grad, y_grad):
    x_grad += y * out_grad  # hole
    y_grad += x * out_grad  # hole
    return x_grad, y_grad

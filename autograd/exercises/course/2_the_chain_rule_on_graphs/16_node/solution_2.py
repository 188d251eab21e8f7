def mul_backward(x, y, out_grad, x_grad, y_grad):
    return [x_grad + out_grad * y, y_grad + out_grad * x]

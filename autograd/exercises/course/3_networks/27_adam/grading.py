"""Adam, compared with this project's own optimiser."""

import nn
from autograd import Value

ENTRY = "step"


def cases(draw):
    betas = (0.9, 0.99)
    first = (draw.uniform(-1.0, 1.0), 0.0, 0.0, draw.uniform(0.5, 2.0), 1, 0.1, *betas, 0.01)
    later = (draw.uniform(-1.0, 1.0), draw.uniform(0.1, 0.5), draw.uniform(0.1, 0.5), draw.uniform(-2.0, -0.5), 3, 0.2, *betas, 0.1)
    return [first, later]


def expected(w, m, v, g, t, rate, beta1, beta2, eps):
    parameter = Value(w)
    optimizer = nn.Adam([parameter], lr=rate, betas=(beta1, beta2), eps=eps)
    optimizer.steps, optimizer.state = t - 1, {"mean": [m], "square": [v]}
    parameter.grad = g
    optimizer.step()
    return parameter.data, optimizer.state["mean"][0], optimizer.state["square"][0]


MISTAKES = [
    ("no correction", "m_hat / (math.sqrt(v_hat) + eps)", "m / (math.sqrt(v) + eps)", "The means begin at 0 and are too small at first: use m_hat and v_hat."),
    ("corrected means kept", ", m, v\n", ", m_hat, v_hat\n", "Return m and v without correction; the next step goes on from them."),
    ("eps inside the root", "(math.sqrt(v_hat) + eps)", "math.sqrt(v_hat + eps)", "eps is added after the root."),
    ("not squared", "g**2", "abs(g)", "v is the mean of the squares: g**2."),
    ("root forgotten", "math.sqrt(v_hat)", "v_hat", "Divide by the root of v_hat, so that m and its size cancel."),
    ("t counted from 0", "(1 - beta1**t)\n    v_hat = v / (1 - beta2**t)", "(1 - beta1 ** (t + 1))\n    v_hat = v / (1 - beta2 ** (t + 1))", "t is 1 at the first step already: do not add one."),
    ("betas swapped", "beta1 * m + (1 - beta1) * g", "beta2 * m + (1 - beta2) * g", "m goes with beta1, v with beta2."),
    ("up the hill", "w - rate", "w + rate", "Down the hill: minus."),
]

"""Layers, losses and optimisers agree with PyTorch in value and gradient, by the engine and compiled."""

import random

import pytest

import autograd
import nn
from autograd import Value, dot
from nn import schedules

torch = pytest.importorskip("torch", reason="needs PyTorch to compare with")
F = torch.nn.functional
DRAW = random.Random(3)


def numbers(*shape):
    return [numbers(*shape[1:]) for _ in range(shape[0])] if shape else DRAW.uniform(-1.5, 1.5)


def as_values(x):
    return [as_values(part) for part in x] if isinstance(x, list) else Value(x)


def data(x):
    return [data(part) for part in x] if isinstance(x, (list, tuple)) else x.data if isinstance(x, Value) else x


def grads(x):
    return [grads(part) for part in x] if isinstance(x, (list, tuple)) else x.grad


def tensor(x):
    return torch.tensor(x, dtype=torch.float64)


def close(ours, theirs):
    torch.testing.assert_close(tensor(ours), theirs.detach(), rtol=1e-9, atol=1e-11)


def compare(module, inputs, theirs, **named):
    """Value, and gradients by inputs and parameters, of a random projection of the output, by the engine and compiled."""
    x, xt = as_values(inputs), tensor(inputs).requires_grad_()
    for parameters in named.values():
        for p in nn.flatten(parameters):
            p.data = DRAW.uniform(-1, 1)
    weights = {name: tensor(data(parameters)).requires_grad_() for name, parameters in named.items()}
    out, out_t = module(x), theirs(xt, **weights)
    close(data(out), out_t)
    direction = [DRAW.uniform(-1, 1) for _ in nn.flatten(out)]
    total = (out_t.reshape(-1) * tensor(direction)).sum()
    total.backward()

    def projected(x):
        return dot(nn.flatten(module(x)), direction)

    for run in (projected, autograd.compile(projected)):
        for p in nn.flatten([x, *named.values()]):
            p.grad = 0.0
        found = run(x)
        found.backward()
        close(found.data, total)
        close(grads(x), xt.grad)
        for name, parameters in named.items():
            close(grads(parameters), weights[name].grad)


def test_linear():
    layer = nn.Linear(3, 4)
    compare(layer, numbers(3), lambda x, w, b: F.linear(x, w, b), w=layer.weight, b=layer.bias)


def test_embedding():
    layer = nn.Embedding(5, 3)
    out, table = layer(2) + layer(2) + layer(4), tensor(data(layer.weight)).requires_grad_()
    direction = numbers(9)
    dot(out, direction).backward()
    compiled = autograd.compile(lambda i, k: dot(layer(i) + layer(i) + layer(k), direction))
    eager, _ = grads(layer.weight), layer.zero_grad()
    compiled(2, 4).backward()
    assert nn.flatten(grads(layer.weight)) == pytest.approx(nn.flatten(eager))
    (F.embedding(torch.tensor([2, 2, 4]), table).reshape(-1) * tensor(direction)).sum().backward()
    close(grads(layer.weight), table.grad)


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (2, 1), (3, 2)])
def test_conv2d(stride, padding):
    layer = nn.Conv2d(2, 3, size=2, stride=stride, padding=padding)
    compare(
        layer, numbers(2, 5, 4),
        lambda x, w, b: F.conv2d(x[None], w.reshape(3, 2, 2, 2), b, stride, padding)[0],
        w=layer.weight, b=layer.bias,
    )  # fmt: skip


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (2, 1)])
def test_conv1d(stride, padding):
    layer = nn.Conv1d(2, 3, size=3, stride=stride, padding=padding)
    compare(
        layer, numbers(2, 7), lambda x, w, b: F.conv1d(x[None], w.reshape(3, 2, 3), b, stride, padding)[0],
        w=layer.weight, b=layer.bias,
    )  # fmt: skip


@pytest.mark.parametrize(("pool", "theirs"), [
    (nn.MaxPool2d(2), lambda x: F.max_pool2d(x[None], 2)[0]), (nn.AvgPool2d(2), lambda x: F.avg_pool2d(x[None], 2)[0]),
    (nn.MaxPool2d(2, stride=1), lambda x: F.max_pool2d(x[None], 2, 1)[0]),
])  # fmt: skip
def test_pools_of_images(pool, theirs):
    compare(pool, numbers(2, 5, 4), theirs)


@pytest.mark.parametrize(("pool", "theirs"), [
    (nn.MaxPool1d(3), lambda x: F.max_pool1d(x[None], 3)[0]), (nn.AvgPool1d(3), lambda x: F.avg_pool1d(x[None], 3)[0]),
])  # fmt: skip
def test_pools_of_sequences(pool, theirs):
    compare(pool, numbers(2, 7), theirs)


def test_layer_norm():
    layer = nn.LayerNorm(4)
    compare(layer, numbers(4), lambda x, w, b: F.layer_norm(x, [4], w, b, 1e-5), w=layer.weight, b=layer.bias)


def test_rms_norm():
    layer = nn.RMSNorm(4)
    compare(layer, numbers(4), lambda x, w: x / (x.square().mean() + 1e-5).sqrt() * w, w=layer.weight)
    compare(nn.RMSNorm(4, weight=False), numbers(4), lambda x: x / (x.square().mean() + 1e-5).sqrt())


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_recurrent(kind):
    ours = getattr(nn, kind)(3, 4)
    theirs = getattr(torch.nn, kind)(3, 4).double()

    def run(x, **weights):
        names = {"wi": "weight_ih_l0", "wh": "weight_hh_l0", "bi": "bias_ih_l0", "bh": "bias_hh_l0"}
        return torch.func.functional_call(theirs, {names[name]: w for name, w in weights.items()}, (x,))[0]

    cell = ours.cell
    parameters = {"wi": cell.input.weight, "wh": cell.hidden.weight, "bi": cell.input.bias, "bh": cell.hidden.bias}
    compare(lambda x: ours(x)[0], numbers(5, 3), run, **parameters)


def test_a_recurrent_network_goes_on_from_its_state():
    lstm, xs = nn.LSTM(2, 3, seed=0), numbers(4, 2)
    whole, _ = lstm(xs)
    _, state = lstm(xs[:2])
    assert data(lstm(xs[2:], state)[0]) == data(whole[2:])


@pytest.mark.parametrize("heads", [1, 2])
def test_attention(heads):
    layer = nn.CausalSelfAttention(4, heads)

    def theirs(x, **w):
        q, k, v = (F.linear(x, w[f"w{n}"], w[f"b{n}"]).reshape(5, heads, -1).transpose(0, 1) for n in "qkv")
        found = F.scaled_dot_product_attention(q[None], k[None], v[None], is_causal=True)[0]
        return F.linear(found.transpose(0, 1).reshape(5, 4), w["wo"], w["bo"])

    named = zip("qkvo", (layer.query, layer.key, layer.value, layer.out))
    parameters = {f"{kind}{n}": p for n, linear in named for kind, p in (("w", linear.weight), ("b", linear.bias))}
    compare(layer, numbers(5, 4), theirs, **parameters)


LOSSES = {
    "mse_loss": F.mse_loss, "mae_loss": F.l1_loss, "huber_loss": F.huber_loss,
    "bce_with_logits": F.binary_cross_entropy_with_logits, "cross_entropy": F.cross_entropy,
}  # fmt: skip


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", LOSSES)
def test_losses(name, reduction):
    inputs = [[3 * x for x in row] for row in numbers(4, 3)]
    targets = numbers(4, 3)
    if name == "bce_with_logits":
        targets = [[DRAW.random() for _ in row] for row in targets]
    wanted = tensor(targets)
    if name == "cross_entropy":
        targets = [0, 2, 1, 2]
        wanted = torch.tensor(targets)
    options = {"delta": 0.7} if name == "huber_loss" else {}
    compare(
        lambda x: getattr(nn, name)(x, targets, reduction=reduction, **options), inputs,
        lambda x: LOSSES[name](x, wanted, reduction=reduction, **options).reshape(() if reduction != "none" else (-1,)),
    )  # fmt: skip


OPTIMISERS = {
    "sgd": (nn.SGD, torch.optim.SGD, {"lr": 0.02}),
    "momentum": (nn.SGD, torch.optim.SGD, {"lr": 0.02, "momentum": 0.9, "weight_decay": 0.1}),
    "nesterov": (nn.SGD, torch.optim.SGD, {"lr": 0.02, "momentum": 0.8, "nesterov": True}),
    "rmsprop": (nn.RMSprop, torch.optim.RMSprop, {"lr": 0.02, "alpha": 0.9, "weight_decay": 0.1}),
    "adam": (nn.Adam, torch.optim.Adam, {"lr": 0.05, "betas": (0.8, 0.95), "weight_decay": 0.1}),
    "adamw": (nn.AdamW, torch.optim.AdamW, {"lr": 0.05, "weight_decay": 0.1}),
}


@pytest.mark.parametrize("kind", OPTIMISERS)
def test_optimisers_over_fifty_steps(kind):
    ours, theirs, settings = OPTIMISERS[kind]
    np = pytest.importorskip("numpy", reason="needs numpy")
    p, t = as_values([1.2, -0.7]), tensor([1.2, -0.7]).requires_grad_()
    mine, other = ours(p, **settings), theirs([t], **settings)
    array, of_arrays = np.array([1.2, -0.7]), ours(as_values([1.2, -0.7]), **settings)
    slopes = autograd.grad(lambda p: (p[0] - 1) ** 2 + 5 * (p[1] - p[0] ** 2) ** 2)
    for _ in range(50):
        for optimizer, (x, y) in ((mine, p), (other, t)):
            optimizer.zero_grad()
            ((x - 1) ** 2 + 5 * (y - x**2) ** 2).backward()
        mine.step()
        other.step()
        torch.testing.assert_close(tensor(data(p)), t.detach(), rtol=1e-10, atol=1e-12)
        array = array - of_arrays.step_of(array, slopes(array))
        assert array.tolist() == pytest.approx(data(p), rel=1e-12)


@pytest.mark.parametrize("bound", [0.5, 100.0])
def test_clipping(bound):
    p, t = as_values(numbers(6)), torch.zeros(6, dtype=torch.float64, requires_grad=True)
    for x in p:
        x.grad = 3 * x.data
    t.grad = tensor(grads(p))
    norm, expected = nn.clip_grad_norm(p, bound), torch.nn.utils.clip_grad_norm_([t], bound)
    assert norm == pytest.approx(float(expected), rel=1e-14)
    assert grads(p) == pytest.approx(t.grad.tolist(), rel=1e-5)  # PyTorch adds 1e-6 to the norm
    t.grad = tensor(grads(p))
    nn.clip_grad_value(p, 0.1)
    torch.nn.utils.clip_grad_value_([t], 0.1)
    assert grads(p) == t.grad.tolist()


@pytest.mark.parametrize(("ours", "theirs"), [
    (schedules.step(0.5, 7, 0.3), lambda o: torch.optim.lr_scheduler.StepLR(o, 7, 0.3)),
    (schedules.linear(0.5, 20, 0.1), lambda o: torch.optim.lr_scheduler.LinearLR(o, 1.0, 0.2, 20)),
    (schedules.cosine(0.5, 30, 0.1), lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 30, 0.1)),
    (schedules.constant(0.5), lambda o: torch.optim.lr_scheduler.LambdaLR(o, lambda _: 1.0)),
])  # fmt: skip
def test_schedules(ours, theirs):
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.5)
    scheduler = theirs(optimizer)
    for taken in range(30):
        assert ours(taken) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-6, abs=1e-9)
        optimizer.step()
        scheduler.step()

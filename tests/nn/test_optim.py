import pytest

import nn
from autograd import Value


def test_sgd_with_momentum_and_decay_by_hand():
    p = Value(1.0)
    optimizer = nn.SGD([p], lr=0.1, momentum=0.9, weight_decay=0.5)
    velocity, at = 0.0, 1.0
    for _ in range(5):
        optimizer.zero_grad()
        (p**3).backward()
        optimizer.step()
        velocity = 0.9 * velocity + 3 * at**2 + 0.5 * at
        at -= 0.1 * velocity
    assert p.data == pytest.approx(at, rel=1e-14)


def test_the_rate_may_follow_the_steps():
    p = Value(1.0)
    optimizer = nn.SGD([p], lr=lambda step: 0.1 / (step + 1))
    for _ in range(2):
        p.grad = 1.0
        optimizer.step()
    assert p.data == pytest.approx(1.0 - 0.1 - 0.05)


def test_errors():
    with pytest.raises(ValueError, match=r"SGD got no parameters; give it model.parameters\(\)"):
        nn.SGD([])
    with pytest.raises(ValueError, match="SGD needs momentum >= 0, not -1"):
        nn.SGD([Value(1.0)], momentum=-1)

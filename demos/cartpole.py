"""A pole balanced on a cart, learnt by differentiating through the physics, and judged in the real CartPole-v1 of gymnasium.

The equations of motion are written with scalars: a start goes in, half a hundred steps of cart, pole and controller later a loss
comes out, and its gradient tells every weight of the controller how to push. In training the push is soft, 10 tanh(score)
newtons; in the environment there is only left or right, the sign of the score. Leaves pictures of the learning and of one run.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path
from typing import Any

import autograd
import nn

GRAVITY, CART, POLE, HALF_LENGTH, FORCE, SECONDS = 9.8, 1.0, 0.1, 0.5, 10.0, 0.02  # those of CartPole-v1; SI units
SPREAD = (1.5, 1.0, 0.2, 1.0)  # of the starts: position, velocity, angle, angular velocity
STARTS = 64


def main(arguments: list[str] | None = None) -> dict[str, float]:
    """Learn, judge, print, draw; returns the mean and the least return."""
    options = parse(arguments)
    rng = random.Random(options.seed)
    model = nn.MLP(4, [8, 1], activation="tanh", init="xavier_normal", seed=options.seed)
    losses = learn(model, rng, options.steps, options.horizon)
    print(f"loss: {losses[0]:.3f} at first, {losses[-1]:.3f} after {options.steps} steps through {options.horizon} of physics")
    returns, run = judge(model, options.episodes, 1_000_000 * (options.seed + 1))
    mean = sum(returns) / len(returns)
    print(f"CartPole-v1: mean return {mean:.1f} of 500 in {len(returns)} episodes, unseen starts; the least {min(returns):.0f}")
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "cartpole.png"
    try:
        draw(losses, run, path)
    except ImportError:
        print("no picture: pip install matplotlib")
    else:
        print(f"picture: {path}")
    return {"mean": mean, "least": min(returns)}


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("pictures"), metavar="DIR", help="where the picture goes")
    parser.add_argument("--steps", type=int, default=300, help="steps of training")
    parser.add_argument("--horizon", type=int, default=50, help="steps of physics in each, of 0.02 s")
    parser.add_argument("--episodes", type=int, default=100, help="episodes of the real environment")
    parser.add_argument("--seed", type=int, default=0, help="of weights and starts")
    options = parser.parse_args(arguments)
    if min(options.steps, options.horizon, options.episodes) < 1:
        parser.error("--steps, --horizon and --episodes need at least 1")
    return options


def moved(state: list[Any], force: Any) -> list[Any]:
    """Cart and pole one step later, by Euler's method (Barto, Sutton and Anderson, 1983)."""
    x, velocity, angle, spin = state
    sine, cosine = autograd.sin(angle), autograd.cos(angle)
    push = (force + POLE * HALF_LENGTH * spin * spin * sine) / (CART + POLE)
    swing = (GRAVITY * sine - cosine * push) / (HALF_LENGTH * (4.0 / 3.0 - POLE * cosine * cosine / (CART + POLE)))
    pull = push - POLE * HALF_LENGTH * swing * cosine / (CART + POLE)
    return [x + SECONDS * velocity, velocity + SECONDS * pull, angle + SECONDS * spin, spin + SECONDS * swing]


def cost(model: nn.Module, start: Any, horizon: int) -> Any:
    """How far cart and pole are from the middle and from upright, on average over a run."""
    state, total = list(start), 0.0
    for _ in range(horizon):
        state = moved(state, FORCE * autograd.tanh(model(state)))
        total = total + state[0] ** 2 + 10.0 * state[2] ** 2 + 0.1 * state[1] ** 2 + 0.1 * state[3] ** 2
    return total / horizon


def learn(model: nn.Module, rng: random.Random, steps: int, horizon: int) -> list[float]:
    """Adam on fresh starts; the run of one start is compiled, and many starts go through it at once."""
    import numpy as np

    program = autograd.compile(cost, batch="start").functional(model)
    optimizer = nn.Adam(model.parameters(), lr=0.02)
    weights, losses = np.array([p.data for p in model.parameters()]), []
    for _ in progress(steps):
        starts = np.array([[rng.uniform(-width, width) for width in SPREAD] for _ in range(STARTS)])
        loss, gradient = program(weights, starts, horizon)
        weights = weights - optimizer.step_of(weights, gradient * min(1.0, 1.0 / float(np.linalg.norm(gradient))))
        losses.append(loss)
    for p, number in zip(model.parameters(), weights.tolist()):
        p.data = number
    return losses


def judge(model: nn.Module, episodes: int, seed: int) -> tuple[list[float], list[list[float]]]:
    """The returns of the controller in the real environment, and the states of the first episode."""
    try:
        import gymnasium
    except ImportError:
        raise SystemExit("the judge is gymnasium's CartPole-v1: pip install gymnasium") from None
    environment, returns, run = gymnasium.make("CartPole-v1"), [], []
    for episode in range(episodes):
        state, _ = environment.reset(seed=seed + episode)
        total, over = 0.0, False
        while not over:
            if episode == 0:
                run.append(state.tolist())
            with autograd.no_grad():
                score = model(state.tolist())
            state, reward, fell, late, _ = environment.step(int(score > 0.0))
            total, over = total + float(reward), fell or late
        returns.append(total)
    environment.close()
    return returns, run


def progress(steps: int) -> Any:
    """The steps, with a progress bar where tqdm is installed."""
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return range(steps)
    return tqdm(range(steps), unit="step", desc="training")


def draw(losses: list[float], run: list[list[float]], path: Path) -> None:
    """The loss over the training, and cart and pole in one run."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(12, 3.6), layout="constrained")
    left.plot(losses)
    left.set(title="learning", xlabel="step", ylabel="loss", yscale="log")
    times = [SECONDS * k for k in range(len(run))]
    middle.plot(times, [state[0] for state in run], label="position in m")
    middle.plot(times, [state[2] for state in run], label="angle in rad")
    middle.axhline(0.2095, color="gray", linestyle=":", linewidth=1)
    middle.axhline(-0.2095, color="gray", linestyle=":", linewidth=1, label="angle at which it fell")
    middle.set(title="one run of CartPole-v1", xlabel="seconds")
    middle.legend(fontsize=8)
    right.plot([state[2] for state in run], [state[3] for state in run], linewidth=0.8)
    right.plot([run[0][2]], [run[0][3]], "o", label="start")
    right.set(title="the pole", xlabel="angle in rad", ylabel="angular velocity in rad/s")
    right.locator_params(axis="x", nbins=5)  # such small numbers are long
    right.legend(fontsize=8)
    figure.savefig(path, dpi=120)
    plt.close(figure)


if __name__ == "__main__":
    main()

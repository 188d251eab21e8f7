"""The well-known 2-2-2 network worked through as on paper: forward pass, chain rule, update, and ten thousand steps more.

Two inputs, two hidden and two output neurons with sigmoids, half the squared error, biases that stay fixed. Leaves the graph
with every number in it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from graphviz import ExecutableNotFound

from autograd import Value, draw_dot, sigmoid

INPUTS = {"i1": 0.05, "i2": 0.10}
TARGETS = {"o1": 0.01, "o2": 0.99}
WEIGHTS = {"w1": 0.15, "w2": 0.20, "w3": 0.25, "w4": 0.30, "w5": 0.40, "w6": 0.45, "w7": 0.50, "w8": 0.55}
BIASES = {"b1": 0.35, "b2": 0.60}
RATE = 0.5


def main(arguments: list[str] | None = None) -> dict[str, float]:
    """Print every step; returns the errors before and after and the weights after one update."""
    options = parse(arguments)
    weights = {name: Value(number, label=name) for name, number in WEIGHTS.items()}
    values = forward(weights)
    values["E"].backward()
    print_forward(values)
    print_chain_rule(values, weights)
    picture = draw_dot(values["E"])  # before the update, so that all numbers are of one moment
    update(weights)
    found = {"error": values["E"].data, **{name: w.data for name, w in weights.items()}}
    print("\nUpdate: w = w - 0.5 dE/dw")
    for name, w in weights.items():
        print(f"  {name} = {WEIGHTS[name]:.2f} - {RATE} * {w.grad:+.9f} = {w.data:.9f}")
    for _ in range(options.steps - 1):
        step(weights)
    found["error after"] = float(forward(weights)["E"])
    print(f"\nThe error falls from {found['error']:.9f} to {found['error after']:.10f} in {options.steps} steps.")
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "worked_example.svg"
    try:
        picture.render(outfile=path, cleanup=True)
    except ExecutableNotFound as error:
        print(f"no picture: {error}")
    else:
        print(f"picture: {path}")
    return found


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("pictures"), metavar="DIR", help="where the picture goes")
    parser.add_argument("--steps", type=int, default=10_000, help="steps of gradient descent")
    options = parser.parse_args(arguments)
    if options.steps < 1:
        parser.error(f"--steps needs at least 1, not {options.steps}")
    return options


def forward(w: dict[str, Value]) -> dict[str, Value]:
    """Every value of the network by its name on paper."""
    i1, i2 = (Value(number, label=name) for name, number in INPUTS.items())
    b1, b2 = (Value(number, label=name) for name, number in BIASES.items())
    net_h1 = w["w1"] * i1 + w["w2"] * i2 + b1
    net_h2 = w["w3"] * i1 + w["w4"] * i2 + b1
    h1, h2 = sigmoid(net_h1), sigmoid(net_h2)
    net_o1 = w["w5"] * h1 + w["w6"] * h2 + b2
    net_o2 = w["w7"] * h1 + w["w8"] * h2 + b2
    o1, o2 = sigmoid(net_o1), sigmoid(net_o2)
    e1, e2 = 0.5 * (TARGETS["o1"] - o1) ** 2, 0.5 * (TARGETS["o2"] - o2) ** 2
    error = e1 + e2
    values = {"net_h1": net_h1, "net_h2": net_h2, "h1": h1, "h2": h2, "net_o1": net_o1, "net_o2": net_o2}
    values |= {"o1": o1, "o2": o2, "E1": e1, "E2": e2, "E": error}
    for name, value in values.items():
        value.label = name
    return values


def step(weights: dict[str, Value]) -> None:
    """One step of gradient descent."""
    error = forward(weights)["E"]
    for w in weights.values():
        w.grad = 0.0
    error.backward()
    update(weights)


def update(weights: dict[str, Value]) -> None:
    """Move every weight against its gradient. The biases stay."""
    for w in weights.values():
        w.data -= RATE * w.grad


def print_forward(v: dict[str, Value]) -> None:
    """The forward pass, a line for each value."""
    (i1, i2), (b1, b2), w = INPUTS.values(), BIASES.values(), WEIGHTS
    print("Forward pass")
    for h, (a, b) in {"h1": ("w1", "w2"), "h2": ("w3", "w4")}.items():
        sums = f"{w[a]:.2f} * {i1:.2f} + {w[b]:.2f} * {i2:.2f} + {b1:.2f}"
        print(f"  net_{h} = {a} i1 + {b} i2 + b1 = {sums} = {v[f'net_{h}']:.9f}")
        print(f"  {h} = sigmoid(net_{h}) = {v[h]:.9f}")
    for o, (a, b) in {"o1": ("w5", "w6"), "o2": ("w7", "w8")}.items():
        sums = f"{w[a]:.2f} * {v['h1']:.9f} + {w[b]:.2f} * {v['h2']:.9f} + {b2:.2f}"
        print(f"  net_{o} = {a} h1 + {b} h2 + b2 = {sums} = {v[f'net_{o}']:.9f}")
        print(f"  {o} = sigmoid(net_{o}) = {v[o]:.9f}")
    for e, o in {"E1": "o1", "E2": "o2"}.items():
        print(f"  {e} = 1/2 (target - {o})^2 = 1/2 ({TARGETS[o]:.2f} - {v[o]:.9f})^2 = {v[e]:.9f}")
    print(f"  E = E1 + E2 = {v['E']:.9f}")


def print_chain_rule(v: dict[str, Value], weights: dict[str, Value]) -> None:
    """The chain rule by hand, beside what backward() found."""
    print("\nBackward pass, by the chain rule")
    deltas = {}
    for o, target in TARGETS.items():
        error, slope = v[o].data - target, v[o].data * (1.0 - v[o].data)
        deltas[o] = error * slope
        print(f"  dE/d{o} = {o} - target = {error:+.9f},  d{o}/dnet_{o} = {o} (1 - {o}) = {slope:.9f}")
        print(f"  dE/dnet_{o} = {error:+.9f} * {slope:.9f} = {deltas[o]:+.9f}   backward(): {v[f'net_{o}'].grad:+.9f}")
    for w, (o, h) in {"w5": ("o1", "h1"), "w6": ("o1", "h2"), "w7": ("o2", "h1"), "w8": ("o2", "h2")}.items():
        product = f"{deltas[o]:+.9f} * {v[h]:.9f} = {deltas[o] * v[h].data:+.9f}"
        print(f"  dE/d{w} = dE/dnet_{o} * {h} = {product}   backward(): {weights[w].grad:+.9f}")
    for h, outgoing in {"h1": ("w5", "w7"), "h2": ("w6", "w8")}.items():
        first, second = (deltas[o] * WEIGHTS[w] for o, w in zip(TARGETS, outgoing))
        slope = v[h].data * (1.0 - v[h].data)
        deltas[h] = (first + second) * slope
        sums = f"dE/dnet_o1 * {outgoing[0]} + dE/dnet_o2 * {outgoing[1]} = {first:+.9f} {second:+.9f}"
        print(f"  dE/d{h} = {sums} = {first + second:+.9f}")
        print(f"  dE/dnet_{h} = {first + second:+.9f} * {h} (1 - {h}) = {deltas[h]:+.9f}   backward(): {v[f'net_{h}'].grad:+.9f}")
    for w, (h, i) in {"w1": ("h1", "i1"), "w2": ("h1", "i2"), "w3": ("h2", "i1"), "w4": ("h2", "i2")}.items():
        product = f"{deltas[h]:+.9f} * {INPUTS[i]:.2f} = {deltas[h] * INPUTS[i]:+.9f}"
        print(f"  dE/d{w} = dE/dnet_{h} * {i} = {product}   backward(): {weights[w].grad:+.9f}")


if __name__ == "__main__":
    main()

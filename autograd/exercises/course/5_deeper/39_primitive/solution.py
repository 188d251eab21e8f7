FORWARD = "x / (1.0 + abs(x))"
PARTIAL = "1.0 / (1.0 + abs(x)) ** 2"  # hole

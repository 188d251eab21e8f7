FORWARD = "x / (1.0 + abs(x))"
PARTIAL = "square(1.0 - abs(out))"

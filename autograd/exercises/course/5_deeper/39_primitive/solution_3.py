FORWARD = "x / (1.0 + sqrt(x * x))"
PARTIAL = "out * out / (x * x)"

import math

derivative = lambda x, n: n * math.pow(x, n) / x

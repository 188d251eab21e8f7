import math


class Dual:
    def __init__(self, value, slope=0.0):
        self.value = value
        self.slope = slope

    def __add__(self, other):
        other = other if isinstance(other, Dual) else Dual(other)
        return Dual(self.value + other.value, self.slope + other.slope)

    def __mul__(self, other):
        other = other if isinstance(other, Dual) else Dual(other)
        return Dual(self.value * other.value, self.slope * other.value + self.value * other.slope)  # hole

    def sin(self):
        return Dual(math.sin(self.value), math.cos(self.value) * self.slope)  # hole

    __radd__, __rmul__ = __add__, __mul__  # 2 + dual, 2 * dual

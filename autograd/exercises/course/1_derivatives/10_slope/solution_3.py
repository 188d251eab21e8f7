def slope(f, x, h):
    left, right = x - h, x + h
    rise = f(right) - f(left)
    run = right - left
    return rise / run

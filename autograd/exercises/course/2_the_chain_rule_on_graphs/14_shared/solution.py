def gradient(a, b):
    c = a * b
    dc = 0.0
    dc += c  # hole
    dc += c  # hole
    dc += 1.0  # hole
    return dc * b, dc * a  # hole

import graphlib


def topological(root, operands):
    needed, stack = set(), [root]
    while stack:
        node = stack.pop()
        if node not in needed:
            needed.add(node)
            stack += operands[node]
    return tuple(graphlib.TopologicalSorter({node: operands[node] for node in needed}).static_order())

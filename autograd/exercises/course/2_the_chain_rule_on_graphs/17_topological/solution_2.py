def topological(root, operands):
    # Kahn's way, from the root: a node may go when all its uses have gone; then turn the order around.
    reached, stack = {root}, [root]
    uses = {}
    while stack:
        for operand in operands[stack.pop()]:
            uses[operand] = uses.get(operand, 0) + 1
            if operand not in reached:
                reached.add(operand)
                stack.append(operand)
    order, ready = [], [root]
    while ready:
        node = ready.pop()
        order.append(node)
        for operand in operands[node]:
            uses[operand] -= 1
            if not uses[operand]:
                ready.append(operand)
    return order[::-1]

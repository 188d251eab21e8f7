def topological(root, operands):
    order, done = [], set()
    stack = [root]  # hole
    while stack:  # hole
        node = stack[-1]  # hole
        missing = [x for x in operands[node] if x not in done]  # hole
        if missing:  # hole
            stack += missing  # hole
        else:  # hole
            stack.pop()  # hole
            if node not in done:  # hole
                order.append(node)  # hole
                done.add(node)  # hole
    return order

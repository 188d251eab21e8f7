"""The order of the nodes."""

ENTRY = "topological"
DIAMOND = {"y": ["u", "v"], "u": ["t"], "v": ["t", "t"], "t": [], "apart": ["t"]}
TAIL = {"z": ["y", "t"], **DIAMOND}


def cases(draw):
    names = [f"n{i}" for i in range(12)]
    random = {name: draw.sample(names[:i], min(i, 2)) for i, name in enumerate(names)}
    chain = {f"n{i}": [f"n{i - 1}"] if i else [] for i in range(3000)}
    return [("y", DIAMOND), ("z", TAIL), ("n11", random), ("n2999", chain)]


def expected(root, operands):
    return {"every node that root needs": True, "no other node": True, "each once": True, "after its operands": True}


def attempt(theirs, root, operands):
    order = list(theirs.topological(root, operands))
    needed, stack = set(), [root]
    while stack:
        node = stack.pop()
        if node not in needed:
            needed.add(node)
            stack += operands[node]
    place = {node: i for i, node in reversed(list(enumerate(order)))}
    sorted_so = all(place.get(operand, -1) < place[node] for node in place if node in operands for operand in operands[node])
    answers = [needed <= set(order), set(order) <= needed, len(order) == len(set(order)), sorted_so]
    return dict(zip(expected(root, operands), answers))


WALK = """    stack = [root]
    while stack:
        node = stack[-1]
        missing = [x for x in operands[node] if x not in done]
        if missing:
            stack += missing
        else:
            stack.pop()
            if node not in done:
                order.append(node)
                done.add(node)
    return order"""
RECURSION = """    def visit(node):
        if node not in done:
            done.add(node)
            for operand in operands[node]:
                visit(operand)
            order.append(node)

    visit(root)
    return order"""
FORGETFUL = """    stack = [root]
    while stack:
        node = stack.pop()
        order.append(node)
        stack += operands[node]
    return order[::-1]"""
LEVELS = """    queue = [root]
    for node in queue:
        if node not in done:
            done.add(node)
            order.append(node)
            queue += operands[node]
    return order[::-1]"""
MISTAKES = [
    ("recursion", WALK, RECURSION, "Right for small graphs, but a chain of 3,000 nodes is deeper than Python recurses. Use a stack of your own."),
    ("the root first", "return order", "return order[::-1]", "Operands come first, and the root last."),
    ("a node twice", WALK, FORGETFUL, "Shared nodes stand in your order once for every use. Remember which are done."),
    ("by levels", WALK, LEVELS, "A node used at two levels comes too early: the nearest use is not the one that counts. Wait until all operands are there."),
    ("all nodes", "return order", "return [*order, *(node for node in operands if node not in done)]", "Only what root was made from; other nodes of the dictionary get no gradient."),
]

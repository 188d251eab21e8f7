"""Lines that programs are made of beside the rows of the table: to try another idiom, add a row here.

A row is the lines, and how many numbers they read as {0}, {1}, ...; the result is {out}. `{rival}` is one more number that may
well be equal to {0}. Every result depends on a number of the program, never on constants alone.
"""

from __future__ import annotations

__all__ = ["ARGUMENT", "ARRAYS", "BRANCHES", "CONTAINERS", "EQUALITY", "WORDS"]

BRANCHES = [
    ("{out} = {1} * {0} if {0} > {rival} else {1} - {0}", 2),
    ("{out} = {1} if {0} < {rival} else {0}", 2),
    ("if {0} <= {rival}:\n    {out} = ag.sin({1})\nelse:\n    {out} = {1} + {0}", 2),
    ("if not {0} >= {rival}:\n    {out} = {0} * {0}\nelse:\n    {out} = ag.tanh({1})", 2),
    ("{out} = {1} if {0} else {2}", 3),
    ("{out} = ag.where({0} > {rival}, {1}, {2})", 3),
    ("{out} = ag.where({0} <= {rival}, {0} * {1}, 1.0)", 2),
    ("{out} = ag.clip({0}, -1.0, 1.0) * {1}", 2),
    ("{out} = max({0}, {1}) - min({0}, {2})", 3),
    ("{out} = {0}\nfor _ in range(4):\n    if {out} > 1.0:\n        {out} = {out} / 2.0 - {1} * 0.125", 2),
    ("{out} = {0}\nfor _ in range(9):\n    if abs({out}) > 2.0:\n        {out} = {out} * 0.5", 1),
]

EQUALITY = [
    ("{out} = {1} * {1} if {0} == {rival} else {1} + {0}", 2),
    ("{out} = {1} if {0} != {rival} else {0} * {1}", 2),
    ("{out} = ag.where({0} == {rival}, {1} * 2.0, {1} * 3.0)", 2),
    ("{out} = ag.where({0} != {rival}, {1}, {2})", 3),
    ("{out} = {1} * 2.0 if {0} in ({rival}, 1.0) else {1}", 2),
    ("{out} = {1} if {0} in [{1}, {2}] else {1} * {2}", 3),
    ("{out} = {1} if {rival} == {0} else {1} * 0.5", 2),
    ("{out} = {0} if {0} != {0} else {0} * 1.5", 1),
    ("{out} = {1} * (1.0 + [{0}, {1}, {2}].count({rival}))", 3),
    ("{out} = {1} + [{1}, {2}, {0}].index({0})", 3),
]

CONTAINERS = [
    ("{out}_list = [{0}, {1}, {2}]\n{out}_list.append({0} * {1})\n{out} = {out}_list.pop(0) * ag.sum({out}_list)", 3),
    ("{out}_list = [{0}, {1}]\n{out}_list.insert(1, {2})\n{out}_list[0] = {2} * {0}\n{out} = ag.prod({out}_list)", 3),
    ("{out}_tree = ({0}, ({1}, [{2}]))\n{out} = {out}_tree[1][1][0] - {out}_tree[0] * {out}_tree[1][0]", 3),
    ("{out}_dict = dict(a={0}, b={1})\n{out}_dict['c'] = {out}_dict.pop('a') * {1}\n{out} = ag.sum({out}_dict.values())", 2),
    ("{out}_dict = dict(a={0}, b=[{1}, {2}])\n{out} = {out}_dict['b'].pop() * {out}_dict['a'] + {out}_dict['b'][-1]", 3),
    ("{out} = {0}\nfor item in ({1}, {2}):\n    {out} = {out} * 0.5 + item", 3),
    ("{out} = sum([x * y for x, y in zip([{0}, {1}], [{1}, {2}])])", 3),
    ("{out} = sorted([{0}, {1}, {2}])[1] * {0}", 3),
    ("{out} = ag.dot([{0}, {1}], [{2}, 0.5]) - ag.mean([{1}, {2}])", 3),
    ("{out} = ag.softmax([{0}, {1}, {2}])[1] + ag.log_softmax([{0}, {1}])[0]", 3),
    ("{out} = ag.var([{0}, {1}, {2}])", 3),
    ("{out} = max([{0}, {1}, {2}], key=lambda x: -abs(x))", 3),
    ("def {out}_inner(x, *rest, scale={0}):\n    return x * scale + ag.sum(rest)\n{out} = {out}_inner({1}, {2}, {0})", 3),
]

# What NumPy makes of any array of objects, with operators and sums of products.
ARRAYS = [
    ("{out}_array = np.array([{0}, {1}, {2}])\n{out} = ({out}_array * {0} + {out}_array).sum()", 3),
    ("{out} = np.array([{0}, {1}]) @ np.array([{2}, {1}])", 3),
    ("{out} = (np.array([[{0}, {1}], [{1}, {2}]]) @ np.array([{0}, 2.0])).sum()", 3),
    ("{out} = np.tanh(np.array([{0}, {1}, {2}])).sum()", 3),
    ("{out} = np.sin(np.array([{0}, {1}])).prod() + np.array([{2}, {0}]).mean()", 3),
    ("{out} = np.cumsum(np.array([{0}, {1}, {2}]))[1:].sum()", 3),
    ("{out} = np.dot(np.array([0.5, -1.0, 2.0]), np.array([{0}, {1}, {2}]))", 3),
    ("{out} = np.square(np.array([{0}, {1}])[::-1])[0] - np.abs(np.array([{0}, {2}])).sum()", 3),
    ("{out} = np.stack([np.array([{0}, {1}]), np.array([{1}, {2}])]).T.reshape(-1)[1] * {0}", 3),
    ("{out} = np.outer(np.array([{0}, {1}]), np.array([{1}, {2}])).sum(axis=0)[1]", 3),
]

# NumPy's words on arrays of Values, where they mean the words of the table: ties, kinks and nan included.
VECTOR, MATRIX = "{out}_array = ag.array([{0}, {1}, {2}])\n", "{out}_array = ag.array([[{0}, {1}], [{1}, {2}]])\n"
WORDS = [
    ("{out} = np.where({0} > {rival}, {0}, 0.0) * {1}", 2),
    (VECTOR + "{out} = np.where({out}_array > {rival}, {out}_array, {0}).sum()", 3),
    (VECTOR + "{out} = np.maximum({out}_array, {rival}) @ {out}_array", 3),
    (VECTOR + "{out} = np.exp(np.minimum({out}_array, 1.0)).sum()", 3),
    (VECTOR + "{out} = np.clip({out}_array, -1.0, 1.0) @ {out}_array", 3),
    (VECTOR + "{out} = np.max({out}_array) - np.min({out}_array) * {0}", 3),
    (VECTOR + "{out} = np.linalg.norm({out}_array) * {1}", 3),
    (VECTOR + "{out} = np.std({out}_array - np.array([0.0, 1.0, 3.0])) + np.var({out}_array)", 3),
    (VECTOR + "{out} = np.hypot({out}_array, {out}_array[::-1]).sum()", 3),
    (VECTOR + "{out} = np.polyval({out}_array, 0.5) - np.diff({out}_array)[0]", 3),
    (VECTOR + "{out} = np.tensordot({out}_array, {out}_array, axes=1) + np.einsum('i,i->', {out}_array, {out}_array)", 3),
    (VECTOR + "{out} = ({out}_array * ({out}_array > 0.0)).sum() + np.abs({out}_array)[1] + {0}", 3),
    (VECTOR + "{out}_array[0] = {1} * {2}\n{out} = np.cumsum({out}_array)[-1]", 3),
    (VECTOR + "{out} = np.arctan2({out}_array, 2.0).sum() * np.tanh({out}_array).prod()", 3),
    (MATRIX + "{out} = np.max({out}_array, axis=0).sum() * np.mean({out}_array, axis=1)[0]", 3),
    (MATRIX + "{out} = np.trace({out}_array @ {out}_array.T) - np.linalg.norm({out}_array, axis=1)[1]", 3),
    (MATRIX + "{out} = np.concatenate([{out}_array[0], {out}_array[:, 1]]).sum() + np.ravel({out}_array)[2]", 3),
]

# Changes of the program's own argument: of any list, of a list that keeps a number, of a dictionary, of an array, of a number
# under a key.
ARGUMENT = (
    [
        "{where}.append({0} * {1})\n{out} = {where}[-1] + {0}",
        "{where}.insert(0, {0})\n{out} = {where}[0] * {1}",
    ],
    [
        "{out} = {where}.pop(0)",
        "{where}[0] = {0}\n{out} = {where}[0] * {1}",
        "{out} = {where}[0] * {0}\ndel {where}[0]",
        "{where}.reverse()\n{out} = {0} - {1} * 0.5",
    ],
    [
        "{where}['new'] = {0} * {1}\n{out} = {where}['new'] - {1}",
        "{where}.update(late={0})\n{out} = {where}.get('late') * 2.0",
    ],
    [
        "{out} = ({where} * {0}).sum() + {1}",
        "{out} = ({where} @ {where}) * 0.5 - {0}",
        "{where}[0] = {0} * {1}\n{out} = {where}.sum()",
    ],
    [
        "{out} = {where}.pop({key})",
        "{where}[{key}] = {0} * {1}\n{out} = {where}[{key}] + {0}",
        "{where}[{key}] = {where}.pop({key})\n{out} = {where}[{key}] * {0}",
        "{where}[{key}] *= {0}\n{out} = {where}[{key}]",
        "{out} = {0} + {where}[{key}]\ndel {where}[{key}]",
    ],
)

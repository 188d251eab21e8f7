"""Attention."""

import autograd

ENTRY, BY = "backward", 3


def function(q, keys, values, dout):
    a = autograd.softmax([autograd.dot(q, key) / len(q) ** 0.5 for key in keys])
    out = [sum(aj * value[i] for aj, value in zip(a, values)) for i in range(len(dout))]
    return autograd.dot(dout, out)


def cases(draw):
    def numbers(n):
        return [draw.uniform(-1.5, 1.5) for _ in range(n)]

    return [(numbers(2), [numbers(2) for _ in range(3)], [numbers(2) for _ in range(3)], numbers(2)) for _ in range(2)]


MISTAKES = [
    ("scale forgotten", " / root for aj, g", " for aj, g", "The scores are divided by sqrt(d), and so is what goes back through them."),
    ("softmax mixes nothing", "aj * (g - dot(a, da))", "aj * (1 - aj) * g", "Every score is in the denominator of every weight: a[j] * (da[j] - sum of a * da)."),
    ("softmax skipped", "aj * (g - dot(a, da))", "g", "Between scores and weights stands softmax: a[j] * (da[j] - sum of a * da)."),
    ("values by scores", "aj * g for g in dout] for aj in a", "sj * g for g in dout] for sj in s", "The values are mixed with the weights a, after softmax, not with the scores."),
    ("keys and query swapped", "[[g * qi for qi in q] for g in ds]", "[[g * x for x in key] for g, key in zip(ds, keys)]", "A product gives each side the other: keys[j] gets q."),
    ("first key only", "sum(g * key[i] for g, key in zip(ds, keys))", "ds[0] * keys[0][i]", "q looked at every key: sum over all of them."),
]

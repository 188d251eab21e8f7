"""The room of regrouping: groups that do the same and do not wait for each other become one, whatever their depths.

The gates of a step, the steps of a recurrence whose inputs are known, the heads of an attention: they were recovered one by one,
because they stand at different depths or read different blocks, and are loops over blocks that lie side by side.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from autograd.compiler.recover import Group, Tensors
from autograd.compiler.tensors.access import axes

__all__ = ["cuts", "in_pieces", "regrouped"]

LEAST = 3  # so many groups are worth a loop
SHORTEST = 8  # members of a piece of a group
PIECES = 4
ATTEMPTS = 100  # at putting groups together
FORMS = ("elementwise", "product", "dots", "reduced")
SEVERAL = {"product": "products", "taken": "picked"}  # the forms of several groups in one, where that is another form


def regrouped(tensors: Tensors, least: int = LEAST) -> Tensors:
    """The same program with `least` or more independent groups of one kind together, in an order that can be computed."""
    groups = {k: block for k, block in enumerate(tensors.blocks) if isinstance(block, Group)}
    sources = {k: tensors.sources(group) & groups.keys() for k, group in groups.items()}
    ancestors: dict[int, int] = {}  # the groups that a group waits for, as bits
    for k, needed in sources.items():
        ancestors[k] = 0
        for s in needed:
            ancestors[k] |= ancestors[s] | 1 << s
    alike: dict[Any, list[int]] = defaultdict(list)
    for members in similar(groups, least):
        for k in members:
            alike[kind(tensors, groups[k])].append(k)
    chosen = []
    for members in alike.values():
        waits = any(ancestors[later] >> earlier & 1 for earlier, later in pairwise(members))
        if len(members) >= least and not waits and is_regular(tensors, [groups[k] for k in members]):
            chosen.append(members)
    leader, order = together(sources, chosen)
    parts: dict[int, list[Group]] = defaultdict(list)
    for k, group in groups.items():
        parts[leader[k]].append(group)
    if len(parts) == len(groups):
        return tensors
    result = tensors.again()
    for k in order:
        result.settle(parts[k][0] if len(parts[k]) == 1 else merged(parts[k]))
    return result


def similar(groups: Mapping[int, Group], least: int) -> list[list[int]]:
    """Groups that may be of one kind, if there are so many, by what is quickly compared."""
    found: dict[Any, list[int]] = defaultdict(list)
    for k, group in groups.items():
        if (group.form in FORMS or (group.form == "taken" and len(group.entries) == 1)) and None not in group.entries:
            found[group.row, group.form, group.shape, group.batched, tuple([shape for _, shape in group.arguments])].append(k)
    return [members for members in found.values() if len(members) >= least]


def kind(tensors: Tensors, group: Group) -> Any:
    """What a group does, to which places of which kinds of blocks: equal for groups that differ in the blocks alone."""
    found: list[Any] = [group.row, group.form, group.shape, group.batched]
    home, place = tensors.home, tensors.place
    for refs, shape in group.arguments:
        kinds = {k: coarse(tensors, k) for k in {home[ref] for ref in refs if ref >= 0}}
        first = place[refs[0]] if refs[0] >= 0 else 0
        found.append((shape, tuple([(kinds[home[ref]], place[ref] - first) if ref >= 0 else ref for ref in refs])))
    return tuple(found)


def coarse(tensors: Tensors, k: int) -> Any:
    """What a block is, without what it is made from; blocks of inputs are themselves."""
    block = tensors.blocks[k]
    return (block.row.name, block.form, block.shape, block.batched) if isinstance(block, Group) else k


def is_regular(tensors: Tensors, groups: Sequence[Group]) -> bool:
    """Whether what groups read of one block begins at constant steps: else it would have to be gathered."""
    for k in range(len(groups[0].arguments)):
        firsts = [group.arguments[k][0][0] for group in groups]
        homes = {tensors.home[ref] if ref >= 0 else -1 for ref in firsts}
        if len(homes) == 1 and -1 not in homes and len(set(np.diff([tensors.place[ref] for ref in firsts]).tolist())) > 1:
            return False
    return True


def together(sources: Mapping[int, set[int]], chosen: Sequence[list[int]]) -> tuple[dict[int, int], list[int]]:
    """Of which group each becomes a part, and an order: all the chosen ones, but for those that would wait for each other."""
    leader, order = {k: k for k in sources}, list(sources)
    waiting, attempts = [list(chosen)] if chosen else [], 0
    while waiting and attempts < ATTEMPTS:
        attempts += 1
        now = waiting.pop()
        trial = leader | {k: members[0] for members in now for k in members}
        found = in_order(sources, trial)
        if found is not None:
            leader, order = trial, found
        elif len(now) > 1:
            waiting += [now[len(now) // 2 :], now[: len(now) // 2]]
    return leader, order


def in_order(sources: Mapping[int, set[int]], leader: Mapping[int, int]) -> list[int] | None:
    """The leaders in an order in which they can be computed; None if two of them would wait for each other."""
    waits: dict[int, set[int]] = defaultdict(set)
    for k, needed in sources.items():
        waits[leader[k]] |= {leader[s] for s in needed}
    feeds: dict[int, list[int]] = defaultdict(list)
    for k, needed in waits.items():
        for s in needed:
            feeds[s].append(k)
    missing = {k: len(needed) for k, needed in waits.items()}
    found = [k for k, count in missing.items() if not count]
    for k in found:  # which grows
        for j in feeds[k]:
            missing[j] -= 1
            if not missing[j]:
                found.append(j)
    return found if len(found) == len(missing) else None


def merged(groups: Sequence[Group]) -> Group:
    """One group that does what several do, one after the other."""
    first, times = groups[0], len(groups)
    result = Group(
        first.row, SEVERAL.get(first.form, first.form), [e for group in groups for e in group.entries], (times, *first.shape)
    )
    result.times = times
    for k, (_, shape) in enumerate(first.arguments):
        refs = [ref for group in groups for ref in group.arguments[k][0]]
        if first.form == "taken":  # one index each, and one column of a table
            shape = shape if k == 0 else (len(first.arguments[1][0]),)
        result.arguments.append((refs, (times, *shape)))
    return result


def in_pieces(tensors: Tensors) -> Tensors:
    """The same program with elementwise groups in a few parts, each of which has strides, where the whole has none."""
    home, place = np.array(tensors.home), np.array(tensors.place)
    parts = [pieces(home, place, group) for group in tensors.groups]
    if all(len(found) == 1 for found in parts):
        return tensors
    result = tensors.again()
    for found in parts:
        for part in found:
            result.settle(part)
    return result


def pieces(home: Any, place: Any, group: Group) -> list[Group]:
    """The parts of one group."""
    if group.form != "elementwise" or len(group.entries) < 2 * SHORTEST:
        return [group]
    ends = [0, *cuts([flat(home, place, refs) for refs, _ in group.arguments]), len(group.entries)]
    if not 2 < len(ends) <= PIECES + 1 or min(np.diff(ends)) < SHORTEST:
        return [group]
    found = []
    for start, end in pairwise(ends):
        part = Group(group.row, group.form, group.entries[start:end], (end - start,))
        part.arguments = [(refs[start:end], (end - start,)) for refs, _ in group.arguments]
        found.append(part)
    return found


def flat(home: Any, place: Any, refs: Sequence[int]) -> Any:
    """Places of references with the blocks far from each other; one place only for constants."""
    array = np.array(refs)
    return np.zeros(len(refs), dtype=np.int64) if array.min() < 0 else (home[array] << 24) + place[array]


def cuts(lists: Sequence[Any]) -> list[int]:
    """Where lists of places are cut, so that places are equally far apart in every part."""
    found: set[int] = set()
    for places in lists:
        if axes(places[None]) is None:
            steps = np.diff(places)
            for j in np.flatnonzero(np.diff(steps)).tolist():
                if j + 1 not in found:
                    found.add(j + 2 if steps[j] == steps[j - 1] else j + 1)
    return sorted(found)

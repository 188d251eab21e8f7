"use strict";
// The graph and its numbers, without anything visible: the backward pass replayed, the steps, the paths of the chain rule.
const G = JSON.parse(document.getElementById("data").textContent);
const N = G.kind.length, E = G.back.length;
const isResult = v => G.kind[v] === "r", isConstant = v => G.kind[v] === "c";

// Edges into value v are first[v] ... first[v + 1] - 1, in the order of its operands.
const source = new Int32Array(E), target = new Int32Array(E), first = new Int32Array(N + 1);
const opOf = new Int32Array(N).fill(-1), results = [];
for (let v = 0, e = 0; v < N; v++) {
  first[v] = e;
  if (isResult(v)) {
    const r = results.push(v) - 1;
    opOf[v] = G.op[r];
    for (let k = 0; k < G.arity[r]; k++, e++) { source[e] = v - G.back[e]; target[e] = v; }
  }
  first[v + 1] = e;
}

// Uses of value v are useEdge[useFirst[v]] ...: edges out of it, in the order in which the backward pass comes to them.
const useFirst = new Int32Array(N + 1), useEdge = new Int32Array(E);
for (let e = 0; e < E; e++) useFirst[source[e] + 1]++;
for (let v = 0; v < N; v++) useFirst[v + 1] += useFirst[v];
{
  const next = useFirst.slice(0, N);
  for (let v = N - 1; v >= 0; v--) for (let e = first[v]; e < first[v + 1]; e++) useEdge[next[source[e]]++] = e;
}

// Scopes: 0 is the whole program, i + 1 is G.scopes[i].
const scopePath = [""], scopeChildren = [[]], ownValues = [[]];
G.scopes.forEach(([parent, name], i) => {
  scopePath.push(parent ? scopePath[parent] + "/" + name : name);
  scopeChildren.push([]);
  ownValues.push([]);
  scopeChildren[parent].push(i + 1);
});
const parentScope = s => s ? G.scopes[s - 1][0] : 0;
const scopeName = s => s ? G.scopes[s - 1][1] : "";
for (let v = 0; v < N; v++) ownValues[G.scope[v]].push(v);
const valuesCache = new Map();
function valuesIn(scope) {
  if (!valuesCache.has(scope)) {
    const found = [], open = [scope];
    while (open.length) {
      const s = open.pop();
      for (const v of ownValues[s]) found.push(v);
      for (const child of scopeChildren[s]) open.push(child);
    }
    valuesCache.set(scope, found.sort((a, b) => a - b));
  }
  return valuesCache.get(scope);
}
function isUnder(v, scope) {
  let s = G.scope[v];
  while (s > scope) s = parentScope(s);  // parents have smaller numbers
  return s === scope;
}

// One frame: the numbers of one run of the program, and the backward pass on them in the order of the engine.
class Frame {
  constructor(facts) {
    Object.assign(this, facts);
    this.data = Float64Array.from(facts.data, Number);
    this.hasPath = Uint8Array.from(facts.local, x => x === null ? 0 : 1);
    this.local = Float64Array.from(facts.local, x => x === null ? 0 : Number(x));
    this.seed = Number(facts.seed);
    for (let e = 0; e < E; e++) if (isConstant(source[e])) this.hasPath[e] = 0;
    this.replay();
    this.setSteps();
  }
  replay() {
    const grad = this.grad = new Float64Array(N), reached = this.reached = new Uint8Array(N);
    this.before = new Float64Array(E);
    this.after = new Float64Array(E);
    grad[G.root] = this.seed;
    reached[G.root] = 1;
    for (let v = N - 1; v >= 0; v--) {
      if (!reached[v]) continue;
      for (let e = first[v]; e < first[v + 1]; e++) {
        if (!this.hasPath[e]) continue;
        const s = source[e], contribution = this.local[e] * grad[v];
        this.before[e] = grad[s];
        grad[s] = reached[s] ? grad[s] + contribution : contribution;
        this.after[e] = grad[s];
        reached[s] = 1;
      }
    }
  }
  setSteps() {  // 0: inputs; every result forward; the seed; every result that was reached backward
    this.seedStep = results.length + 1;
    this.forwardStep = new Int32Array(N);
    this.backwardStep = new Int32Array(N).fill(2 ** 31 - 1);
    results.forEach((v, i) => { this.forwardStep[v] = i + 1; });
    this.backward = results.filter(v => this.reached[v]).reverse();
    this.backward.forEach((v, i) => { this.backwardStep[v] = this.seedStep + 1 + i; });
    this.lastStep = this.seedStep + this.backward.length;
    // The step by which the backward pass has gone past v, reached or not: along the uses of a value it only grows.
    this.passedBy = new Int32Array(N);
    for (let v = N - 1, step = this.seedStep; v >= 0; v--) {
      if (isResult(v) && this.reached[v]) step++;
      this.passedBy[v] = step;
    }
  }
  active(t) {
    if (t === 0) return -1;
    return t < this.seedStep ? results[t - 1] : t === this.seedStep ? G.root : this.backward[t - this.seedStep - 1];
  }
  phase(t) { return t === 0 ? "inputs" : t < this.seedStep ? "forward" : t === this.seedStep ? "seed" : "backward"; }
  isComputed(v, t) { return t >= this.forwardStep[v]; }
  sends(e) { return this.hasPath[e] && this.reached[target[e]]; }  // something comes back over this edge, if only 0
  contribution(e) { return this.local[e] * this.grad[target[e]]; }
  // The gradient of v as it stands after step t; null before the backward pass begins.
  gradAt(v, t) {
    if (t < this.seedStep) return null;
    let low = useFirst[v], high = useFirst[v + 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.passedBy[target[useEdge[middle]]] <= t) low = middle + 1; else high = middle;
    }
    while (--low >= useFirst[v]) if (this.sends(useEdge[low])) return this.after[useEdge[low]];
    return v === G.root ? this.seed : 0;
  }
  isSettled(v, t) {  // all uses of v have passed back what they pass
    if (t < this.seedStep) return false;
    for (let i = useFirst[v + 1] - 1; i >= useFirst[v]; i--) if (this.sends(useEdge[i])) return this.passedBy[target[useEdge[i]]] <= t;
    return true;
  }
  // The 98th percentile of |gradient| without the root, whose gradient is always the seed: the strongest colour.
  get scale() {
    if (this.scaleFound === undefined) {
      const sizes = [];
      for (let v = 0; v < N; v++) {
        const size = Math.abs(this.grad[v]);
        if (v !== G.root && size > 0 && size < Infinity) sizes.push(size);
      }
      sizes.sort((a, b) => a - b);
      this.scaleFound = sizes.length ? sizes[Math.floor(0.98 * (sizes.length - 1))] : 1;
    }
    return this.scaleFound;
  }
  colour(grad) {
    if (!grad) return "z";
    const step = Number.isFinite(grad) ? 3 + 2 * Math.log10(Math.abs(grad) / this.scale) : 3;
    return (grad > 0 ? "p" : "n") + (1 + Math.max(0, Math.min(3, Math.round(step))));
  }
  // How many paths lead from every value to the root, and over which edge the one with the largest product begins.
  get paths() {
    if (!this.pathsFound) {
      const count = new Float64Array(N), size = new Float64Array(N), edge = new Int32Array(N).fill(-1);
      count[G.root] = size[G.root] = 1;
      for (let v = N - 1; v >= 0; v--) {
        if (!count[v]) continue;
        for (let e = first[v]; e < first[v + 1]; e++) {
          if (!this.hasPath[e]) continue;
          const s = source[e], product = Math.abs(this.local[e]) * size[v];
          count[s] += count[v];
          if (edge[s] < 0 || product > size[s]) { size[s] = product; edge[s] = e; }
        }
      }
      this.pathsFound = { count, edge };
    }
    return this.pathsFound;
  }
  allPaths(v) {  // as lists of edges; call it only where there are few
    const { count } = this.paths, done = [];
    let open = [[v, []]];
    while (open.length) {
      const longer = [];
      for (const [at, edges] of open) {
        if (at === G.root) { done.push(edges); continue; }
        let walk = at, own = edges;
        const ways = [];
        for (let i = useFirst[walk]; i < useFirst[walk + 1]; i++) {
          const e = useEdge[i];
          if (this.hasPath[e] && count[target[e]]) ways.push(e);
        }
        ways.forEach((e, i) => { const list = i < ways.length - 1 ? own.slice() : own; list.push(e); longer.push([target[e], list]); });
      }
      open = longer;
    }
    return done;
  }
  largestPath(v) {
    const edges = [];
    for (let at = v; at !== G.root && this.paths.edge[at] >= 0; at = target[edges.at(-1)]) edges.push(this.paths.edge[at]);
    return edges;
  }
  onPaths(v) {  // every edge on a path from v to the root
    const { count } = this.paths, seen = new Set([v]), edges = [];
    for (const at of seen) {
      for (let i = useFirst[at]; i < useFirst[at + 1]; i++) {
        const e = useEdge[i];
        if (this.hasPath[e] && count[target[e]]) { edges.push(e); seen.add(target[e]); }
      }
    }
    return edges;
  }
}

const frameCache = [];
function frameOf(i) { return frameCache[i] ??= new Frame(G.frames[i]); }

// Words.
function num(x) {
  if (x === null || x === undefined) return "";
  if (Number.isInteger(x) && Math.abs(x) < 1e6) return String(x === 0 ? 0 : x);
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf";
  const [mantissa, exponent] = x.toPrecision(4).split("e");
  const short = mantissa.includes(".") ? mantissa.replace(/\.?0+$/, "") : mantissa;
  return exponent ? `${short}e${exponent.replace("+", "")}` : short;
}
const factor = x => x < 0 || Object.is(x, -0) ? `(${num(x)})` : num(x);
const glyph = op => op === "*" ? "\u00d7" : op;
const opName = v => opOf[v] < 0 ? "" : G.ops[opOf[v]][0];
const label = v => G.labels[G.label[v]];
function name(v, frame) {
  if (label(v)) return label(v);
  if (isConstant(v)) return num(frame.data[v]);
  return isResult(v) ? `${glyph(opName(v))}#${v}` : `leaf#${v}`;
}
const title = v => [label(v), glyph(opName(v))].filter(Boolean).join(" = ");
function expression(op, operands) {
  const shown = operands.length > 6 ? [...operands.slice(0, 5), `\u2026 ${operands.length} in all`] : operands;
  if (operands.length === 2 && /^[^\w]+$/.test(op)) return `${operands[0]} ${glyph(op)} ${operands[1]}`;
  if (operands.length === 1 && (op === "-" || op === "+")) return op + operands[0];
  if (op === "dot" && operands.length % 2 === 0) {
    const half = operands.length / 2, terms = [];
    for (let i = 0; i < Math.min(half, 3); i++) terms.push(`${operands[i]} \u00d7 ${operands[half + i]}`);
    return terms.join(" + ") + (half > 3 ? ` + \u2026 (${half} products)` : "");
  }
  return `${op}(${shown.join(", ")})`;
}
function operandsOf(v) {
  const found = [];
  for (let e = first[v]; e < first[v + 1]; e++) found.push(source[e]);
  return found;
}
function made(v, frame) {  // "w * x = 0.5 * 2 = 1"
  const operands = operandsOf(v), op = opName(v);
  const words = expression(op, operands.map(s => name(s, frame)));
  const numbers = expression(op, operands.map(s => operands.length > 1 ? factor(frame.data[s]) : num(frame.data[s])));
  return `${words} = ${words === numbers ? "" : numbers + " = "}${num(frame.data[v])}`;
}
// The local derivative of an edge as a formula in the names of the operands, or "" where it is only a number.
function rule(e, frame) {
  const v = target[e], texts = G.ops[opOf[v]].slice(1), operands = operandsOf(v);
  const text = (texts.length === 1 ? texts[0] : texts[e - first[v]]) ?? "";
  if (!text || text === "None" || /^-?[\d.]+$/.test(text)) return "";
  const place = e - first[v], half = operands.length / 2;
  if (opName(v) === "dot") return `${name(source[e], frame)} is multiplied by ${name(operands[place < half ? place + half : place - half], frame)}`;
  if (operands.length > 3) return text;
  const names = { x: operands[0], y: operands[1], z: operands[2], out: v };
  const worded = text.replace(/\b(x|y|z|out)\b/g, (_, letter) => name(names[letter], frame)).replace(/ \* /g, " \u00d7 ");
  return `\u2202(${expression(opName(v), operands.map(s => name(s, frame)))}) / \u2202 ${name(source[e], frame)} = ${worded}`;
}
function passed(e, frame) {  // local x upstream = contribution; grad a + b = c
  const v = target[e], c = frame.contribution(e);
  return `${num(frame.local[e])} \u00d7 ${factor(frame.grad[v])} = ${num(c)}; grad ${num(frame.before[e])} + ${factor(c)} = ${num(frame.after[e])}`;
}
function sentence(t, frame) {
  const phase = frame.phase(t), v = frame.active(t);
  if (phase === "inputs") {
    const given = [];
    for (let i = 0; i < N && given.length < 7; i++) if (G.kind[i] === "l") given.push(`${name(i, frame)} = ${num(frame.data[i])}`);
    const count = G.kind.split("l").length - 1;
    return { text: `Inputs: ${count} ${count === 1 ? "value is" : "values are"} given: ${given.slice(0, 6).join(", ")}${count > 6 ? ", \u2026" : "."}`, lines: [] };
  }
  const place = scopePath[G.scope[v]] ? ` in ${scopePath[G.scope[v]]}` : "";
  if (phase === "forward") return { text: `Forward ${t} of ${results.length}${place}: ${label(v) ? label(v) + " = " : ""}${made(v, frame)}.`, lines: [] };
  if (phase === "seed") return { text: `Seed: the derivative of ${name(v, frame)} by itself${frame.seed === 1 ? " is 1" : ", as backward() was told, is " + num(frame.seed)}. From here gradients go back.`, lines: [] };
  const lines = [];
  const silent = [];
  for (let e = first[v]; e < first[v + 1]; e++) {
    if (isConstant(source[e])) continue;
    if (!frame.hasPath[e]) { silent.push(name(source[e], frame)); continue; }
    lines.push(`to ${name(source[e], frame)}: ${passed(e, frame)}`);
  }
  const quiet = silent.length ? ` Nothing goes to ${silent.length < 3 ? silent.join(" and ") : silent.length + " operands"}: no derivative leads there.` : "";
  return { text: `Backward ${t - frame.seedStep} of ${frame.backward.length}${place}: ${name(v, frame)} has the gradient ${num(frame.grad[v])} and passes it on.${quiet}`, lines };
}

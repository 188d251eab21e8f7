// The drawing of one view: boxes and lines as SVG at the places that came with the page, pan and zoom, and marks.
const SVG = "http://www.w3.org/2000/svg", MARGIN = 24;
const MANY_LINKS = 900;  // more lines than this have no heads and no dashes: a browser takes ten times as long for those
const LABELLED_LINKS = 70, CROWDED = 10;
const escaped = text => text.replace(/[&<>"]/g, c => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
const clipped = (text, width) => {
  const most = Math.floor((width - 12) / 7.2), letters = [...text];
  return letters.length > most ? letters.slice(0, most - 1).join("") + "\u2026" : text;
};

// What a view's boxes hold; boxOf tells for every value where it is, or -1.
function boxesOf(view) {
  const boxOf = new Int32Array(N).fill(-1), inside = view.kind === "inside" ? view.of + 1 : 0;
  const boxes = view.boxes.map((code, index) => {
    const codes = Array.isArray(code) ? code : [code];
    const scopes = codes.filter(c => c < 0).map(c => -c), box = { index, scopes };
    box.values = scopes.length ? scopes.flatMap(valuesIn) : codes;
    box.kind = scopes.length ? "scope" : codes.length > 1 ? "crowd" : isConstant(codes[0]) ? "constant" : isResult(codes[0]) ? "result" : "leaf";
    box.outside = inside > 0 && !isUnder(box.values[0], inside);
    for (const v of box.values) boxOf[v] = index;
    return box;
  });
  for (const box of boxes) {
    if (box.kind === "scope") {
      const own = scopeName(box.scopes[0]), above = scopeName(parentScope(box.scopes[0]));
      const stem = above && own.startsWith("part ") ? `${above}/${own}` : own;
      box.path = scopePath[box.scopes[0]];
      box.title = box.scopes.length > 1 ? `${common(box.scopes)} \u00d7 ${box.scopes.length}` : stem;
      box.outputs = box.values.filter(v => {
        if (v === G.root) return true;
        for (let i = useFirst[v]; i < useFirst[v + 1]; i++) if (boxOf[target[useEdge[i]]] !== box.index) return true;
        return false;
      });
    } else if (box.kind === "crowd") {
      const labels = new Set(box.values.map(label)), ops = new Set(box.values.map(opName));
      const what = labels.size === 1 && [...labels][0] || (ops.size === 1 && glyph([...ops][0])) || (box.values.every(v => !isResult(v)) ? "leaves" : "values");
      box.title = what === "leaves" || what === "values" ? `${box.values.length} ${what}` : ops.size === 1 && labels.has("") ? `${box.values.length} of ${what}` : `${what} \u00d7 ${box.values.length}`;
      box.outputs = [];
      box.stem = stem(box.values);
    } else {
      box.title = title(box.values[0]);
    }
  }
  return { boxes, boxOf };
}
// The name that scopes share, with # for what differs: neuron#.
function common(scopes) {
  const names = new Set(scopes.map(s => scopeName(s).replace(/#\d+$/, "")));
  if (names.size === 1) return [...names][0];
  const stems = new Set([...names].map(n => n.replace(/\d+/g, "#")));
  return stems.size === 1 ? [...stems][0] : scopeName(scopes[0]) + " \u2026";
}

// What the labels of values begin with, as far as a dot: layers.0.neurons; nothing if they are equal or have nothing in common.
function stem(values) {
  const labels = values.map(label), parts = labels[0].split(".");
  let same = labels.some(l => l !== labels[0]) ? parts.length - 1 : 0;
  for (const l of labels) while (same && !l.startsWith(parts.slice(0, same).join(".") + ".")) same--;
  return same ? `of ${parts.slice(0, same).join(".")}` : "";
}

class Stage {
  constructor(element, on) {
    this.element = element;
    this.on = on;
    this.k = 1;
    this.x = this.y = 0;
    this.listen();
  }

  show(view, frame) {
    if (this.svg?.contains(document.activeElement)) this.element.focus({ preventScroll: true });  // what has the focus goes away
    Object.assign(this, { view, frame }, boxesOf(view));
    const d = this.drawing = G.drawings[view.drawing], count = this.boxes.length;
    const edgesOf = this.edgesOf = new Map();
    for (let e = 0; e < E; e++) {
      const a = this.boxOf[source[e]], b = this.boxOf[target[e]];
      if (a < 0 || b < 0 || a === b) continue;
      const key = a * count + b, known = edgesOf.get(key);
      if (known) known.push(e); else edgesOf.set(key, [e]);
    }
    this.fans = [new Int32Array(count), new Int32Array(count)];  // lines out of every box, and into it
    for (const [a, b] of d.links) { this.fans[0][a]++; this.fans[1][b]++; }
    this.width = d.size[0] + 2 * MARGIN;
    this.height = d.size[1] + 2 * MARGIN;
    const shown = [...this.boxes.map(box => this.boxText(box))];
    this.element.innerHTML =
      `<svg xmlns="${SVG}" width="${this.width}" height="${this.height}" viewBox="${-MARGIN} ${-MARGIN} ${this.width} ${this.height}" role="group" aria-label="Computation graph of ${count} boxes">` +
      `<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" markerUnits="userSpaceOnUse" orient="auto"><path class="head" d="M0 0 8 4 0 8z"/></marker></defs>` +
      `<g class="edges${d.links.length > MANY_LINKS ? " many" : ""}">${this.edgesText()}</g><g class="boxes">${shown.join("")}</g><g class="labels"></g></svg>`;
    this.svg = this.element.firstChild;
    const nodes = [...this.svg.querySelector(".boxes").children];
    this.boxes.forEach((box, i) => {
      box.element = nodes[i];
      [box.dataText, box.gradText] = ["data", "grad"].map(c => nodes[i].querySelector("." + c));
      box.shown = {};
    });
    const lines = [...this.svg.querySelector(".edges").children];
    this.lines = new Map();
    this.lineOf = new Map();
    for (const line of lines) {
      const edges = line.dataset.e.split(" ").map(Number);
      if (this.lines.has(line.dataset.k)) this.lines.get(line.dataset.k).push(line); else this.lines.set(line.dataset.k, [line]);
      if (line.dataset.one) this.lineOf.set(edges[0], line);
    }
    this.marked = [];
    this.focusBox = this.boxOf[G.root] >= 0 ? this.boxOf[G.root] : count - 1;
    this.boxes[this.focusBox].element.setAttribute("tabindex", "0");
    this.setFrame(frame);
  }

  boxText(box) {
    const { x, y, w, h } = this.drawing, i = box.index, W = w[i], H = h[i];
    const classes = ["box", box.kind, box.outside ? "outside" : "", box.values.includes(G.root) && box.values.length === 1 ? "root" : ""];
    const rect = (dx, dy, r, c = "") => `<rect x="${-W / 2 + dx}" y="${-H / 2 + dy}" width="${W}" height="${H}" rx="${r}"${c && ` class="${c}"`}/>`;
    const text = (c, dy, words = "") => `<text class="${c}" y="${dy}">${escaped(words)}</text>`;
    let inner = "";
    if (box.kind === "constant") inner = rect(0, 0, 0) + text("data", 4);
    else if (box.kind === "scope" || box.kind === "crowd") {
      if (box.scopes.length > 1 || box.kind === "crowd") inner += rect(6, 6, 8) + rect(3, 3, 8);
      inner = `<g>${inner}</g>` + rect(0, 0, 8) + `<rect class="twin" x="${-W / 2 + 3.5}" y="${-H / 2 + 3.5}" width="${W - 7}" height="${H - 7}" rx="5"/>`;
      const outputs = box.outputs.length > 1 && box.values.length < 10000 ? `, ${box.outputs.length} out` : "";
      if (box.kind === "crowd") inner += text("title", -13, clipped(box.title, W)) + text("size", 4, clipped(box.stem, W)) + text("grad", 21);
      else inner += text("title", -19, clipped(box.title, W)) + text("size", -3, box.scopes.length > 1 ? `${box.values.length / box.scopes.length} values each` : `${box.values.length} values${outputs}`) + text("data", 13) + text("grad", 29);
    } else {
      const r = box.kind === "leaf" ? 2 : 13;
      inner = rect(0, 0, r) + (box.values[0] === G.root ? `<rect class="twin" x="${-W / 2 + 3.5}" y="${-H / 2 + 3.5}" width="${W - 7}" height="${H - 7}" rx="10"/>` : "");
      inner += text("title", -13, clipped(box.title, W)) + text("data", box.title ? 4 : -4) + text("grad", box.title ? 21 : 14);
    }
    return `<g class="${classes.filter(Boolean).join(" ")}" data-i="${i}" transform="translate(${x[i]} ${y[i]})" role="button" tabindex="-1" aria-label="${escaped(box.title || "value")}">${inner}</g>`;
  }

  edgesText() {
    const d = this.drawing, count = this.boxes.length, heads = d.links.length <= MANY_LINKS ? ' marker-end="url(#arrow)"' : "";
    const into = new Map();  // lines end side by side, in the order in which they arrive
    d.links.forEach((link, i) => {
      const rest = link.length > 2 ? link.at(-1) : d.y[link[0]];
      if (into.has(link[1])) into.get(link[1]).push([rest, i]); else into.set(link[1], [[rest, i]]);
    });
    const half = new Map();  // of the widest box in every column: where lines leave it and come to it they pass no other box
    d.x.forEach((x, i) => half.set(x, Math.max(half.get(x) ?? 0, d.w[i] / 2)));
    const shift = new Float64Array(d.links.length);
    for (const [b, ends] of into) {
      ends.sort((one, two) => one[0] - two[0]);
      const gap = Math.min(10, (d.h[b] - 14) / ends.length);
      ends.forEach(([, i], rank) => { shift[i] = (rank - (ends.length - 1) / 2) * gap; });
    }
    const out = [];
    d.links.forEach((link, i) => {
      const [a, b] = link, key = a * count + b, edges = this.edgesOf.get(key) || [];
      const plain = edges.length <= 3 && this.boxes[a].values.length === 1 && this.boxes[b].values.length === 1;
      for (let n = 0; n < (plain ? edges.length : 1); n++) {
        const bend = plain ? (n - (edges.length - 1) / 2) * 14 : 0;
        const own = plain ? [edges[n]] : edges;
        let px = d.x[a] + d.w[a] / 2, py = d.y[a] + bend / 2, path = `M${px} ${py}`;
        const straight = x => { if (x > px) path += `H${px = x}`; };
        straight(d.x[a] + half.get(d.x[a]));
        const curve = (x, y) => {
          const reach = Math.max(18, Math.abs(x - px) * 0.45);
          path += `C${px + reach} ${py + bend} ${x - reach} ${y + bend} ${x} ${y}`;
          [px, py] = [x, y];
        };
        for (let j = 2; j < link.length; j += 3) {
          curve(link[j], link[j + 2]);
          straight(link[j + 1]);
        }
        curve(d.x[b] - half.get(d.x[b]), d.y[b] + shift[i] + bend / 2);
        straight(d.x[b] - d.w[b] / 2);
        const few = own.length > 40 ? own.slice(0, 40) : own;
        out.push(`<path class="edge" d="${path}" data-k="${key}" data-e="${few.join(" ")}"${own.length === 1 ? ' data-one="1"' : ""}${heads}/>`);
      }
    });
    return out.join("");
  }

  // Which lines carry nothing, and in folded views the colour of single local derivatives.
  setFrame(frame) {
    this.frame = frame;
    const folded = this.view.kind !== "all", singles = [];
    for (const lines of this.lines.values()) {
      for (const line of lines) {
        const edges = line.dataset.one ? [Number(line.dataset.e)] : this.edgesOf.get(Number(line.dataset.k));
        const carrying = edges.filter(e => !isConstant(source[e]));
        line.classList.toggle("dead", carrying.length > 0 && carrying.every(e => !frame.hasPath[e] || frame.contribution(e) === 0));
        const [a, b] = [this.boxOf[source[edges[0]]], this.boxOf[target[edges[0]]]];
        const one = carrying.length === 1 && frame.hasPath[carrying[0]] && (this.boxes[a].kind === "scope" || this.boxes[b].kind === "scope");
        line.classList.remove("weight-p", "weight-n");
        line.style.strokeWidth = "";
        if (folded && one && frame.local[carrying[0]]) singles.push([line, frame.local[carrying[0]]]);
        else if (edges.length > 1 && folded) line.style.strokeWidth = Math.min(5, 1.3 + Math.log10(edges.length)).toFixed(2);
      }
    }
    const largest = Math.max(...singles.map(([, x]) => Math.abs(x)).filter(Number.isFinite), 0) || 1;
    for (const [line, x] of singles) {
      line.classList.add(x > 0 ? "weight-p" : "weight-n");
      line.style.strokeWidth = (0.6 + 3.2 * Math.min(1, Math.sqrt(Math.abs(x) / largest))).toFixed(2);
    }
  }

  // Numbers and colours after step t; `touched` lists the values that may have changed, or is null for all.
  update(t, touched) {
    const boxes = touched ? [...new Set(touched.map(v => this.boxOf[v]))].filter(i => i >= 0).map(i => this.boxes[i]) : this.boxes;
    for (const box of boxes) this.write(box, this.texts(box, t));
  }

  texts(box, t) {
    const frame = this.frame, backward = t >= frame.seedStep;
    if (box.values.length === 1 && box.kind !== "scope") {
      const v = box.values[0], computed = frame.isComputed(v, t), grad = frame.gradAt(v, t);
      const odd = computed && !(Number.isFinite(frame.data[v]) && (grad === null || Number.isFinite(grad)));
      if (box.kind === "constant") return { data: num(frame.data[v]), grad: "", colour: "z", odd };
      return { data: computed ? num(frame.data[v]) : "\u00b7", grad: backward ? `${frame.isSettled(v, t) ? "grad" : "so far"} ${num(grad)}` : "grad -", colour: backward ? frame.colour(grad) : "z", odd };
    }
    let largest = 0, at = 0, computed = 0, odd = false;
    for (const v of box.values) {
      if (frame.isComputed(v, t)) { computed++; if (!Number.isFinite(frame.data[v])) odd = true; }
      if (!backward || v === G.root) continue;
      const grad = frame.gradAt(v, t);
      if (Math.abs(grad) > largest) { largest = Math.abs(grad); at = grad; } else if (Number.isNaN(grad)) odd = true;
    }
    const out = box.outputs.length === 1 ? box.outputs[0] : -1;
    const data = computed < box.values.length ? `${computed} computed` : out >= 0 ? `out ${num(frame.data[out])}` : box.scopes.length > 1 ? `${box.scopes.length} equal boxes` : "computed";
    return { data: box.kind === "crowd" ? "" : data, grad: backward ? `max |grad| ${num(largest)}` : "grad -", colour: backward ? frame.colour(at) : "z", odd };
  }

  write(box, texts) {
    const was = box.shown;
    if (was.data !== texts.data && box.dataText) this.put(box, box.dataText, texts.data);
    if (was.grad !== texts.grad && box.gradText) this.put(box, box.gradText, texts.grad);
    if (was.colour !== texts.colour) {
      if (was.colour) box.element.classList.remove(was.colour);
      box.element.classList.add(texts.colour);
    }
    if (was.odd !== texts.odd) box.element.classList.toggle("odd", texts.odd);
    box.shown = texts;
  }

  put(box, element, words) {  // long numbers are pressed together rather than cut
    const room = this.drawing.w[box.index] - 10;
    element.textContent = words;
    if (words.length * 7 > room && box.kind !== "constant") element.setAttribute("textLength", room); else element.removeAttribute("textLength");
    element.setAttribute("lengthAdjust", "spacingAndGlyphs");
  }

  // The active value and its lines, the chosen one, and the paths of the one that is looked at.
  mark({ active, chosen, looked, t }) {
    for (const [element, c] of this.marked) element.classList.remove(c);
    this.marked = [];
    const add = (element, c) => { element.classList.add(c); this.marked.push([element, c]); };
    const labels = [];
    if (looked >= 0) for (const e of this.frame.onPaths(looked)) for (const line of this.linesOf(e)) add(line, "path");
    if (active >= 0 && this.boxOf[active] >= 0) {
      add(this.boxes[this.boxOf[active]].element, "active");
      for (let e = first[active]; e < first[active + 1]; e++) {
        for (const line of this.linesOf(e)) add(line, "live");
        const line = this.lineOf.get(e), phase = this.frame.phase(t);
        if (line && phase === "backward" && this.frame.hasPath[e]) labels.push([line, num(this.frame.contribution(e)), "live"]);
      }
    }
    if (chosen >= 0 && this.boxOf[chosen] >= 0) add(this.boxes[this.boxOf[chosen]].element, "chosen");
    const live = new Set(labels.map(([line]) => line)), all = this.drawing.links.length <= LABELLED_LINKS && this.view.kind !== "stacked";
    const looking = new Set(this.marked.filter(([, c]) => c === "path").map(([element]) => element));
    for (const [e, line] of this.lineOf) {
      if (first[target[e] + 1] - first[target[e]] > CROWDED && !looking.has(line)) continue;
      if (live.has(line) || !this.frame.hasPath[e] || !(all || (looking.has(line) && looking.size <= 40))) continue;
      if (this.frame.isComputed(target[e], t)) labels.push([line, `\u00d7${num(this.frame.local[e])}`, ""]);
    }
    const taken = [];
    this.svg.querySelector(".labels").innerHTML = labels.map(([line, words, c]) => {
      const [x, y] = this.placed(line, words.length * (c ? 7.2 : 6.2), taken);
      return `<text class="local ${c}" x="${x}" y="${y}">${escaped(words)}</text>`;
    }).join("");
  }
  linesOf(e) {
    const one = this.lineOf.get(e);
    return one ? [one] : this.lines.get(String(this.boxOf[source[e]] * this.boxes.length + this.boxOf[target[e]])) || [];
  }
  // A place for words on the last curve of a line, clear of others; from its text, as asking the browser would measure.
  placed(line, width, taken) {
    const [before, last] = line.getAttribute("d").split("C").slice(-2), numbers = text => text.match(/-?[\d.]+(e-?\d+)?/g).map(Number);
    const [x1, y1, x2, y2, x3, y3] = numbers(last), x0 = numbers(before).at(before.includes("H") ? -1 : -2), y0 = y1;
    const at = u => [x0, x1, x2, x3, y0, y1, y2, y3].map((p, i) => p * [(1 - u) ** 3, 3 * u * (1 - u) ** 2, 3 * u * u * (1 - u), u ** 3][i % 4]);
    let best = null, least = Infinity;
    const ends = this.ends(line), places = [0.5, 0.36, 0.64, 0.24, 0.76];
    if (ends) places.unshift(ends > 0 ? 0.66 : 0.32);  // where lines fan out, their far ends are apart
    for (const u of places) {
      const [a, b, c, d, e, f, g, h] = at(u), x = Math.round(a + b + c + d), y = Math.round(e + f + g + h) - 3;
      const hits = taken.filter(t => Math.abs(t[0] - x) < (t[2] + width) / 2 && Math.abs(t[1] - y) < 11).length + 4 * this.covers(x, y - 4, width);
      if (hits < least) { least = hits; best = [x, y, width]; }
    }
    taken.push(best);
    return best;
  }

  // 1 where more lines leave the box at the left end than come to the one at the right, and both are many; -1 the other way; else 0.
  ends(line) {
    const key = Number(line.dataset.k), count = this.boxes.length, out = this.fans[0][Math.floor(key / count)], into = this.fans[1][key % count];
    return Math.max(out, into) < 4 ? 0 : Math.sign(out - into);
  }
  covers(x, y, width) {  // how many boxes a word here would touch
    const d = this.drawing;
    return this.boxes.filter((box, i) => Math.abs(d.x[i] - x) < (d.w[i] + width) / 2 && Math.abs(d.y[i] - y) < d.h[i] / 2 + 5).length;
  }

  describe(box, t) {
    const { data, grad } = this.texts(box, t), size = box.kind === "scope" ? `, folded, ${box.values.length} values` : "";
    return [box.title || box.kind, size, data === "\u00b7" ? ", not computed yet" : data && ", " + data, grad && grad !== "grad -" ? ", " + grad : ""].join("");
  }

  // Pan and zoom move the whole picture by a transform: nothing in it is drawn anew while it moves.
  apply() {
    this.svg.style.transform = `translate(${this.x}px,${this.y}px) scale(${this.k})`;
    this.element.classList.toggle("far", this.k < 0.22);
  }
  moving() {
    this.element.classList.add("moving");
    clearTimeout(this.rest);
    this.rest = setTimeout(() => this.element.classList.remove("moving"), 250);
  }
  zoom(factor, cx = this.element.clientWidth / 2, cy = this.element.clientHeight / 2) {
    const k = Math.min(4, Math.max(0.02, this.k * factor));
    this.x = cx - (cx - this.x) * k / this.k;
    this.y = cy - (cy - this.y) * k / this.k;
    this.k = k;
    this.least = null;
    this.moving();
    this.apply();
  }
  fit(least = 0) {
    this.least = least;  // until somebody moves it, the picture follows the size of the window
    const { clientWidth: w, clientHeight: h } = this.element;
    const whole = Math.min(1.6, w / this.width, (h - 24) / this.height);
    this.k = whole > 0.8 * least ? whole : least;  // nothing is cut off for a hair's breadth
    this.x = (w - this.width * this.k) / 2;
    this.y = Math.max((h - 24 - this.height * this.k) / 2, 0);
    if (this.width * this.k > w) this.x = w - this.width * this.k;  // the result is at the right
    if (this.height * this.k > h) this.y = (h - this.height * this.k) / 2;
    this.apply();
  }
  reveal(index) {
    if (index < 0) return;
    const { clientWidth: w, clientHeight } = this.element, h = clientHeight - 24, d = this.drawing;  // above the legend
    const x = this.x + (d.x[index] + MARGIN) * this.k, y = this.y + (d.y[index] + MARGIN) * this.k;
    const mx = Math.min(d.w[index] / 2 * this.k + 8, w / 2), my = Math.min(d.h[index] / 2 * this.k + 8, h / 2);
    this.x += Math.max(0, mx - x) - Math.max(0, x - w + mx);
    this.y += Math.max(0, my - y) - Math.max(0, y - h + my);
    this.apply();
  }
  follow(v) {  // the box of a value, and as many of its operands as there is room for
    const i = v < 0 ? -1 : this.boxOf[v];
    if (i < 0) return;
    const d = this.drawing, near = (centres, sizes, room) => j => (Math.abs(centres[i] - centres[j]) + (sizes[i] + sizes[j]) / 2) * this.k < room - 16;
    const across = near(d.x, d.w, this.element.clientWidth), down = near(d.y, d.h, this.element.clientHeight - 24);
    const operands = [...new Set(operandsOf(v).map(s => this.boxOf[s]))].filter(j => j >= 0 && across(j) && down(j));
    for (const j of operands.slice(0, 20)) this.reveal(j);
    this.reveal(i);
  }
  listen() {
    const stage = this.element, pointers = new Map();
    let start = null, dragged = false;
    const boxAt = event => { const g = event.target.closest?.(".box"); return g ? Number(g.dataset.i) : -1; };
    stage.addEventListener("wheel", event => {
      event.preventDefault();
      const at = stage.getBoundingClientRect();
      this.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), event.clientX - at.left, event.clientY - at.top);
    }, { passive: false });
    stage.addEventListener("pointerdown", event => {
      pointers.set(event.pointerId, event);
      start = { x: event.clientX, y: event.clientY };
      dragged = false;
    });
    stage.addEventListener("pointermove", event => {
      const was = pointers.get(event.pointerId);
      if (!was) return;
      if (!dragged && Math.hypot(event.clientX - start.x, event.clientY - start.y) < 5) return;
      if (!dragged) { dragged = true; stage.setPointerCapture(event.pointerId); }
      if (pointers.size === 1) { this.x += event.clientX - was.clientX; this.y += event.clientY - was.clientY; this.least = null; this.moving(); this.apply(); }
      if (pointers.size === 2) {
        const other = [...pointers].find(([id]) => id !== event.pointerId)[1], at = stage.getBoundingClientRect();
        const distance = p => Math.hypot(p.clientX - other.clientX, p.clientY - other.clientY) || 1;
        this.zoom(distance(event) / distance(was), (event.clientX + other.clientX) / 2 - at.left, (event.clientY + other.clientY) / 2 - at.top);
      }
      pointers.set(event.pointerId, event);
    });
    for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, event => pointers.delete(event.pointerId));
    stage.addEventListener("click", event => {
      if (dragged) return;
      const i = boxAt(event);
      if (i >= 0) this.on.press(this.boxes[i]); else this.on.release();
    });
    stage.addEventListener("pointerover", event => { if (!pointers.size) this.on.look(boxAt(event)); });
    stage.addEventListener("pointerleave", () => this.on.look(-1));
    stage.addEventListener("focusin", event => { const i = boxAt(event); if (i >= 0) { this.focusBox = i; this.on.focus(i); } });
    stage.addEventListener("focusout", () => this.on.look(-1));
  }
  focus(index) {
    const i = (index + this.boxes.length) % this.boxes.length;
    this.boxes[this.focusBox].element.setAttribute("tabindex", "-1");
    this.focusBox = i;
    const { element } = this.boxes[i];
    element.setAttribute("tabindex", "0");
    this.reveal(i);
    element.focus({ preventScroll: true });
  }

  // The picture as it is, as a file of its own: colours written out.
  picture(style) {
    const copy = this.svg.cloneNode(true), probe = document.createElement("i");
    document.body.append(probe);
    const resolved = style.replace(/var\((--[\w-]+)\)/g, (_, variable) => { probe.style.color = `var(${variable})`; return getComputedStyle(probe).color; });
    probe.style.color = "var(--paper)";
    const paper = getComputedStyle(probe).color;
    probe.remove();
    copy.removeAttribute("style");
    copy.setAttribute("role", "img");
    for (const g of copy.querySelectorAll("[tabindex]")) { g.removeAttribute("tabindex"); g.removeAttribute("role"); }
    const css = document.createElementNS(SVG, "style");
    css.textContent = resolved;
    const back = document.createElementNS(SVG, "rect");
    for (const [key, value] of Object.entries({ x: -MARGIN, y: -MARGIN, width: "100%", height: "100%", fill: paper })) back.setAttribute(key, value);
    copy.prepend(css, back);
    return new XMLSerializer().serializeToString(copy);
  }
}

// The page: what is shown, and what every control does.
const $ = id => document.getElementById(id);
const overviews = G.views.map((view, i) => i).filter(i => G.views[i].kind !== "inside");
const insideOf = new Map();
G.views.forEach((view, i) => { if (view.kind === "inside") insideOf.set(view.of + 1, i); });
const twinsOf = new Map();  // scopes of equal shape, as they are stacked
for (const view of G.views) {
  for (const box of view.boxes) {
    if (Array.isArray(box) && box[0] < 0) for (const code of box) if (!twinsOf.has(-code)) twinsOf.set(-code, box.map(c => -c));
  }
}
const FEW_PATHS = 6, FEW_USES = 12, ROWS = 100;
const state = { view: -1, t: 0, frame: 0, chosen: -1, looked: -1, over: overviews[0], list: false, page: 0, allUses: false, box: null };
let frame = frameOf(0), timer = null;

const stage = new Stage($("stage"), {
  press(box) { if (box.kind === "scope") openBox(box); else choose(box.kind === "crowd" ? -1 : box.values[0], box); },
  release() { choose(-1); },
  look(i) { look(i); },
  focus(i) { stage.boxes[i].element.setAttribute("aria-label", stage.describe(stage.boxes[i], state.t)); look(i); },
});

function viewName(i) {
  const view = G.views[i], count = view.boxes.length;
  const what = { all: "every value", depth: `folded at depth ${view.of}`, stacked: view.of ? `depth ${view.of}, equal stacked` : "equal values stacked" }[view.kind];
  return `${what} \u00b7 ${count} ${count === 1 ? "box" : "boxes"}`;
}
function firstView() {
  const size = i => G.views[i].boxes.length, legible = i => { const [w, h] = G.drawings[G.views[i].drawing].size; return w <= 3600 && h <= 2000; };
  const all = overviews.find(i => G.views[i].kind === "all");
  if (all !== undefined && size(all) <= 120) return all;
  const fitting = overviews.filter(i => size(i) <= 120 && size(i) > 2 && legible(i)).sort((a, b) => size(b) - size(a));
  return fitting[0] ?? overviews.sort((a, b) => size(a) - size(b))[0];
}

// Going to steps, views and values.
function go(t, { follow = true } = {}) {
  const before = state.t;
  state.t = Math.max(0, Math.min(frame.lastStep, t));
  const low = Math.min(before, state.t), high = Math.max(before, state.t);
  let touched = null;
  const crosses = low < frame.seedStep && high >= frame.seedStep;
  if (high - low <= 40 && !crosses) {
    touched = [];
    for (let s = Math.max(1, low); s <= high; s++) { const v = frame.active(s); touched.push(v, ...operandsOf(v)); }
  }
  stage.update(state.t, touched);
  render(follow);
}
function render(follow = false) {
  const t = state.t, active = frame.active(t);
  stage.mark({ active, chosen: state.chosen, looked: state.looked >= 0 ? state.looked : state.chosen, t });
  if (follow && active >= 0 && !state.list) stage.follow(active);
  $("slider").value = t;
  const phase = frame.phase(t);
  const words = phase === "forward" ? `forward ${t}/${results.length}` : phase === "backward" ? `backward ${t - frame.seedStep}/${frame.backward.length}` : phase;
  $("count").textContent = words;
  $("slider").setAttribute("aria-valuetext", words);
  $("first").disabled = $("back").disabled = t === 0;
  $("last").disabled = $("forward").disabled = t === frame.lastStep;
  markOverview(active);
  say();
  renderPanel();
  if (state.list) renderTable();
  remember();
}
function foldedBox(v) { const i = v < 0 ? -1 : stage.boxOf[v]; return i >= 0 && stage.boxes[i].values.length > 1 ? stage.boxes[i] : null; }
function say() {
  const t = state.t, phase = frame.phase(t), said = sentence(t, frame), box = byBox() ? foldedBox(frame.active(t)) : null;
  let { text, lines } = said;
  if (box && phase !== "seed") {
    const { data, grad } = stage.texts(box, t);
    const what = `${box.path || box.title}${box.scopes.length > 1 ? ` and ${box.scopes.length - 1} of equal shape` : ""}`;
    const came = phase === "forward" ? data : grad;
    text = `${phase === "forward" ? "Forward" : "Backward"} through ${what}${came ? ": " + came : ""}. Last: ${text}`;
  }
  // One sentence is spoken; the sums of an operation on many numbers are shown.
  const spoken = lines.length <= 3 ? `${text} ${lines.map(l => l[0].toUpperCase() + l.slice(1) + ".").join(" ")}` : `${text} ${lines.length} operands receive their part.`;
  if (lines.length && lines.length <= 3) {
    $("say").innerHTML = escaped(text) + lines.map(l => ` <span class="sum">${escaped(l[0].toUpperCase() + l.slice(1))}.</span>`).join("");
    $("sums").textContent = "";
  } else {
    $("say").textContent = spoken;
    $("sums").innerHTML = lines.slice(0, 200).map(l => `<div class="sum">${escaped(l)}</div>`).join("");
  }
}
const byBox = () => !$("by-label").hidden && $("by").value === "box";
function neighbour(direction) {
  let t = state.t + direction;
  if (!byBox()) return t;
  const at = s => { const v = frame.active(s); return v < 0 ? -2 : stage.boxOf[v]; };
  const end = direction > 0 ? frame.lastStep : 0;
  while (t !== end && at(t) === -1) t += direction;  // not in this view
  const i = at(t);
  if (i >= 0 && stage.boxes[i].values.length > 1) while (t !== end && at(t + direction) === i && frame.phase(t + direction) === frame.phase(t)) t += direction;
  return t;
}
const step = direction => go(neighbour(direction));
function play(on = !timer) {
  clearTimeout(timer);
  timer = null;
  if (on) {
    if (state.t === frame.lastStep) go(0);
    const tick = () => { step(1); timer = state.t < frame.lastStep ? setTimeout(tick, Number($("speed").value)) : null; shown(); };
    timer = setTimeout(tick, Math.min(500, Number($("speed").value)));
  }
  function shown() {
    $("play").setAttribute("aria-label", timer ? "Pause" : "Play");
    $("play").innerHTML = timer
      ? '<svg viewBox="0 0 16 16"><path d="M4 3h2v10H4zM10 3h2v10h-2z"/></svg><span>pause</span>'
      : '<svg viewBox="0 0 16 16"><path d="M4 2v12l10-6z"/></svg><span>play</span>';
  }
  shown();
}

function setView(i, { fit = true } = {}) {
  state.view = i;
  const view = G.views[i];
  if (view.kind !== "inside") state.over = i;
  stage.show(view, frame);
  stage.update(state.t, null);
  $("by-label").hidden = view.kind === "all";
  $("view").value = view.kind === "inside" ? "" : String(i);
  trail(view);
  state.looked = -1;
  state.page = 0;
  state.box = null;
  if (fit) stage.fit(stage.boxes.length > 40 ? 0.4 : 0.5);
  stage.follow(frame.active(state.t));
  render();
}
function openBox(box) { const inside = insideOf.get(box.scopes[0]); if (inside !== undefined) { setView(inside); stage.element.focus({ preventScroll: true }); } }
function up() {
  const view = G.views[state.view];
  if (view.kind !== "inside") return;
  const parent = parentScope(view.of + 1);
  setView(parent ? insideOf.get(parent) : state.over);
}
function trail(view) {
  const nav = $("trail");
  nav.textContent = "";
  if (view.kind !== "inside") {
    if (view.kept_open.length) {
      const note = Object.assign(document.createElement("span"), { className: "soft", textContent: "some scopes stay open" });
      note.title = `Folded, these would be part of a cycle: ${view.kept_open.join(", ")}`;
      nav.append(note);
    }
    return;
  }
  const link = (words, act, hint) => { const b = document.createElement("button"); b.textContent = words; b.onclick = act; if (hint) { b.title = hint; b.setAttribute("aria-label", hint); } nav.append(b, " "); return b; };
  link("whole graph", () => setView(state.over));
  const scope = view.of + 1, path = [];
  for (let s = parentScope(scope); s; s = parentScope(s)) path.unshift(s);
  for (const s of path) { nav.append("/ "); link(scopeName(s), () => setView(insideOf.get(s))); }
  nav.append("/ ", Object.assign(document.createElement("span"), { className: "here", textContent: scopeName(scope) }), " ");
  const twins = twinsOf.get(scope) || [];
  if (twins.length > 1) {
    const at = twins.indexOf(scope);
    link("\u2039", () => twin(-1), "Previous box of equal shape (,)");
    nav.append(`${at + 1} of ${twins.length} `);
    link("\u203a", () => twin(1), "Next box of equal shape (.)");
  }
}
function twin(direction) {
  const view = G.views[state.view], scope = view.kind === "inside" ? view.of + 1 : 0, twins = twinsOf.get(scope);
  if (!twins) return;
  const { k, x, y } = stage, same = insideOf.get(twins[(twins.indexOf(scope) + direction + twins.length) % twins.length]);
  const keeps = G.views[same].drawing === view.drawing;
  setView(same, { fit: !keeps });
  if (keeps) { Object.assign(stage, { k, x, y }); stage.apply(); }
}
function choose(v, box = null) { state.chosen = v; state.box = box && v < 0 ? box : null; state.allUses = false; render(); }
function look(i) {
  const box = i >= 0 ? stage.boxes[i] : null, v = box && box.values.length === 1 ? box.values[0] : -1;
  if (state.looked === v && state.box === (box && v < 0 ? box : state.box)) return;
  state.looked = v;
  if (state.chosen < 0) state.box = box && v < 0 ? box : null;
  stage.mark({ active: frame.active(state.t), chosen: state.chosen, looked: v >= 0 ? v : state.chosen, t: state.t });
  renderPanel();
}
// The scope of the use that sends back most, of those in whose pictures the value has a box of its own.
function scopeOfUse(v) {
  const size = e => Math.abs(frame.contribution(e)), uses = [...useEdge.subarray(useFirst[v], useFirst[v + 1])];
  const scopes = uses.sort((a, b) => size(b) - size(a)).map(e => G.scope[target[e]]);
  return scopes.slice(0, 200).find(s => insideOf.has(s) && G.views[insideOf.get(s)].boxes.includes(v)) ?? scopes[0];
}
// Show a value where it has a box of its own, and choose it.
function find(v) {
  const i = stage.boxOf[v];
  if (i < 0 || stage.boxes[i].values.length > 1) {
    let s = G.scope[v];
    const all = overviews.find(o => G.views[o].kind === "all");
    if (!s && useFirst[v] < useFirst[v + 1]) s = scopeOfUse(v);
    if (insideOf.has(s)) setView(insideOf.get(s)); else if (all !== undefined) setView(all);
  }
  choose(v);
  if (state.list) toggleTable(false);
  stage.reveal(stage.boxOf[v]);
}

// The panel: what one value, or one folded box, is made of.
const link = (v, words) => `<button class="link" data-go="${v}">${escaped(words ?? name(v, frame))}</button>`;
const where = v => scopePath[G.scope[v]] ? `<p class="soft">in ${escaped(scopePath[G.scope[v]])}</p>` : "";
function renderPanel() {
  const active = frame.active(state.t);
  const v = state.chosen >= 0 ? state.chosen : state.looked >= 0 ? state.looked : state.box ? -1 : active;
  const view = G.views[state.view], away = state.chosen < 0 && state.looked < 0 && view.kind === "inside" && stage.boxOf[active] < 0;
  const box = state.box ?? (away ? scopeBox(view.of + 1) : null);  // what happens elsewhere is said below
  $("panel").innerHTML = notes() + (box && (v < 0 || away) ? boxText(box) : v >= 0 ? valueText(v) : introText());
}
const scopeBox = scope => ({ kind: "inside", scopes: [scope], path: scopePath[scope], values: valuesIn(scope), outputs: [] });
function notes() {
  const count = frame.notes.length + frame.more;
  if (count < 2) return count ? `<p class="note">${escaped(frame.notes[0])}</p>` : "";
  const more = frame.more ? ` and ${frame.more} more` : "";
  return `<details class="note"><summary>${count} gradients of the program are not those of this graph</summary><p>${frame.notes.map(escaped).join("<br>")}${more}.</p><p>Gradients of more than one backward() were added up, or hooks changed them. The page shows those of this graph.</p></details>`;
}
function introText() {
  return `<h2>${escaped(G.title)}</h2><p>${N} numbers: ${results.length} made by operations. Press play, or the right arrow, and watch the program run forward and its gradients run back.</p><p>Point at a box to see what it is made of.</p>`;
}
function valueText(v) {
  const t = state.t, heading = `<h2>${escaped(label(v) ? title(v) : name(v, frame))}</h2>${where(v)}`;
  const what = isConstant(v) ? "a constant: no gradient is kept for it" : isResult(v) ? escaped(made(v, frame)) : "a leaf: given, not computed";
  let out = `${heading}<h3>The number: <span title="${frame.data[v]}">${num(frame.data[v])}</span></h3><p class="sum">${what}</p>`;
  if (isConstant(v)) return out;
  out += gradientText(v, t);
  if (isResult(v)) out += operandsText(v, t);
  out += pathsText(v);
  if (G.frames.length > 1) out += framesText(v);
  return out;
}
function gradientText(v, t) {
  const grad = frame.grad[v], settled = frame.isSettled(v, t), now = settled ? grad : frame.gradAt(v, t) ?? grad;
  const when = settled ? "" : t < frame.seedStep ? " will be" : " so far";
  let out = `<h3>Its gradient${when}: <span title="${now}">${num(now)}</span></h3>`;
  if (v === G.root) return out + `<p>This is the result: the backward pass starts here with ${num(frame.seed)}.</p>`;
  const uses = [];
  let silent = 0;
  for (let i = useFirst[v]; i < useFirst[v + 1]; i++) { const e = useEdge[i]; if (frame.hasPath[e] && frame.reached[target[e]]) uses.push(e); else silent++; }
  if (!uses.length) return out + "<p>No path leads from here to the result: nothing comes back.</p>";
  let shown = uses;
  if (uses.length > FEW_USES && !state.allUses) {
    const size = e => Math.abs(frame.contribution(e));
    const best = new Set([...uses].sort((a, b) => size(b) - size(a)).slice(0, FEW_USES));
    shown = uses.filter(e => best.has(e));
  }
  out += `<p>${uses.length === 1 ? "One use sends it back" : `The sum of what ${uses.length} uses send back`}${shown.length < uses.length ? `; the ${FEW_USES} largest:` : ":"}</p>`;
  out += '<table><thead><tr><th>from</th><th class="number">local</th><th class="number">&times; its grad</th><th class="number">= part</th></tr></thead><tbody>';
  for (const e of shown.slice(0, 1000)) {
    const r = target[e], done = frame.backwardStep[r] <= t, formula = rule(e, frame);
    out += `<tr class="${done ? frame.backwardStep[r] === t ? "now" : "" : "later"}"><td>${link(r)}</td><td class="number" title="${frame.local[e]}">${num(frame.local[e])}</td><td class="number">${factor(frame.grad[r])}</td><td class="number" title="${frame.contribution(e)}">${num(frame.contribution(e))}</td></tr>`;
    if (formula && shown.length <= 6) out += `<tr class="soft"><td colspan="4">local: ${escaped(formula)}</td></tr>`;
  }
  out += `<tr class="total"><td colspan="3">${shown.length < uses.length ? `sum of all ${uses.length}` : "sum"}${when === " so far" ? " at the end" : ""}</td><td class="number">${num(grad)}</td></tr></tbody></table>`;
  const view = G.views[state.view], here = view.kind === "inside" ? uses.filter(e => isUnder(target[e], view.of + 1)) : uses;
  if (here.length < uses.length && !isUnder(v, view.of + 1)) {
    const part = here.reduce((sum, e) => sum + frame.contribution(e), 0), place = `${escaped(scopePath[view.of + 1])}, which is shown`;
    out += here.length
      ? `<p>Of this, ${num(part)} comes from ${place} (${here.length} of the ${uses.length} uses); the rest comes from outside this picture.</p>`
      : `<p>Nothing of this comes from ${place}.</p>`;
  }
  if (shown.length < uses.length) out += '<p><button data-all="1">show all</button></p>';
  if (silent) out += `<p class="soft">${silent === 1 ? "One more use sends" : silent + " more uses send"} nothing back: no path leads on from there.</p>`;
  return out;
}
function operandsText(v, t) {
  let out = '<h3>What it passes back</h3>', rows = 0;
  out += '<table><thead><tr><th>to</th><th class="number">local</th><th class="number">&times; grad</th><th class="number">= part</th></tr></thead><tbody>';
  for (let e = first[v]; e < first[v + 1] && rows < 200; e++) {
    if (isConstant(source[e])) continue;
    rows++;
    if (!frame.hasPath[e]) { out += `<tr class="soft"><td>${link(source[e])}</td><td colspan="3">nothing: no derivative leads there</td></tr>`; continue; }
    out += `<tr class="${frame.backwardStep[v] <= t ? "" : "later"}"><td>${link(source[e])}</td><td class="number" title="${frame.local[e]}">${num(frame.local[e])}</td><td class="number">${factor(frame.grad[v])}</td><td class="number">${num(frame.contribution(e))}</td></tr>`;
  }
  return rows ? out + "</tbody></table>" : "";
}
function pathText(v, edges) {
  const product = edges.reduce((p, e) => p * frame.local[e], frame.seed);
  const names = [v, ...edges.map(e => target[e])].map(x => link(x)), factors = edges.map(e => factor(frame.local[e]));
  const cut = list => list.length > 14 ? [...list.slice(0, 7), `\u2026 ${list.length - 13} more \u2026`, ...list.slice(-6)] : list;
  const seed = frame.seed === 1 ? [] : [factor(frame.seed)];
  return `<div class="path">${cut(names).join(" \u2192 ")}<span class="product sum">${cut([...factors, ...seed]).join(" \u00d7 ")} = ${num(product)}</span></div>`;
}
function pathsText(v) {
  if (v === G.root) return "";
  const count = frame.paths.count[v];
  if (!count) return "";
  const number = count < 1e6 ? count.toLocaleString("en") : "about " + count.toExponential(1);
  let out = `<h3>${count === 1 ? "The path" : number + " paths"} to ${escaped(name(G.root, frame))}</h3>`;
  if (count <= FEW_PATHS) {
    const paths = frame.allPaths(v);
    out += paths.map(edges => pathText(v, edges)).join("");
    if (count > 1) out += `<p>Their sum is the gradient, ${num(frame.grad[v])}.</p>`;
  } else out += `<p>The gradient is the sum of their products. The largest:</p>${pathText(v, frame.largestPath(v))}`;
  return out;
}
function framesText(v) {
  let out = '<h3>Over the training</h3><table><thead><tr><th>frame</th><th class="number">number</th><th class="number">gradient</th></tr></thead><tbody>';
  G.frames.slice(0, 60).forEach((facts, i) => { const f = frameOf(i); out += `<tr class="${i === state.frame ? "now" : ""}"><td>${escaped(facts.name)}</td><td class="number">${num(f.data[v])}</td><td class="number">${num(f.grad[v])}</td></tr>`; });
  return out + "</tbody></table>";
}
function boxText(box) {
  const ops = new Map();
  for (const v of box.values) { const key = isResult(v) ? glyph(opName(v)) : isConstant(v) ? "constants" : "leaves"; ops.set(key, (ops.get(key) || 0) + 1); }
  const { data, grad } = stage.texts(box, state.t);
  let out = `<h2>${escaped(box.path || box.title)}</h2>`;
  if (box.scopes.length > 1) out += `<p>${box.scopes.length} boxes of equal shape; this is the first.</p>`;
  out += `<p>${box.values.length} values: ${[...ops].map(([op, n]) => `${n} ${escaped(op)}`).join(", ")}</p><p>${escaped([data, grad].filter(Boolean).join(", "))}</p>`;
  if (box.kind === "scope") out += `<p><button data-open="${box.index}">open ${escaped(scopeName(box.scopes[0]))}</button></p>`;
  const top = box.values.filter(v => !isConstant(v)).sort((a, b) => Math.abs(frame.grad[b]) - Math.abs(frame.grad[a])).slice(0, 12);
  out += `<h3>Largest gradients in it${state.t < frame.lastStep ? ", at the end" : ""}</h3><table><thead><tr><th>value</th><th class="number">number</th><th class="number">gradient</th></tr></thead><tbody>`;
  return out + top.map(v => `<tr><td>${link(v)}</td><td class="number">${num(frame.data[v])}</td><td class="number">${num(frame.grad[v])}</td></tr>`).join("") + "</tbody></table>";
}
$("panel").addEventListener("click", event => {
  const { go: to, all, open } = event.target.dataset;
  if (to !== undefined) find(Number(to));
  if (all) { state.allUses = true; renderPanel(); }
  if (open !== undefined) openBox(stage.boxes[Number(open)]);
});

// The table of the same numbers.
function listed() {
  const words = $("search").value.trim(), view = G.views[state.view], scope = view.kind === "inside" ? view.of + 1 : 0;
  const own = scope ? valuesIn(scope) : null, count = own ? own.length : N, found = [];
  for (let i = 0; i < count; i++) { const v = own ? own[i] : i; if (!words || matches(v, words.toLowerCase())) found.push(v); }
  return found;
}
function renderTable() {
  const rows = listed(), pages = Math.max(1, Math.ceil(rows.length / ROWS)), t = state.t;
  state.page = Math.min(state.page, pages - 1);
  const view = G.views[state.view], place = view.kind === "inside" ? ` in ${escaped(scopePath[view.of + 1])}` : "";
  let out = `<p>${rows.length} ${rows.length === 1 ? "value" : "values"}${place}${pages > 1 ? `, page ${state.page + 1} of ${pages} <button id="previous-rows">previous</button> <button id="next-rows">next</button>` : ""}</p>`;
  out += '<table><thead><tr><th>value</th><th>scope</th><th>made from</th><th class="number">number</th><th class="number">gradient</th></tr></thead><tbody>';
  for (const v of rows.slice(state.page * ROWS, (state.page + 1) * ROWS)) {
    const grad = isConstant(v) ? null : frame.gradAt(v, t), from = operandsOf(v);
    const words = expression(opName(v), from.map(s => name(s, frame)));
    out += `<tr class="${frame.active(t) === v ? "now" : ""}"><td>${link(v)}</td><td>${escaped(scopePath[G.scope[v]])}</td><td>${isResult(v) ? escaped(words) : isConstant(v) ? "a constant" : "a leaf"}</td>` +
      `<td class="number" title="${frame.data[v]}">${frame.isComputed(v, t) ? num(frame.data[v]) : "\u00b7"}</td><td class="number" title="${grad ?? ""}">${grad === null ? "-" : (frame.isSettled(v, t) ? "" : "so far ") + num(grad)}</td></tr>`;
  }
  $("list").innerHTML = out + "</tbody></table>";
}
$("list").addEventListener("click", event => {
  if (event.target.dataset.go !== undefined) find(Number(event.target.dataset.go));
  if (event.target.id === "previous-rows") { state.page = Math.max(0, state.page - 1); renderTable(); }
  if (event.target.id === "next-rows") { state.page++; renderTable(); }
});
function toggleTable(on = !state.list) {
  state.list = on;
  $("list").hidden = !on;
  $("stage").hidden = $("legend").hidden = on;
  $("table").setAttribute("aria-pressed", String(on));
  render();
}

// The overview: a picture that came with the page. What has data-scope opens that scope; with data-value, that value in it.
const places = [];
for (const element of $("overview").querySelectorAll("[data-scope]")) {
  const { scope: path, value } = element.dataset, scope = scopePath.indexOf(path);
  const v = scope < 0 || value === undefined ? -1 : valuesIn(scope).find(i => label(i) === value) ?? -1;
  if (scope < 0 || (value === undefined ? scope && !insideOf.has(scope) : v < 0)) continue;
  element.setAttribute("role", "button");
  element.setAttribute("tabindex", places.length ? "-1" : "0");
  element.setAttribute("aria-label", element.querySelector("title")?.textContent ?? (value || path));
  places.push({ element, scope, v });
}
$("overview").hidden = $("show-overview").hidden = !$("overview").querySelector("svg");
$("overview").querySelector("svg")?.setAttribute("role", "group");
function markOverview(active) {
  const view = G.views[state.view], inside = view.kind === "inside" ? view.of + 1 : 0;
  for (const { element, scope, v } of places) {
    const own = v >= 0 ? active === v || operandsOf(v).includes(active) : isUnder(active, scope);  // a value, or what it is made from
    element.classList.toggle("live", active >= 0 && own);
    if (v >= 0 ? state.chosen === v : inside === scope) element.setAttribute("aria-current", "true"); else element.removeAttribute("aria-current");
  }
}
function openPlace({ element, scope, v }) {
  focusPlace(element);
  if (v >= 0) { find(v); return; }
  setView(scope ? insideOf.get(scope) : state.over);
  choose(scope ? valuesIn(scope).at(-1) : -1);  // what the scope came to
  stage.fit(stage.least);
  stage.reveal(stage.boxOf[state.chosen] ?? -1);
}
function focusPlace(element) {
  for (const place of places) place.element.setAttribute("tabindex", place.element === element ? "0" : "-1");
  element.focus({ preventScroll: true });
}
const placeAt = event => places.findIndex(place => place.element === event.target.closest?.('[role="button"]'));
$("overview").addEventListener("click", event => { const i = placeAt(event); if (i >= 0) openPlace(places[i]); });
$("overview").addEventListener("keydown", event => {
  const i = placeAt(event), direction = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (i < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Enter" || event.key === " ") openPlace(places[i]);
  else if (direction) focusPlace(places[(i + direction + places.length) % places.length].element);
  else return;
  event.preventDefault();
  event.stopPropagation();
});
function toggleOverview(on = $("overview").hidden) {
  if ($("show-overview").hidden) return;
  $("overview").hidden = !on;
  $("show-overview").setAttribute("aria-pressed", String(on));
}

// Search.
function matches(v, words) {
  return label(v).toLowerCase().includes(words) || opName(v).toLowerCase() === words || glyph(opName(v)) === words || scopePath[G.scope[v]].toLowerCase().includes(words) || `#${v}` === words;
}
let hits = [], pointed = 0;
function search() {
  const words = $("search").value.trim().toLowerCase();
  hits = [];
  if (words) {
    for (let s = 1; s < scopePath.length && hits.length < 8; s++) if (scopeName(s).toLowerCase().includes(words) || scopePath[s].toLowerCase() === words) hits.push({ scope: s });
    for (const own of [v => label(v).toLowerCase().includes(words), v => !label(v).toLowerCase().includes(words) && matches(v, words)]) {
      for (let v = N - 1; v >= 0 && hits.length < 40; v--) if (own(v)) hits.push({ v });
    }
  }
  pointed = 0;
  drawHits(Boolean(words));
  if (state.list) { state.page = 0; renderTable(); }
}
function drawHits(open) {
  $("found").hidden = !open;
  $("search").setAttribute("aria-expanded", String(open));
  $("found").innerHTML = hits.length ? hits.map((hit, i) => {
    const inner = hit.scope ? `${escaped(scopeName(hit.scope))} <small>scope of ${valuesIn(hit.scope).length} values${parentScope(hit.scope) ? " in " + escaped(scopePath[parentScope(hit.scope)]) : ""}</small>`
      : `${escaped(title(hit.v) || name(hit.v, frame))} <small>${num(frame.data[hit.v])}${scopePath[G.scope[hit.v]] ? " in " + escaped(scopePath[G.scope[hit.v]]) : ""}</small>`;
    return `<li role="option" id="hit${i}" data-i="${i}" aria-selected="${i === pointed}">${inner}</li>`;
  }).join("") : "<li>nothing found</li>";
  if (hits.length) { $("search").setAttribute("aria-activedescendant", `hit${pointed}`); $(`hit${pointed}`).scrollIntoView({ block: "nearest" }); }
}
function take(i) {
  const hit = hits[i];
  if (!hit) return;
  drawHits(false);
  if (hit.scope) { setView(insideOf.get(hit.scope)); if (state.list) renderTable(); } else find(hit.v);
  $("search").blur();
}
$("search").addEventListener("input", search);
$("search").addEventListener("keydown", event => {
  if (event.key === "Enter") take(pointed);
  else if (event.key === "Escape") { $("search").value = ""; search(); $("search").blur(); }
  else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    if (hits.length) { pointed = (pointed + (event.key === "ArrowDown" ? 1 : hits.length - 1)) % hits.length; drawHits(true); }
    event.preventDefault();
  } else return;
  event.stopPropagation();
});
$("search").addEventListener("blur", () => setTimeout(() => drawHits(false), 150));
$("found").addEventListener("pointerdown", event => { const li = event.target.closest("[data-i]"); if (li) { event.preventDefault(); take(Number(li.dataset.i)); } });

// The address holds the place: step, view, value, frame.
function remember() {
  const parts = [`step=${state.t}`, `view=${state.view}`];
  if (state.chosen >= 0) parts.push(`value=${state.chosen}`);
  if (state.frame) parts.push(`frame=${state.frame}`);
  const hash = "#" + parts.join("&");
  clearTimeout(remember.timer);
  remember.timer = setTimeout(() => { try { history.replaceState(null, "", hash); } catch { /* a sandboxed frame has no address of its own */ } }, 120);
}
function recall() {
  const asked = new URLSearchParams(location.hash.slice(1)), whole = (key, most) => { const x = parseInt(asked.get(key), 10); return x >= 0 && x <= most ? x : undefined; };
  const view = whole("view", G.views.length - 1), f = whole("frame", G.frames.length - 1);
  if (f !== undefined) setFrame(f, false);
  state.t = whole("step", frame.lastStep) ?? frame.lastStep;
  state.chosen = whole("value", N - 1) ?? -1;
  setView(view ?? firstView());
}
function setFrame(i, redraw = true) {
  const atEnd = state.t === frame.lastStep;
  state.frame = i;
  frame = frameOf(i);
  $("frame").value = String(i);
  $("slider").max = frame.lastStep;
  $("legend").lastElementChild.textContent = `gradient - 0 +, full colour from ${num(frame.scale)}`;
  $("seam").style.left = `calc(8px + (100% - 16px) * ${frame.seedStep / Math.max(1, frame.lastStep)})`;
  if (!redraw) return;
  state.t = atEnd ? frame.lastStep : Math.min(state.t, frame.lastStep);
  stage.setFrame(frame);
  stage.update(state.t, null);
  render();
}

// Controls and keys.
for (const i of overviews) $("view").append(new Option(viewName(i), String(i)));
$("view").append(Object.assign(new Option("inside one scope", ""), { hidden: true }));
$("view").onchange = () => setView(Number($("view").value));
G.frames.forEach((facts, i) => $("frame").append(new Option(facts.name || "now", String(i))));
$("frame-label").hidden = G.frames.length < 2;
$("frame").onchange = () => setFrame(Number($("frame").value));
$("first").onclick = () => { play(false); go(0); };
$("back").onclick = () => { play(false); step(-1); };
$("play").onclick = () => play();
$("forward").onclick = () => { play(false); step(1); };
$("last").onclick = () => { play(false); go(frame.lastStep); };
$("slider").oninput = () => { play(false); go(Number($("slider").value)); };
$("in").onclick = () => stage.zoom(1.3);
$("out").onclick = () => stage.zoom(1 / 1.3);
$("fit").onclick = () => stage.fit();
$("table").onclick = () => toggleTable();
$("show-overview").onclick = () => toggleOverview();
$("help").onclick = () => $("guide").showModal();
const isDark = () => (document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
$("theme").onclick = () => { document.documentElement.dataset.theme = isDark() ? "light" : "dark"; named(); };
function named() { $("theme").textContent = isDark() ? "light" : "dark"; }
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", named);
$("svg").onclick = () => {
  const file = new Blob([stage.picture($("graph-style").textContent)], { type: "image/svg+xml" });
  const a = Object.assign(document.createElement("a"), { href: URL.createObjectURL(file), download: "graph.svg" });
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 1000);
};
const KEYS = {
  ArrowRight: () => { play(false); step(1); }, ArrowLeft: () => { play(false); step(-1); },
  Home: () => $("first").click(), End: () => $("last").click(), " ": () => play(),
  ArrowDown: () => stage.focus(document.activeElement.closest?.(".box") ? stage.focusBox + 1 : stage.focusBox),
  ArrowUp: () => stage.focus(document.activeElement.closest?.(".box") ? stage.focusBox - 1 : stage.focusBox),
  "+": () => stage.zoom(1.3), "=": () => stage.zoom(1.3), "-": () => stage.zoom(1 / 1.3), 0: () => stage.fit(),
  "/": () => $("search").focus(), t: () => toggleTable(), o: () => toggleOverview(), d: () => $("theme").click(), "?": () => $("help").click(),
  "[": () => setFrame((state.frame + G.frames.length - 1) % G.frames.length), "]": () => setFrame((state.frame + 1) % G.frames.length),
  ",": () => twin(-1), ".": () => twin(1),
  Escape: () => { if (state.chosen >= 0) choose(-1); else up(); },
};
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || $("guide").open) return;
  const tag = event.target.tagName, box = event.target.closest?.(".box");
  if (tag === "SELECT" || (tag === "INPUT" && event.target.type === "search")) return;
  if (tag === "INPUT" && /^Arrow|Home|End/.test(event.key)) { play(false); if (!/Left|Right/.test(event.key)) return; }
  if (tag === "BUTTON" && (event.key === " " || event.key === "Enter")) return;
  if (box && event.key === "Enter") { const b = stage.boxes[Number(box.dataset.i)]; stage.on.press(b); event.preventDefault(); return; }
  const act = KEYS[event.key];
  if (act) { act(); event.preventDefault(); }
});
addEventListener("hashchange", recall);
new ResizeObserver(() => {
  if (!stage.svg || state.list || stage.least === null) return;
  stage.fit(stage.least);
  stage.follow(state.chosen >= 0 ? state.chosen : frame.active(state.t));
}).observe($("stage"));

setFrame(0, false);
named();
recall();
window.explorer = { state, go, find, setView, setFrame, views: G.views, gradients: () => Array.from({ length: N }, (_, v) => frame.gradAt(v, state.t)), get frame() { return frame; }, stage };

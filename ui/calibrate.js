// Draws lines and zones on a picture of the street with nobody in it. All text goes in by textContent, all shapes by
// attributes: a name can hold whatever somebody types. Points are in pixels of the camera's picture. The ground is four
// places on it; the squares and shades that are drawn by them are for the eye alone, nothing is measured here.

const TEXTS = {
  en: {
    title: "Draw what is counted", street: "The street", tools: "Tools", drawing: "Picture of the street with what is drawn on it",
    line: "Line", zone: "Zone", blank: "Do not look", undo: "Undo", redo: "Redo", camera: "Name of the camera", ground: "Ground", places: "Lines, zones, the ground, and where nobody looks",
    none: "Nothing yet. Choose Line or Zone, then draw on the picture.", try: "Count the file", save: "Save",
    waiting: "The picture is being made. Whoever passes is left out, so this takes a moment.",
    hint: "Drag points and shapes; arrow keys move a point by a pixel, with Shift by ten. Delete takes it away. A zone is closed by its first point or Enter; Esc gives up. Ground: the four corners of a rectangle on the ground, one after the other, whose sides you have measured; or any four places on it that you know.",
    patched: "{percent} of the picture is shown as flat patches: somebody was there most of the time.",
    promise: "The picture shows what stayed where it was for half of the time, so nobody who passed; whoever sat or stood there all the while is in it. It is shown on this page alone and kept nowhere.",
    written: "What was written", saved: "Written: {path}. To count: outis watch {path}",
    turn: "Turn round", turnName: "Turn {name} round", drop: "Remove", dropName: "Remove {name}",
    lineName: "line {n}", zoneName: "zone {n}", blankName: "blank {n}", kindLine: "Line", kindZone: "Zone", kindBlank: "Nobody looks here",
    groundName: "ground", kindGround: "Four places on the ground", side: "Corner {i} to {j}, in metres",
    byPlaces: "No rectangle: type where each corner is", placeOf: "Corner {i}, {axis} in metres",
    calibrated: "The ground is that of the calibration; none is to be drawn.",
    known: "How well distances are known:", good: "good, within 10 %", fair: "fair, within 20 %", poor: "poor, or no ground",
    knownLabel: "Where distances are good ({good} of the picture) and fair ({fair})",
    find: "Find the ground from who walks by", giveUp: "Give up", enough: "Use who was seen", finding: "Watching people: {seconds} s of the file.",
    watching: "Watching people for {seconds} s. It takes at least {people} who walk by and are seen from head to foot, better a hundred. After {minutes} min it ends by itself.",
    fitting: "The ground is being found under those who were seen.",
    nobody: "No ground was found in {seconds} s: it takes at least {people} people who walk and are seen from head to foot, no larger than a third of the picture. What is drawn stays; try again for longer, or when more people pass.",
    brokeOff: "The source broke off.", slow: "This machine was too slow to look at all of it.",
    found: "Found from {people} people, and laid on the street as a rectangle. Distances are good in {good} of the picture, fair in another {fair}. Nobody measured anything: check one length that you know.",
    notFound: "No ground was found: {why}", squares: "Squares of one metre. Do they lie flat, and is what you know as long as it should be? They end where a metre is smaller than {px} pixels.",
    point: "{name}, point {i} of {n}: {x}, {y}. Arrow keys move it.", between: "{name}: add a corner between {i} and {j}",
    added: "{name} added.", removed: "{name} removed.", undone: "Undone.", redone: "Done again.", turned: "{name} turned round.",
    moved: "{x}, {y}", line_counts: "{forward} forward, {backward} back", zone_counts: "{entered} in, {left} out, {now} now",
    counting: "Counting: {seconds} s of the file.", counted: "Counted to its end.", countFailed: "It could not be counted: {why}", lost: "No answer: the program has ended.",
    unsaved: "Changed since it was saved.", uncounted: "Changed since it was counted.",
  },
  fr: {
    title: "Dessiner ce qui est compté", street: "La rue", tools: "Outils", drawing: "Image de la rue avec ce qui y est dessiné",
    line: "Ligne", zone: "Zone", blank: "Ne pas regarder", undo: "Annuler", redo: "Rétablir", camera: "Nom de la caméra", ground: "Sol", places: "Lignes, zones, le sol, et où personne ne regarde",
    none: "Rien encore. Choisissez Ligne ou Zone, puis dessinez sur l’image.", try: "Compter le fichier", save: "Enregistrer",
    waiting: "L’image se prépare. Les passants en sont retirés, cela prend un moment.",
    hint: "Faites glisser points et formes ; les flèches déplacent un point d’un pixel, avec Maj de dix. Suppr l’enlève. Une zone se ferme par son premier point ou Entrée ; Échap abandonne. Sol : les quatre coins d’un rectangle au sol, l’un après l’autre, dont vous avez mesuré les côtés ; ou quatre points quelconques que vous connaissez.",
    patched: "{percent} de l’image est montré en aplats : quelqu’un y était la plupart du temps.",
    promise: "L’image montre ce qui est resté en place la moitié du temps, donc aucun passant ; qui y est resté assis ou debout tout du long s’y trouve. Elle n’est montrée que sur cette page et n’est conservée nulle part.",
    written: "Ce qui a été écrit", saved: "Écrit : {path}. Pour compter : outis watch {path}",
    turn: "Retourner", turnName: "Retourner {name}", drop: "Supprimer", dropName: "Supprimer {name}",
    lineName: "ligne {n}", zoneName: "zone {n}", blankName: "masque {n}", kindLine: "Ligne", kindZone: "Zone", kindBlank: "Personne ne regarde ici",
    groundName: "sol", kindGround: "Quatre points du sol", side: "Du coin {i} au coin {j}, en mètres",
    byPlaces: "Pas un rectangle : saisir où est chaque coin", placeOf: "Coin {i}, {axis} en mètres",
    calibrated: "Le sol est celui de l’étalonnage ; il n’y a rien à dessiner.",
    known: "Précision des distances :", good: "bonne, à 10 % près", fair: "passable, à 20 % près", poor: "mauvaise, ou pas de sol",
    knownLabel: "Où les distances sont bonnes ({good} de l’image) et passables ({fair})",
    find: "Trouver le sol d’après les passants", giveUp: "Abandonner", enough: "Utiliser les passants vus", finding: "Observation des passants : {seconds} s du fichier.",
    watching: "Observation des passants depuis {seconds} s. Il en faut au moins {people} qui marchent et sont vus de la tête aux pieds, mieux une centaine. Elle s’arrête d’elle-même au bout de {minutes} min.",
    fitting: "Le sol est recherché sous les passants vus.",
    nobody: "Aucun sol trouvé en {seconds} s : il faut au moins {people} personnes qui marchent et sont vues de la tête aux pieds, pas plus grandes qu’un tiers de l’image. Ce qui est dessiné reste ; recommencez plus longtemps, ou quand il passe plus de monde.",
    brokeOff: "La source s’est interrompue.", slow: "Cette machine était trop lente pour tout regarder.",
    found: "Trouvé d’après {people} personnes, et posé dans la rue comme un rectangle. Les distances sont bonnes dans {good} de l’image, passables dans {fair} de plus. Personne n’a rien mesuré : vérifiez une longueur que vous connaissez.",
    notFound: "Aucun sol trouvé : {why}", squares: "Carrés d’un mètre. Sont-ils à plat, et ce que vous connaissez a-t-il la bonne longueur ? Ils s’arrêtent là où un mètre fait moins de {px} pixels.",
    point: "{name}, point {i} sur {n} : {x}, {y}. Les flèches le déplacent.", between: "{name} : ajouter un coin entre {i} et {j}",
    added: "{name} : ajout.", removed: "{name} : suppression.", undone: "Annulé.", redone: "Rétabli.", turned: "{name} : sens inversé.",
    moved: "{x}, {y}", line_counts: "{forward} aller, {backward} retour", zone_counts: "{entered} entrées, {left} sorties, {now} présents",
    counting: "Comptage : {seconds} s du fichier.", counted: "Compté jusqu’à la fin.", countFailed: "Comptage impossible : {why}", lost: "Pas de réponse : le programme a pris fin.",
    unsaved: "Modifié depuis l’enregistrement.", uncounted: "Modifié depuis le comptage.",
  },
};

const language = navigator.language.toLowerCase().startsWith("fr") ? "fr" : "en";
const texts = TEXTS[language];
const SVG = "http://www.w3.org/2000/svg";
// A metre that is smaller than this cannot be told from the jitter of a foot; and nobody measures farther than this.
const METRE_PX_MIN = 6, METRES_MAX = 60;
const GROUND_CORNERS = 4;
// Cells in which it is shown how well distances are known, across and down: those in which the eye tells it.
const KNOWN_GRID = [12, 8];
// A hand hits a corner within so many pixels of the screen; a foot is known to 2 % of a person of 1.7 m, and half of that
// when it is followed; what is judged is a distance of 2 m. As the eye judges a ground that it has found itself.
const HAND_PX = 2, FOOT_SHARE = 0.01, PERSON_M = 1.7, DISTANCE_M = 2, GOOD = 0.1, FAIR = 0.2;
const CORNERS_MIN = 3, CORNERS_MAX = 64, NEAR_PX = 14, HISTORY_MAX = 200;
const POLL_MS = 500, CHECK_MS = 300;

const $ = (id) => document.getElementById(id);
const drawing = $("drawing");
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);
const say = (text) => { $("spoken").textContent = text; };
const copy = (value) => JSON.parse(JSON.stringify(value));
const whole = (value) => Math.round(10 * value) / 10;

let size = [1, 1];
let shapes = [];            // { id, kind, name, points }, the ground with sides, or places (null for a rectangle), as typed
let past = [], future = [];
let chosen = null, tool = null;
let sketch = null;          // points of what is being drawn
let hover = null;
let nextId = 1, counts = null, savedAs = null;
let calibration = null;     // a ground that is not drawn: { place, locate }

// ---- what is drawn, and how it came to be

const state = () => copy(shapes);

/** Remembers what was before a change. */
function remember(before = state()) {
  past.push(before);
  if (past.length > HISTORY_MAX) past.shift();
  future = [];
}

function changed(spoken) {
  forgetCounts();
  // What was said of a ground that was found holds for that one alone.
  if (!searching && !shapes.some((shape) => shape.found)) $("finding").textContent = "";
  render();
  check();
  if (spoken) say(spoken);
}

function undo(from, to, spoken) {
  if (!from.length) return;
  to.push(state());
  shapes = from.pop();
  if (!shapes.some((shape) => shape.id === chosen)) chosen = null;
  changed(spoken);
}

function freeName(kind) {
  const text = texts[`${kind}Name`];
  if (kind === "ground") return text;
  for (let n = 1; ; n++) {
    const name = fill(text, { n });
    if (!shapes.some((shape) => shape.name === name)) return name;
  }
}

function add(kind, points) {
  remember();
  // There is one ground.
  const before = kind === "ground" ? shapes.find((other) => other.kind === kind) : undefined;
  shapes = shapes.filter((other) => other !== before);
  const shape = { id: nextId++, kind, name: freeName(kind), points: points.map(inside) };
  if (kind === "ground") {
    shape.sides = before?.sides ?? ["", ""];
    shape.places = before?.places ?? null;
  }
  shapes.push(shape);
  chosen = shape.id;
  choose(null);
  changed(fill(texts.added, shape));
  return shape;
}

function drop(shape) {
  remember();
  shapes = shapes.filter((other) => other.id !== shape.id);
  if (chosen === shape.id) chosen = null;
  changed(fill(texts.removed, shape));
}

const inside = ([x, y]) => [whole(Math.min(Math.max(x, 0), size[0])), whole(Math.min(Math.max(y, 0), size[1]))];

/** The whole shape, moved as far as the picture's border lets it. */
function shifted(points, dx, dy) {
  const xs = points.map(([x]) => x), ys = points.map(([, y]) => y);
  const limit = (by, values, most) => Math.min(Math.max(by, -Math.min(...values)), most - Math.max(...values));
  const [right, down] = [limit(dx, xs, size[0]), limit(dy, ys, size[1])];
  return points.map(([x, y]) => inside([x + right, y + down]));
}

// ---- the picture

const element = (name, attributes, parent) => {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  parent?.append(made);
  return made;
};
const path = (points, closed) => `M${points.map(([x, y]) => `${x} ${y}`).join("L")}${closed ? "Z" : ""}`;

/** Pixels of the picture in a pixel of the screen. */
const scale = () => size[0] / (drawing.clientWidth || size[0]);

function at(event) {
  const box = drawing.getBoundingClientRect();
  return [((event.clientX - box.left) * size[0]) / box.width, ((event.clientY - box.top) * size[1]) / box.height];
}

function render() {
  const focus = document.activeElement?.dataset?.handle;
  drawing.querySelectorAll(".shape, .sketch, .metre, .known").forEach((old) => old.remove());
  const unit = scale();
  renderGround(shapes.find((shape) => shape.kind === "ground"), unit);
  for (const shape of shapes) renderShape(shape, unit);
  if (sketch) {
    const points = hover ? [...sketch, hover] : sketch;
    element("path", { class: "sketch", d: path(points, false) }, drawing);
    if (tool !== "line") element("circle", { class: "sketch", cx: sketch[0][0], cy: sketch[0][1], r: NEAR_PX * unit }, drawing);
  }
  if (focus) drawing.querySelector(`[data-handle="${focus}"]`)?.focus();
  renderPlaces();
  $("undo").disabled = !past.length;
  $("redo").disabled = !future.length;
}

function renderShape(shape, unit) {
  const closed = shape.kind !== "line";
  const group = element("g", { class: `shape ${shape.kind}${shape.id === chosen ? " chosen" : ""}`, "data-id": shape.id }, drawing);
  const d = path(shape.points, closed);
  if (closed) element("path", { class: "area", d }, group);
  element("path", { class: "edge", d }, group);
  element("path", { class: "stroke", d }, group);
  element("path", { class: "catch", d }, group);
  const middle = shape.points.reduce(([a, b], [x, y]) => [a + x / shape.points.length, b + y / shape.points.length], [0, 0]);
  if (!closed) {
    // Forward is from the left of the line to its right, looking from its first point to its second; y points down.
    const [[x1, y1], [x2, y2]] = shape.points;
    const length = Math.hypot(x2 - x1, y2 - y1) || 1, reach = 34 * unit;
    const to = [middle[0] - ((y2 - y1) / length) * reach, middle[1] + ((x2 - x1) / length) * reach];
    element("path", { class: "arrow", d: path([middle, to], false), "marker-end": "url(#arrow)" }, group);
  }
  const label = element("text", { class: "label", x: middle[0] + 8 * unit, y: middle[1] - 10 * unit, "font-size": 15 * unit, "stroke-width": 4 * unit }, group);
  label.textContent = shape.name;
  if (closed && shape.kind !== "ground") shape.points.forEach((point, i) => renderBetween(shape, i, point, unit, group));
  shape.points.forEach((point, i) => renderHandle(shape, i, point, unit, group));
}

// ---- the ground

/** The sides in metres, or null while one is not typed. */
function sidesOf(shape) {
  const sides = shape.sides.map(Number);
  return !shape.places && sides.every((side) => side > 0 && Number.isFinite(side)) ? sides : null;
}

/** Where the corners are in metres, each null while it is not typed; null for a rectangle. */
const placesOf = (shape) => shape.places?.map((pair) => (pair.every((text) => text.trim() !== "" && Number.isFinite(Number(text))) ? pair.map(Number) : null)) ?? null;

/** Where the corners are on the ground, or null while something is not typed. */
function metresOf(shape) {
  const places = placesOf(shape);
  if (places) return places.every(Boolean) ? places : null;
  const sides = sidesOf(shape);
  return sides && [[0, 0], [sides[0], 0], sides, [0, sides[1]]];
}

/** The projective map of the unit square onto four corners (Heckbert 1989), row by row. */
function ofSquare([[x0, y0], [x1, y1], [x2, y2], [x3, y3]]) {
  const [dx1, dx2, sx] = [x1 - x2, x3 - x2, x0 - x1 + x2 - x3];
  const [dy1, dy2, sy] = [y1 - y2, y3 - y2, y0 - y1 + y2 - y3];
  const all = dx1 * dy2 - dx2 * dy1;
  const [g, h] = [(sx * dy2 - dx2 * sy) / all, (dx1 * sy - sx * dy1) / all];
  return [x1 - x0 + g * x1, x3 - x0 + h * x3, x0, y1 - y0 + g * y1, y3 - y0 + h * y3, y0, g, h, 1];
}

const times = (a, b) => a.map((_, i) => [0, 1, 2].reduce((sum, k) => sum + a[3 * Math.floor(i / 3) + k] * b[3 * k + (i % 3)], 0));
const inverse = ([a, b, c, d, e, f, g, h, i]) => [e * i - f * h, c * h - b * i, b * f - c * e, f * g - d * i, a * i - c * g, c * d - a * f, d * h - e * g, b * g - a * h, a * e - b * d];

/** Four corners and where they are on the ground, as two ways between metres and the picture. */
function planeOf(points, metres) {
  const there = times(ofSquare(points), inverse(ofSquare(metres)));
  const back = inverse(there);
  // Whatever is before the camera has the sign of what was drawn.
  const through = (map, sign) => (x, y) => {
    const near = sign * (map[6] * x + map[7] * y + map[8]);
    return near > 1e-9 ? [(sign * (map[0] * x + map[1] * y + map[2])) / near, (sign * (map[3] * x + map[4] * y + map[5])) / near] : null;
  };
  const sign = (map, [x, y]) => Math.sign(map[6] * x + map[7] * y + map[8]);
  return { place: through(there, sign(there, metres[0])), locate: through(back, sign(back, points[0])), about: metres[0] };
}

/** A camera of Tsai's method, by its thirteen numbers. */
function planeOfCalibration([focal, kappa, cx, cy, sx, dpx, dpy, tx, ty, tz, rx, ry, rz]) {
  const [sa, ca, sb, cb, sg, cg] = [rx, ry, rz].flatMap((angle) => [Math.sin(angle), Math.cos(angle)]);
  const turn = [[cb * cg, cg * sa * sb - ca * sg], [cb * sg, sa * sb * sg + ca * cg], [-sb, cb * sa]];
  const shift = [tx, ty, tz];
  const place = (x, y) => {
    const [a, b, depth] = turn.map(([u, v], i) => u * x + v * y + shift[i]);
    if (!(depth > 1e-6)) return null;
    const [straightX, straightY] = [(focal * a) / depth, (focal * b) / depth];
    const straight = Math.hypot(straightX, straightY);
    let bent = straight;
    for (let step = 0; step < 20; step++) bent -= (bent + kappa * bent ** 3 - straight) / (1 + 3 * kappa * bent ** 2);
    const by = straight > 0 ? bent / straight : 1;
    return [(straightX * by * sx) / dpx + cx, (straightY * by) / dpy + cy];
  };
  // Of x and y on the ground and their depth, the picture is a linear map.
  const view = turn.flatMap(([u, v], i) => [u, v, shift[i]].map((value) => (i < 2 ? focal * value : value)));
  const back = inverse(view);
  const whole = [0, 1, 2].reduce((sum, k) => sum + view[k] * back[3 * k], 0);
  const locate = (x, y) => {
    const [u, v] = [((x - cx) * dpx) / sx, (y - cy) * dpy];
    const by = 1 + kappa * (u * u + v * v);
    const [a, b, near] = [0, 3, 6].map((row) => (back[row] * u * by + back[row + 1] * v * by + back[row + 2]) / whole);
    return near > 1e-9 ? [a / near, b / near] : null;
  };
  return { place, locate, about: locate(size[0] / 2, 0.7 * size[1]) ?? locate(size[0] / 2, size[1]) ?? [0, 0] };
}

/** Squares of a metre, and where distances are known. */
function renderGround(shape, unit) {
  const metres = shape && metresOf(shape);
  const plane = calibration ?? (metres && planeOf(shape.points, metres));
  if (!plane) return;
  renderMetres(plane);
  const cells = shape?.found?.quality ?? knownBy(plane, shape && ((points) => planeOf(points, metres)), shape?.points, unit);
  renderKnown(cells);
}

/** How well distances are known in each cell: a letter each, as the eye tells it of a ground that it has found. */
function knownBy(plane, moved, points, unit) {
  const [columns, rows] = KNOWN_GRID;
  const length = ({ locate }, [x, y], [dx, dy]) => {
    const [a, b] = [locate(x - dx / 2, y - dy / 2), locate(x + dx / 2, y + dy / 2)];
    return a && b ? Math.hypot(a[0] - b[0], a[1] - b[1]) : NaN;
  };
  // Each coordinate of each corner may be a hand's breadth off.
  const hand = HAND_PX * unit;
  const others = (points ?? []).flatMap((_, i) => [[hand, 0], [0, hand]].map(([dx, dy]) => moved(points.map(([x, y], k) => (k === i ? [x + dx, y + dy] : [x, y])))));
  const error = (at) => Math.max(...[[2, 0], [0, 2]].map((step) => {
    const here = length(plane, at, step);
    const drawn = others.reduce((sum, other) => sum + Math.log(length(other, at, step) / here) ** 2, 0);
    // A metre across tells how tall people are there.
    const person = (PERSON_M * 2) / length(plane, at, [2, 0]);
    const foot = (Math.SQRT2 * FOOT_SHARE * person * here) / 2 / DISTANCE_M;
    return Math.sqrt(drawn + foot * foot);
  }));
  return Array.from({ length: columns * rows }, (_, cell) => {
    const at = [(((cell % columns) + 0.5) * size[0]) / columns, ((Math.floor(cell / columns) + 0.5) * size[1]) / rows];
    const known = error(at);
    return known <= GOOD ? "g" : known <= FAIR ? "f" : "p";
  }).join("");
}

const percent = (share, digits = 0) => new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: digits }).format(share);

function renderKnown(cells) {
  const [columns, rows] = KNOWN_GRID;
  const share = (letter) => percent([...cells].filter((cell) => cell === letter).length / cells.length);
  const group = element("g", { class: "known", role: "img", "aria-label": fill(texts.knownLabel, { good: share("g"), fair: share("f") }) });
  [...cells].forEach((cell, index) => {
    if (cell === "p") return;
    const [x, y] = [((index % columns) * size[0]) / columns, (Math.floor(index / columns) * size[1]) / rows];
    element("rect", { class: cell === "g" ? "good" : "fair", x, y, width: size[0] / columns, height: size[1] / rows }, group);
  });
  drawing.querySelector("image").after(group);
}

/** Squares of a metre, as far as they can be told from each other. */
function renderMetres({ place, about }) {
  const [fromX, fromY] = about.map((metres) => Math.floor(metres) - METRES_MAX);
  const seen = ([x, y]) => x > -size[0] && x < 2 * size[0] && y > -size[1] && y < 2 * size[1];
  let d = "";
  // A square is told from its neighbours when it is neither too narrow nor too flat: its area over its longer side.
  const told = ([x, y], [a, b], [c, d]) => {
    const [p, q, r, s] = [a - x, b - y, c - x, d - y];
    return Math.abs(p * s - q * r) >= METRE_PX_MIN * Math.max(Math.hypot(p, q), Math.hypot(r, s));
  };
  const edge = (a, b) => { d += `M${whole(a[0])} ${whole(a[1])}L${whole(b[0])} ${whole(b[1])}`; };
  const column = (x) => Array.from({ length: 2 * METRES_MAX + 1 }, (_, row) => place(x, fromY + row));
  let before = null;
  for (let i = 0; i <= 2 * METRES_MAX; i++) {
    const here = column(fromX + i);
    here.forEach((point, row) => {
      const [beside, behind] = [before?.[row], here[row + 1]];
      if (!point || !beside || !behind || !seen(point) || !told(point, beside, behind)) return;
      edge(beside, point);
      edge(point, behind);
    });
    before = here;
  }
  drawing.querySelector("image").after(element("path", { class: "metre", d }));
}

function renderHandle(shape, i, [x, y], unit, group) {
  const name = fill(texts.point, { name: shape.name, i: i + 1, n: shape.points.length, x: Math.round(x), y: Math.round(y) });
  element("circle", { class: "handle", cx: x, cy: y, r: 9 * unit, tabindex: 0, role: "button", "aria-label": name, "data-handle": `${shape.id}-${i}`, "data-id": shape.id, "data-point": i }, group);
}

function renderBetween(shape, i, [x, y], unit, group) {
  if (shape.points.length >= CORNERS_MAX) return;
  const j = (i + 1) % shape.points.length, [u, v] = shape.points[j];
  if (Math.hypot(u - x, v - y) < 50 * unit) return;
  const name = fill(texts.between, { name: shape.name, i: i + 1, j: j + 1 });
  element("circle", { class: "between", cx: (x + u) / 2, cy: (y + v) / 2, r: 6 * unit, tabindex: 0, role: "button", "aria-label": name, "data-handle": `${shape.id}-${i}+`, "data-id": shape.id, "data-between": i }, group);
}

// ---- the list beside it

function renderPlaces() {
  const list = $("places");
  $("none").hidden = shapes.length > 0;
  for (const old of [...list.children]) if (!shapes.some((shape) => String(shape.id) === old.dataset.id)) old.remove();
  for (const shape of shapes) {
    let item = list.querySelector(`[data-id="${shape.id}"]`);
    if (!item) {
      item = $("place").content.firstElementChild.cloneNode(true);
      item.dataset.id = shape.id;
      item.classList.add(shape.kind);
      item.querySelector(".kind").textContent = { line: texts.kindLine, zone: texts.kindZone, blank: texts.kindBlank, ground: texts.kindGround }[shape.kind];
      item.querySelectorAll(".sides span").forEach((span, i) => { span.textContent = fill(texts.side, { i: i + 1, j: i + 2 }); });
      item.querySelectorAll(".corners span").forEach((span, i) => { span.textContent = fill(texts.placeOf, { i: Math.floor(i / 2) + 1, axis: "xy"[i % 2] }); });
      item.querySelector(".by-places").hidden = shape.kind !== "ground";
      for (const labelled of item.querySelectorAll("[data-text]")) labelled.textContent = texts[labelled.dataset.text];
      item.querySelector(".name").readOnly = shape.kind === "ground";
      list.append(item);
    }
    const input = item.querySelector(".name");
    if (document.activeElement !== input) input.value = shape.name;
    item.querySelector(".sides").hidden = shape.kind !== "ground" || Boolean(shape.places);
    item.querySelector(".corners").hidden = !shape.places;
    item.querySelector(".by-places input").checked = Boolean(shape.places);
    item.querySelectorAll(".side").forEach((side, i) => {
      if (shape.sides && document.activeElement !== side) side.value = shape.sides[i];
    });
    item.querySelectorAll(".corner").forEach((corner, i) => {
      if (shape.places && document.activeElement !== corner) corner.value = shape.places[Math.floor(i / 2)][i % 2];
    });
    item.querySelector(".legend").hidden = shape.kind !== "ground" || !metresOf(shape);
    const turn = item.querySelector(".turn"), gone = item.querySelector(".drop");
    turn.hidden = shape.kind !== "line";
    turn.textContent = texts.turn;
    gone.textContent = texts.drop;
    turn.setAttribute("aria-label", fill(texts.turnName, shape));
    gone.setAttribute("aria-label", fill(texts.dropName, shape));
    item.querySelector(".counts").textContent = countsOf(shape);
  }
}

function countsOf(shape) {
  if (shape.kind === "blank") return "";
  if (shape.kind === "ground") return metresOf(shape) ? fill(texts.squares, { px: METRE_PX_MIN }) : "";
  const places = counts?.[shape.kind === "line" ? "lines" : "zones"] ?? [];
  const found = places.find((place) => place.name === shape.name);
  if (!found) return "";
  if (shape.kind === "line") return fill(texts.line_counts, found);
  return fill(texts.zone_counts, { ...found, now: found.occupancy?.now ?? "–" });
}

const shapeOf = (target) => shapes.find((shape) => String(shape.id) === target.closest?.("[data-id]")?.dataset.id);

$("places").addEventListener("input", (event) => {
  const shape = shapeOf(event.target);
  if (!shape) return;
  if (!event.target.dataset.before) {
    event.target.dataset.before = "1";
    remember();
  }
  const [sides, corners] = [".side", ".corner"].map((kind) => [...event.target.closest("[data-id]").querySelectorAll(kind)]);
  const [side, corner] = [sides.indexOf(event.target), corners.indexOf(event.target)];
  if (event.target.matches(".by-places input")) {
    // A rectangle whose sides are known is a beginning.
    const metres = metresOf(shape)?.map((pair) => pair.map(String));
    shape.places = event.target.checked ? (metres ?? shape.points.map(() => ["", ""])) : null;
  } else if (side >= 0) shape.sides[side] = event.target.value;
  else if (corner >= 0) shape.places[Math.floor(corner / 2)][corner % 2] = event.target.value;
  else shape.name = event.target.value;
  if (shape.kind === "ground") delete shape.found;
  changed();
});
$("places").addEventListener("focusout", (event) => delete event.target.dataset.before);
$("places").addEventListener("click", (event) => {
  const shape = shapeOf(event.target);
  if (!shape) return;
  if (event.target.matches(".drop")) drop(shape);
  if (event.target.matches(".turn")) {
    remember();
    shape.points.reverse();
    changed(fill(texts.turned, shape));
  }
});
$("places").addEventListener("focusin", (event) => {
  chosen = shapeOf(event.target)?.id ?? null;
  drawing.querySelectorAll(".shape").forEach((group) => group.classList.toggle("chosen", group.dataset.id === String(chosen)));
});

// ---- tools

function choose(next) {
  tool = next;
  sketch = hover = null;
  for (const id of ["line", "zone", "blank", "ground"]) $(id).setAttribute("aria-pressed", String(tool === id));
  drawing.classList.toggle("drawing-new", tool !== null);
}

for (const kind of ["line", "zone", "blank", "ground"]) {
  $(kind).addEventListener("click", (event) => {
    if (!size) return;
    if (event.detail === 0) return place(kind);
    choose(tool === kind ? null : kind);
    render();
  });
}

/** By the keyboard there is nothing to click with: a shape in the middle of the picture, to be moved by its points. */
function place(kind) {
  const [w, h] = size;
  const lying = [[0.4, 0.8], [0.6, 0.8], [0.56, 0.6], [0.44, 0.6]].map(([x, y]) => [x * w, y * h]);
  const points = kind === "ground" ? lying : kind === "line" ? [[0.35 * w, 0.5 * h], [0.65 * w, 0.5 * h]] : [[0.4, 0.4], [0.6, 0.4], [0.6, 0.6], [0.4, 0.6]].map(([x, y]) => [x * w, y * h]);
  const shape = add(kind, points);
  drawing.querySelector(`[data-handle="${shape.id}-0"]`)?.focus();
}

function closeSketch() {
  const points = sketch;
  const enough = { line: points?.length === 2, ground: points?.length === GROUND_CORNERS }[tool] ?? points?.length >= CORNERS_MIN;
  if (enough) add(tool, points);
}

$("undo").addEventListener("click", () => undo(past, future, texts.undone));
$("redo").addEventListener("click", () => undo(future, past, texts.redone));

// ---- mouse and touch

let drag = null; // { shape, point (or null for the whole), from, points, before, moved }

drawing.addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return;
  const point = at(event);
  if (tool) {
    event.preventDefault();
    const near = sketch && Math.hypot(point[0] - sketch[0][0], point[1] - sketch[0][1]) < NEAR_PX * scale();
    if (["zone", "blank"].includes(tool) && sketch?.length >= CORNERS_MIN && near) return closeSketch();
    if (sketch?.length >= CORNERS_MAX) return closeSketch();
    sketch = [...(sketch ?? []), inside(point)];
    drawing.setPointerCapture(event.pointerId);
    if (tool === "line" && sketch.length === 2) return closeSketch();
    if (tool === "ground" && sketch.length === GROUND_CORNERS) return closeSketch();
    return render();
  }
  const shape = shapeOf(event.target);
  chosen = shape?.id ?? null;
  if (!shape) return render();
  const before = state();
  let index = event.target.dataset.point === undefined ? null : Number(event.target.dataset.point);
  let moved = false;
  if (event.target.dataset.between !== undefined) {
    index = Number(event.target.dataset.between) + 1;
    shape.points.splice(index, 0, inside(point));
    moved = true;
  }
  drag = { shape, index, from: point, points: copy(shape.points), before, moved };
  drawing.setPointerCapture(event.pointerId);
  render();
  if (index !== null) drawing.querySelector(`[data-handle="${shape.id}-${index}"]`)?.focus();
  event.preventDefault();
});

drawing.addEventListener("pointermove", (event) => {
  const point = at(event);
  if (tool && sketch) {
    hover = inside(point);
    return render();
  }
  if (!drag) return;
  const [dx, dy] = [point[0] - drag.from[0], point[1] - drag.from[1]];
  if (!drag.moved && Math.hypot(dx, dy) < 3 * scale()) return;
  drag.moved = true;
  if (drag.index === null) drag.shape.points = shifted(drag.points, dx, dy);
  else {
    const [x, y] = drag.points[drag.index];
    drag.shape.points[drag.index] = inside([x + dx, y + dy]);
  }
  render();
});

drawing.addEventListener("pointerup", (event) => {
  // A line may be drawn in one stroke as well as by two clicks.
  if (tool === "line" && sketch?.length === 1) {
    const point = inside(at(event));
    if (Math.hypot(point[0] - sketch[0][0], point[1] - sketch[0][1]) > NEAR_PX * scale()) {
      sketch.push(point);
      closeSketch();
    }
    return;
  }
  const ended = drag;
  drag = null;
  if (ended?.moved) {
    remember(ended.before);
    delete ended.shape.found;
    changed();
  }
});
drawing.addEventListener("pointercancel", () => {
  if (drag) shapes = drag.before;
  drag = null;
  render();
});

// ---- keys

drawing.addEventListener("keydown", (event) => {
  const shape = shapeOf(event.target);
  const { point, between } = event.target.dataset;
  if (!shape) return;
  const step = event.shiftKey ? 10 : 1;
  const by = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
  if (by && point !== undefined) {
    event.preventDefault();
    remember();
    const [x, y] = shape.points[point];
    shape.points[point] = inside([x + by[0], y + by[1]]);
    delete shape.found;
    const [u, v] = shape.points[point];
    changed(fill(texts.moved, { x: Math.round(u), y: Math.round(v) }));
  } else if ((event.key === "Enter" || event.key === " ") && between !== undefined) {
    event.preventDefault();
    remember();
    const i = Number(between), j = (i + 1) % shape.points.length;
    const [[x, y], [u, v]] = [shape.points[i], shape.points[j]];
    shape.points.splice(i + 1, 0, inside([(x + u) / 2, (y + v) / 2]));
    changed();
    drawing.querySelector(`[data-handle="${shape.id}-${i + 1}"]`)?.focus();
  } else if (event.key === "Delete" || event.key === "Backspace") {
    event.preventDefault();
    if (point === undefined || shape.kind === "ground" || shape.points.length <= CORNERS_MIN) {
      drop(shape);
      $(shape.kind).focus();
      return;
    }
    remember();
    shape.points.splice(Number(point), 1);
    changed();
    drawing.querySelector(`[data-handle="${shape.id}-${Math.max(0, point - 1)}"]`)?.focus();
  }
});

document.addEventListener("keydown", (event) => {
  const typing = event.target.matches?.("input");
  if (event.key === "Escape" && tool) {
    choose(null);
    render();
  } else if (event.key === "Enter" && sketch && !typing) {
    event.preventDefault();
    closeSketch();
  } else if ((event.ctrlKey || event.metaKey) && !typing && event.key.toLowerCase() === "z") {
    event.preventDefault();
    if (event.shiftKey) undo(future, past, texts.redone);
    else undo(past, future, texts.undone);
  }
});

window.addEventListener("resize", render);

// ---- the program behind the page

const foundFrom = ({ found }) => found ? { people: found.people, good_percent: found.good_percent, fair_percent: found.fair_percent } : null;

const draft = () => ({
  name: $("name").value,
  lines: shapes.filter((s) => s.kind === "line").map(({ name, points }) => ({ name, points })),
  zones: shapes.filter((s) => s.kind === "zone").map(({ name, points }) => ({ name, corners: points })),
  blanks: shapes.filter((s) => s.kind === "blank").map(({ name, points }) => ({ name, corners: points })),
  ground: shapes.filter((s) => s.kind === "ground").map((s) => ({ corners: s.points, sides_m: sidesOf(s), metres: placesOf(s), found: foundFrom(s) }))[0] ?? null,
});

/** Sends the drawing; gives what comes back, or null when it was refused, which is told. */
async function send(to, method = "POST") {
  try {
    const answer = await fetch(to, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(draft()) });
    const body = answer.status === 204 ? {} : await answer.json();
    $("error").textContent = answer.ok ? "" : body.error;
    return answer.ok ? body : null;
  } catch {
    $("error").textContent = texts.lost;
    return null;
  }
}

let checking = null;

/** Mistakes are told while one draws, not at the end. */
function check() {
  clearTimeout(checking);
  if (savedAs) $("path").textContent = texts.unsaved;
  if (!shapes.length) {
    $("error").textContent = "";
    return;
  }
  checking = setTimeout(() => send("check"), CHECK_MS);
}

$("name").addEventListener("input", check);

$("save").addEventListener("click", async () => {
  clearTimeout(checking);
  const saved = await send("save");
  if (!saved) return;
  savedAs = saved.path;
  $("saved").hidden = false;
  $("path").textContent = fill(texts.saved, saved);
  $("text").textContent = saved.text;
});

// The count that is followed: another drawing has another, and an answer on its way for the old one is not shown.
let following = null, followed = 0;

/** No number stands beside a shape that it was not counted with. */
function forgetCounts() {
  clearTimeout(following);
  followed += 1;
  counts = null;
  if ($("counting").textContent) $("counting").textContent = texts.uncounted;
}

$("try").addEventListener("click", async () => {
  clearTimeout(checking);
  clearTimeout(following);
  const count = ++followed;
  if (await send("preview") && count === followed) follow(count);
});

async function follow(count) {
  try {
    const { cameras: [camera] } = await (await fetch("preview")).json();
    if (count !== followed) return;
    counts = camera.window;
    const over = ["ended", "partial", "failed"].includes(camera.status);
    const told = camera.status === "failed" ? texts.countFailed : over ? texts.counted : texts.counting;
    $("counting").textContent = fill(told, { seconds: Math.round(camera.media_s ?? 0), why: camera.message });
    renderPlaces();
    if (!over) following = setTimeout(follow, POLL_MS, count);
  } catch {
    if (count === followed) $("counting").textContent = texts.lost;
  }
}

// ---- the ground, from who walks by

let searching = null, searches = 0;
let limits = {};            // how many people it takes, and for how long a live camera is watched

/** Once somebody was watched it may be enough. Whoever has pressed it is not left at a button that is gone. */
function offerEnough(offered) {
  if (!offered && document.activeElement === $("enough")) $("find").focus();
  $("enough").hidden = !offered;
}

function endSearch(told) {
  clearTimeout(searching);
  searching = null;
  searches += 1;
  $("find").textContent = texts.find;
  offerEnough(false);
  $("finding").textContent = told;
}

$("find").addEventListener("click", async () => {
  if (searching) {
    endSearch("");
    fetch("find", { method: "DELETE" }).catch(() => {});
    return;
  }
  const search = ++searches;
  if (await send("find")) {
    $("find").textContent = texts.giveUp;
    searching = setTimeout(followSearch, 0, search);
  }
});

$("enough").addEventListener("click", () => {
  offerEnough(false);
  send("find/enough");
});

/** What those who were seen do not tell, and what may have been the reason. */
const nobodyFound = ({ media_s, broke_off, slow }) => [
  fill(texts.nobody, { seconds: media_s, people: limits.people }), broke_off && texts.brokeOff, slow && texts.slow,
].filter(Boolean).join(" ");

async function followSearch(search) {
  let found;
  try {
    found = await (await fetch("find")).json();
  } catch {
    found = { state: "failed", why: texts.lost };
  }
  if (search !== searches) return;
  if (found.state === "running") {
    offerEnough(found.media_s > 0);
    $("finding").textContent = fill(limits.minutes ? texts.watching : texts.finding, { seconds: Math.round(found.media_s), ...limits });
    searching = setTimeout(followSearch, POLL_MS, search);
  } else if (found.state === "fitting") {
    offerEnough(false);
    $("finding").textContent = texts.fitting;
    searching = setTimeout(followSearch, POLL_MS, search);
  } else if (found.state === "ground") {
    const { people, good_percent, fair_percent, quality } = found;
    const shape = add("ground", found.corners);
    shape.sides = found.sides_m.map(String);
    shape.places = null;
    shape.found = { people, good_percent, fair_percent, quality };
    endSearch(fill(texts.found, { people, good: percent(good_percent / 100), fair: percent(fair_percent / 100) }));
    changed();
  } else if (found.state === "nobody") {
    endSearch(nobodyFound(found));
  } else {
    endSearch(fill(texts.notFound, { why: found.why ?? found.error }));
  }
}

async function begin() {
  let about;
  try {
    about = await (await fetch("state")).json();
  } catch {
    $("waiting").textContent = texts.lost;
    return;
  }
  if (!$("name").value) $("name").value = about.name;
  if (!about.picture) return void setTimeout(begin, POLL_MS);
  size = about.picture;
  drawing.setAttribute("viewBox", `0 0 ${size[0]} ${size[1]}`);
  const picture = element("image", { href: "still.png", width: size[0], height: size[1], preserveAspectRatio: "none" });
  drawing.prepend(picture);
  drawing.removeAttribute("hidden");
  $("waiting").hidden = true;
  $("try").hidden = !about.can_be_tried;
  $("find").hidden = !about.can_be_watched || Boolean(about.calibration);
  limits = { people: about.people_min, minutes: about.longest_s && about.longest_s / 60 };
  if (about.calibration) {
    calibration = planeOfCalibration(about.calibration);
    $("ground").hidden = true;
    $("calibrated").hidden = false;
  }
  if (about.patched_permille) {
    $("patched").textContent = fill(texts.patched, { percent: percent(about.patched_permille / 1000, 1) });
    $("patched").hidden = false;
  }
  render();
}

document.documentElement.lang = language;
document.title = `Outis – ${texts.title}`;
for (const labelled of document.querySelectorAll("[data-text]")) labelled.textContent = texts[labelled.dataset.text];
for (const labelled of document.querySelectorAll("[data-label]")) labelled.setAttribute("aria-label", texts[labelled.dataset.label]);
begin();

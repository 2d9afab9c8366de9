// Shows the state of the cameras as it changes. All text goes in by textContent, all shapes by
// attributes: a name can hold whatever its owner likes.

const TEXTS = {
  en: {
    motto: "Numbers, and nobody in particular.",
    promise: "The drawing shows what was configured and what was counted. No picture of the street reaches this page, and none is kept.",
    now: "In the picture now",
    live: "live", lost: "no connection, trying again",
    starting: "starting", running: "counting", ended: "counted to its end", partial: "counted in part", failed: "failed", away: "away, tried again", paused: "paused: nobody is counted",
    lines: "Lines", zones: "Zones", flows: "Journeys",
    forward: "forward", backward: "back", inside: "now", entered: "in", left: "out", stay: "mean stay", count: "number",
    noFlows: "None yet.", masks: "Masks", people: "people", judged: "known", masked: "with a mask",
    near: "Time near others", within: "within {m} m", share: "share of time", encounters: "encounters", picture: "whole picture",
    nearest: "Nearest other", span: "{from} to {to} m", beyond: "{from} m or more", time: "time",
    walks: "On foot", speed: "mean speed", standing: "standing", density: "People per m²", mean_of: "mean", densest: "at most",
    queues: "Queues", queueLength: "in line, mean", longest: "at most", served: "served", wait: "mean wait",
    heat: "Where people were", heatLabel: "Map of the ground, {columns} by {rows} cells of {cell} m: the darker, the longer people were there. Most: {most} person-seconds.",
    usual: "{name}: {mean} on average, {max} at most", usualMean: "{name}: {mean} on average",
    mean: "In the picture, on average",
    terms: "Profile {profile}: the newest finished window, every figure with noise. What fewer than {k} stand behind is withheld and shows as –.",
    waiting: "Profile {profile}: figures come with the end of each window.",
    windowFrom: "window",
    alerts: "Alerts", alertKinds: { "too-close": "too close", "too-full": "too full" }, wholePicture: "picture",
    spokenAlert: "Alert in {zone}: {alert}.",
    person: ["person", "people"], bicycle: ["bicycle", "bicycles"], car: ["car", "cars"],
    motorcycle: ["motorcycle", "motorcycles"], bus: ["bus", "buses"], truck: ["truck", "trucks"],
    pause: "Pause this camera", pauseWhy: "You do not want to be counted? Nothing of this camera is looked at until you have passed. Nobody asks who you are.",
    pausing: "One moment…", pauseDone: "Nothing of this camera is looked at for the next {seconds} s.", pauseLost: "No answer. Ask again.",
    pauseRefused: { 429: "This camera has been paused for as much of this period as its operator allows. Ask again later, or speak to the operator.", 409: "This camera has ended: nothing of it is looked at.", 404: "This camera is not watched any more." },
    drawing: "Drawing of the lines and zones of {name}; the tables hold the same numbers.",
    spokenLine: "{name}: {forward} forward, {backward} back.", spokenZone: "{name}: {now} inside.", spokenNow: "{now} in the picture.",
    notices: {
      "damaged-packet": "packets could not be decoded and were left out",
      "missing-timestamp": "frames had no timestamp; the frame rate was used instead",
      "timestamp-jump": "timestamps ran backwards or jumped; the clock was continued",
      "format-change": "changes of picture size or format in mid-stream",
      "unsupported-frame": "frames had a pixel format that cannot be read and were left out",
      "too-many-tracks": "objects went beyond the limit and were left out",
      "truncated": "the source stopped in the middle of a packet",
      "detector-fault": "frames on which the detector failed were left out",
      "behind": "looks were left out, because the machine was too slow for its cameras",
      "camera-moved": "the view was another one for minutes: is the camera moved, covered or out of focus? Lines and zones may lie elsewhere",
      "ground-doubted": "people who walk by do not fit the ground plane: is the camera turned, or the ground typed wrongly? What is measured in metres is withheld",
    },
  },
  fr: {
    motto: "Des nombres, et personne en particulier.",
    promise: "Le schéma montre ce qui a été configuré et ce qui a été compté. Aucune image de la rue n’arrive sur cette page, et aucune n’est conservée.",
    now: "Dans le champ maintenant",
    live: "en direct", lost: "pas de connexion, nouvel essai",
    starting: "démarrage", running: "comptage en cours", ended: "compté jusqu’à la fin", partial: "compté en partie", failed: "échec", away: "absente, nouvelle tentative", paused: "en pause : personne n’est compté",
    lines: "Lignes", zones: "Zones", flows: "Trajets",
    forward: "aller", backward: "retour", inside: "présents", entered: "entrées", left: "sorties", stay: "durée moy.", count: "nombre",
    noFlows: "Aucun pour l’instant.", masks: "Masques", people: "personnes", judged: "connus", masked: "avec masque",
    near: "Temps près d’autrui", within: "à moins de {m} m", share: "part du temps", encounters: "rencontres", picture: "tout le champ",
    nearest: "Plus proche voisin", span: "de {from} à {to} m", beyond: "{from} m ou plus", time: "temps",
    walks: "À pied", speed: "vitesse moy.", standing: "à l’arrêt", density: "Personnes par m²", mean_of: "moyenne", densest: "au plus",
    queues: "Files d’attente", queueLength: "en file, moyenne", longest: "au plus", served: "servis", wait: "attente moy.",
    heat: "Où étaient les personnes", heatLabel: "Plan du sol, {columns} par {rows} cases de {cell} m : plus c’est foncé, plus on y est resté. Maximum : {most} personnes-secondes.",
    usual: "{name} : {mean} en moyenne, {max} au plus", usualMean: "{name} : {mean} en moyenne",
    mean: "Dans le champ, en moyenne",
    terms: "Profil {profile} : la dernière période achevée, chaque nombre avec du bruit. Ce qui repose sur moins de {k} passages n’est pas dit : –.",
    waiting: "Profil {profile} : les nombres viennent à la fin de chaque période.",
    windowFrom: "période",
    alerts: "Alertes", alertKinds: { "too-close": "trop près", "too-full": "trop de monde" }, wholePicture: "champ",
    spokenAlert: "Alerte, {zone} : {alert}.",
    person: ["personne", "personnes"], bicycle: ["vélo", "vélos"], car: ["voiture", "voitures"],
    motorcycle: ["moto", "motos"], bus: ["bus", "bus"], truck: ["camion", "camions"],
    pause: "Mettre cette caméra en pause", pauseWhy: "Vous ne voulez pas être compté ? Rien de cette caméra n’est regardé le temps de votre passage. Personne ne demande qui vous êtes.",
    pausing: "Un instant…", pauseDone: "Rien de cette caméra n’est regardé pendant {seconds} s.", pauseLost: "Pas de réponse. Demandez encore.",
    pauseRefused: { 429: "Cette caméra a été en pause aussi longtemps que son exploitant le permet pour cette période. Demandez plus tard, ou adressez-vous à l’exploitant.", 409: "Cette caméra a fini : rien n’en est regardé.", 404: "Cette caméra n’est plus observée." },
    drawing: "Schéma des lignes et zones de {name} ; les tableaux donnent les mêmes nombres.",
    spokenLine: "{name} : {forward} aller, {backward} retour.", spokenZone: "{name} : {now} présents.", spokenNow: "{now} dans le champ.",
    notices: {
      "damaged-packet": "paquets indécodables, laissés de côté",
      "missing-timestamp": "images sans horodatage ; la cadence a servi à la place",
      "timestamp-jump": "horodatages en recul ou en saut ; l’horloge a été prolongée",
      "format-change": "changements de taille ou de format en cours de flux",
      "unsupported-frame": "images d’un format illisible, laissées de côté",
      "too-many-tracks": "objets au-delà de la limite, laissés de côté",
      "truncated": "la source s’est arrêtée au milieu d’un paquet",
      "detector-fault": "images où le détecteur a échoué, laissées de côté",
      "behind": "regards omis, la machine étant trop lente pour ses caméras",
      "camera-moved": "la vue est autre depuis des minutes : caméra déplacée, masquée ou floue ? Les lignes et zones peuvent être ailleurs",
      "ground-doubted": "les passants ne correspondent pas au plan du sol : caméra tournée, ou sol mal saisi ? Ce qui se mesure en mètres est retenu",
    },
  },
};

const SPOKEN_GAP_MS = 8000; // a screen reader is not interrupted more often than this
const FLOWS_DRAWN_MAX = 12;
const FULL_WIDTH_COUNT_MIN = 10; // fewer journeys than this never make the widest arrow
const [COUNTS_AT, FLOWS_AT] = [0.62, 0.24]; // where counts and journeys meet a line, from its first point
// No film is thirty years long: from here on it is seconds from 1970.
const WALL_CLOCK_S = 1e9;
const WHOLE_FILE_S = 4e6; // a window longer than this is the whole file

const language = navigator.language.toLowerCase().startsWith("fr") ? "fr" : "en";
const texts = TEXTS[language];
const number = new Intl.NumberFormat(language);
const decimal = new Intl.NumberFormat(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const percent = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 });
const metres = new Intl.NumberFormat(language, { maximumFractionDigits: 3 });
const NOT_TOLD = "–"; // withheld, or not told by the profile
const figure = (value) => (value === null || value === undefined ? NOT_TOLD : number.format(value));
const fill = (template, values) => template.replace(/\{(\w+)\}/g, (_, key) => values[key]);

const views = [];
let newest = { cameras: [] };
let spokenAt = -Infinity;

// ---- elements ---------------------------------------------------------------------------------

function html(tag, attributes = {}, ...children) {
  return build(document.createElement(tag), attributes, children);
}

function svg(tag, attributes = {}, ...children) {
  return build(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function build(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children.map((child) => (child instanceof Node ? child : String(child))));
  return element;
}

function say(root) {
  for (const element of root.querySelectorAll("[data-text]")) element.textContent = texts[element.dataset.text];
}

// ---- one camera -------------------------------------------------------------------------------

class CameraView {
  constructor() {
    this.root = document.getElementById("camera").content.cloneNode(true).firstElementChild;
    say(this.root);
    this.drawing = this.find(".drawing");
    this.find(".pause").addEventListener("click", () => this.pause());
    this.values = new Map(); // what each number was, to mark the ones that changed
    document.getElementById("cameras").append(this.root);
    new ResizeObserver(() => this.camera && this.draw()).observe(this.drawing);
  }

  /** Asks for a pause. Nothing is sent but the camera's name. */
  async pause() {
    const [button, said] = [this.find(".pause"), this.find(".paused")];
    button.disabled = true;
    said.textContent = texts.pausing;
    try {
      const body = JSON.stringify({ camera: this.camera.name });
      const answer = await fetch("/api/pause", { method: "POST", headers: { "Content-Type": "application/json" }, body });
      const { seconds, error } = await answer.json();
      said.textContent = answer.ok ? fill(texts.pauseDone, { seconds: number.format(seconds) }) : texts.pauseRefused[answer.status] ?? error;
    } catch {
      said.textContent = texts.pauseLost;
    }
    button.disabled = false;
  }

  find(selector) {
    return this.root.querySelector(selector);
  }

  show(camera) {
    this.camera = camera;
    this.none = camera.epsilon === null ? 0 : null; // before the first window
    this.changed = new Set();
    this.head();
    this.now();
    this.draw();
    this.tables();
  }

  /** Notes a value; the class for its element when it is not the one shown before. */
  mark(key, value) {
    const before = this.values.get(key);
    if (before !== undefined && before !== value) this.changed.add(key);
    this.values.set(key, value);
    return this.changed.has(key) ? " changed" : "";
  }

  head() {
    const { name, status, message, media_s, duration_s, window, notices } = this.camera;
    this.find(".name").textContent = name;
    const state = this.find(".status");
    state.textContent = message ? `${texts[status]}: ${message}` : texts[status];
    state.className = `status ${status}`;
    const whole = !window || window.length_s > WHOLE_FILE_S;
    const [from, to] = whole ? [] : [window.media_start_s, window.media_start_s + window.length_s].map(moment);
    const span = whole ? "" : `${texts.windowFrom} ${from}–${to} · `;
    this.find(".clock").textContent = span + clock(media_s) + (duration_s ? ` / ${clock(duration_s)}` : "");
    const progress = this.find(".progress");
    progress.hidden = !duration_s;
    progress.value = duration_s ? Math.min(1, media_s / duration_s) : 0;
    progress.setAttribute("aria-label", name);
    this.find(".objection").hidden = !newest.can_pause || ["ended", "partial", "failed"].includes(status);
    if (status === "running") this.find(".paused").textContent = "";
    const { profile, epsilon, k } = this.camera;
    const terms = this.find(".terms");
    terms.hidden = epsilon === null;
    terms.textContent = fill(window ? texts.terms : texts.waiting, { profile, k });
    this.find(".notices").replaceChildren(
      ...notices.map(({ kind, count, text }) => html("li", {}, `${texts.notices[kind] ?? text} (${number.format(count)})`)),
    );
  }

  now() {
    const { window, history } = this.camera;
    const occupancy = window?.occupancy;
    // Where moments are not told, the average stands in their place.
    const live = this.camera.epsilon === null;
    this.find(".now h3").textContent = live ? texts.now : texts.mean;
    const mean = occupancy?.mean ?? null;
    this.find(".big").textContent = live ? figure(occupancy?.now) : mean === null ? NOT_TOLD : decimal.format(mean);
    const classes = Object.entries(occupancy?.classes ?? {}).filter(([, { mean, max }]) => (max ?? mean) > 0);
    this.find(".detail").textContent = classes
      .map(([name, { mean, max }]) =>
        fill(max === null ? texts.usualMean : texts.usual, { name: texts[name][1], mean: decimal.format(mean), max: figure(max) }))
      .join("\n");
    this.find(".spark").replaceChildren(...sparkline(history));
  }

  // ---- the drawing: everything in pixels of the picture, sizes of text in pixels of the screen

  draw() {
    const { width, height, lines, zones, blanks, window, name } = this.camera;
    const [w, h] = width ? [width, height] : bounds([...lines, ...zones]);
    const drawing = this.drawing;
    drawing.setAttribute("viewBox", `0 0 ${w} ${h}`);
    drawing.setAttribute("aria-label", fill(texts.drawing, { name }));
    const px = w / Math.max(drawing.clientWidth, 200); // one pixel of the screen
    const shapes = [
      ...dots(w, h, px),
      ...blanks.map(({ points }) => svg("polygon", { class: "blank", points: points.join(" "), "stroke-width": 1.5 * px, "stroke-dasharray": `${4 * px} ${4 * px}` })),
      ...zones.map((zone, i) => this.zone(zone, window?.zones[i], px)),
      ...this.flows(px),
      ...lines.map((line, i) => this.line(line, window?.lines[i], px, w, h)),
    ];
    drawing.replaceChildren(...shapes);
  }

  zone({ name, points }, totals, px) {
    const [x, y] = centre(points);
    // Where moments are not told: how many came in.
    const now = totals ? totals.occupancy.now ?? totals.entered : this.none;
    const changed = this.mark(`zone ${name}`, now);
    return svg("g", {},
      svg("polygon", { class: "zone", points: points.join(" "), "stroke-width": 1.5 * px }),
      svg("text", { class: `zone-now${changed}`, x, y: y - 4 * px, "font-size": 30 * px }, figure(now)),
      svg("text", { class: "zone-name", x, y: y + 20 * px, "font-size": 13 * px }, name),
    );
  }

  line({ name, points: [[x1, y1], [x2, y2]] }, totals, px, w, h) {
    const length = Math.hypot(x2 - x1, y2 - y1);
    const [along_x, along_y] = [(x2 - x1) / length, (y2 - y1) / length];
    const [right_x, right_y] = [-along_y, along_x]; // forward is towards this side
    const [x, y] = along([[x1, y1], [x2, y2]], COUNTS_AT);
    // The name stands beyond the upper end.
    const [top_x, top_y, sign] = y1 < y2 ? [x1, y1, -1] : [x2, y2, 1];
    const half_name = (4 * name.length + 10) * px;
    const name_x = clamp(top_x + sign * along_x * 16 * px, half_name, w - half_name);
    const name_y = clamp(top_y + sign * along_y * 16 * px, 10 * px, h - 10 * px);
    const both = totals?.both !== undefined;
    const pill = (key, side) => {
      const value = totals ? totals[key] : this.none;
      const changed = this.mark(`${key} ${name}`, value);
      const [cx, cy] = [x + side * right_x * 29 * px, y + side * right_y * 29 * px];
      const text = figure(value);
      const half = (17 + 4 * text.length) * px;
      const angle = (Math.atan2(side * right_y, side * right_x) * 180) / Math.PI;
      return svg("g", {},
        svg("rect", { class: "pill", x: cx - half, y: cy - 12 * px, width: 2 * half, height: 24 * px, rx: 12 * px, "stroke-width": 1.2 * px }),
        svg("path", { class: "pill-arrow", d: both ? "M-7 0L-2 -4V-1.3H2V-4L7 0L2 4V1.3H-2V4Z" : "M-6 -1.3H0V-5L7 0L0 5V1.3H-6Z", transform: `translate(${cx - half + 13 * px} ${cy}) rotate(${angle}) scale(${px})` }),
        svg("text", { class: `pill-number${changed}`, x: cx + 8 * px, y: cy + 0.5 * px, "font-size": 15 * px }, text),
      );
    };
    return svg("g", {},
      svg("line", { class: "line", x1, y1, x2, y2, "stroke-width": 4 * px }),
      svg("circle", { class: "end", cx: x1, cy: y1, r: 4.5 * px }),
      svg("text", { class: "line-name halo", x: name_x, y: name_y, "font-size": 13 * px, "stroke-width": 4 * px }, name),
      ...(both ? [pill("both", 1)] : [pill("forward", 1), pill("backward", -1)]),
    );
  }

  flows(px) {
    const { lines, zones, window } = this.camera;
    const places = new Map([
      ...lines.map(({ name, points }) => [name, [...along(points, FLOWS_AT), 16 * px]]),
      ...zones.map(({ name, points }) => [name, [...centre(points), 50 * px]]),
    ]);
    const flows = seenFlows(window).slice(0, FLOWS_DRAWN_MAX);
    const most = Math.max(FULL_WIDTH_COUNT_MIN, ...flows.map(({ count }) => count));
    const numbers = [];
    const curves = flows.map(({ from, to, count }) => {
      const [ax, ay, a_room] = places.get(from);
      const [bx, by, b_room] = places.get(to);
      const length = Math.hypot(bx - ax, by - ay) || 1;
      const [ux, uy] = [(bx - ax) / length, (by - ay) / length];
      // Each direction bends to its own right, so that there and back lie side by side.
      const bend = clamp(length * 0.28, 24 * px, 90 * px);
      const [cx, cy] = [(ax + bx) / 2 - uy * bend, (ay + by) / 2 + ux * bend];
      const towards = (x, y, room) => {
        const d = Math.hypot(cx - x, cy - y) || 1;
        const gap = Math.min(room, length / 4);
        return [x + ((cx - x) / d) * gap, y + ((cy - y) / d) * gap];
      };
      const [sx, sy] = towards(ax, ay, a_room);
      const [ex, ey] = towards(bx, by, b_room);
      const width = (1.6 + (5.4 * count) / most) * px;
      const angle = (Math.atan2(ey - cy, ex - cx) * 180) / Math.PI;
      const head = Math.sqrt(Math.max(1, width / (2.5 * px))) * px;
      const [mx, my] = [(sx + 2 * cx + ex) / 4, (sy + 2 * cy + ey) / 4];
      const text = number.format(count);
      const changed = this.mark(`flow ${from}\n${to}`, count);
      numbers.push(svg("g", {},
        svg("circle", { class: "flow-plate", cx: mx, cy: my, r: (7 + 3 * text.length) * px }),
        svg("text", { class: `flow-number${changed}`, x: mx, y: my, "font-size": 13 * px }, text),
      ));
      return svg("g", {},
        svg("path", { class: "flow", d: `M${sx} ${sy}Q${cx} ${cy} ${ex} ${ey}`, "stroke-width": width }),
        svg("path", { class: "flow-head", d: "M-4 -6L8 0L-4 6Z", transform: `translate(${ex} ${ey}) rotate(${angle}) scale(${head})` }),
      );
    });
    return [...curves, ...numbers];
  }

  // ---- the tables: the same numbers for reading, also aloud

  tables() {
    const { window } = this.camera;
    const tables = [];
    if (window?.lines.length) {
      const both = window.lines.some((line) => line.both !== undefined);
      tables.push(table(texts.lines, both ? [texts.count] : [texts.forward, texts.backward], window.lines.map((line) => ({
        head: [line.name, breakdown(line.classes, ({ forward, backward, both }) => both ?? sum(forward, backward), line.shares)],
        cells: both ? [figure(line.both)] : [figure(line.forward), figure(line.backward)],
      }))));
    }
    if (window?.zones.length) {
      tables.push(table(texts.zones, [texts.inside, texts.entered, texts.left, texts.stay], window.zones.map((zone) => ({
        head: [zone.name, breakdown(zone.classes, ({ entered }) => entered)],
        cells: [
          figure(zone.occupancy.now), figure(zone.entered), figure(zone.left),
          zone.dwell.mean_s === null ? NOT_TOLD : `${decimal.format(zone.dwell.mean_s)} s`,
        ],
      }))));
    }
    if (window?.flows.length) {
      const flows = seenFlows(window);
      tables.push(flows.length
        ? table(texts.flows, [texts.count], flows.map(({ from, to, count }) => ({ head: [`${from} → ${to}`, ""], cells: [number.format(count)] })))
        : html("div", {}, html("h3", {}, texts.flows), html("p", { class: "none" }, texts.noFlows)));
    }
    const { alerts } = this.camera;
    if (alerts.length) {
      // The newest first.
      tables.push(table(texts.alerts, [""], alerts.toReversed().map(({ alert, zone, time }) => ({
        head: [`${texts.alertKinds[alert]} · ${zone ?? texts.wholePicture}`, ""],
        cells: [new Date(time).toLocaleTimeString(language)],
      }))));
    }
    if (window?.masks) {
      const { people, judged, share_percent: share } = window.masks;
      tables.push(table(texts.masks, [texts.people, texts.judged, texts.masked], [{
        head: ["", ""], cells: [figure(people), figure(judged), share === null ? NOT_TOLD : `${number.format(share)} %`],
      }]));
    }
    this.find(".tables").replaceChildren(...tables);
    this.find(".people").replaceChildren(...people(window?.people));
  }

  spoken() {
    const { name, window, alerts } = this.camera;
    const newest = alerts.at(-1);
    const alert = newest ? [fill(texts.spokenAlert, { zone: newest.zone ?? texts.wholePicture, alert: texts.alertKinds[newest.alert] })] : [];
    if (!window) return [`${name}: ${texts[this.camera.status]}.`, ...alert].join(" ");
    return [
      `${name}:`,
      ...alert,
      fill(texts.spokenNow, { now: figure(window.occupancy.now ?? window.occupancy.mean) }),
      ...window.lines.map(({ name, forward, backward, both }) => both === undefined
        ? fill(texts.spokenLine, { name, forward: figure(forward), backward: figure(backward) })
        : `${name}: ${figure(both)}.`),
      ...window.zones.map((zone) => fill(texts.spokenZone, { name: zone.name, now: figure(zone.occupancy.now) })),
    ].join(" ");
  }
}

// ---- pieces -----------------------------------------------------------------------------------

function table(caption, columns, rows) {
  return html("table", {},
    html("caption", {}, caption),
    html("thead", {}, html("tr", {}, html("th"), ...columns.map((column) => html("th", { scope: "col" }, column)))),
    html("tbody", {}, ...rows.map(({ head: [name, more], cells }) => html("tr", {},
      html("th", { scope: "row" }, name, ...(more ? [html("small", {}, more)] : [])),
      ...cells.map((cell) => html("td", {}, ...[cell].flat())),
    ))),
  );
}

/** What was measured of people on the ground: tables for each kind of figure that is asked for, and a map. */
function people(report) {
  if (!report) return [];
  const name = ({ zone }) => zone ?? texts.picture;
  const with_unit = (value, unit) => (value === null ? NOT_TOLD : `${metres.format(value)} ${unit}`);
  const share = (value) => (value === null ? [NOT_TOLD] : [percent.format(value), bar(value)]);
  const out = [];
  const near = report.areas.flatMap((area) => (area.distances?.near ?? []).map((near) => ({
    head: [name(area), fill(texts.within, { m: metres.format(near.within_m) })],
    cells: [share(near.share), figure(near.encounters)],
  })));
  if (near.length) out.push(table(texts.near, [texts.share, texts.encounters], near));
  const spans = report.areas[0].distances?.nearest;
  if (spans) {
    const most = Math.max(1, ...spans.map(({ person_s }) => person_s ?? 0));
    out.push(table(texts.nearest, [texts.time], spans.map(({ until_m, person_s }, i) => {
      const from = metres.format(i ? spans[i - 1].until_m : 0);
      const span = until_m === null ? fill(texts.beyond, { from }) : fill(texts.span, { from, to: metres.format(until_m) });
      return { head: [span, ""], cells: [person_s === null ? NOT_TOLD : [`${number.format(Math.round(person_s))} s`, bar(person_s / most)]] };
    })));
  }
  const walks = report.areas.filter(({ speed }) => speed);
  if (walks.length) {
    out.push(table(texts.walks, [texts.speed, texts.standing], walks.map((area) => ({
      head: [name(area), ""],
      cells: [with_unit(area.speed.mean_m_s, "m/s"), share(area.speed.standing_share)],
    }))));
  }
  const densities = report.areas.filter(({ density }) => density);
  if (densities.length) {
    out.push(table(texts.density, [texts.mean_of, texts.densest], densities.map(({ zone, density }) => ({
      head: [zone, density.ground_m2 === null ? "" : `${number.format(density.ground_m2)} m²`],
      cells: [density.mean_per_m2, density.max_per_m2].map((value) => (value === null ? NOT_TOLD : metres.format(value))),
    }))));
  }
  const queues = report.areas.filter(({ queue }) => queue);
  if (queues.length) {
    out.push(table(texts.queues, [texts.queueLength, texts.longest, texts.served, texts.wait], queues.map(({ zone, queue }) => ({
      head: [zone, ""],
      cells: [
        queue.mean_length === null ? NOT_TOLD : decimal.format(queue.mean_length),
        figure(queue.max_length), figure(queue.served), with_unit(queue.mean_wait_s, "s"),
      ],
    }))));
  }
  if (report.heat) out.push(heat(report.heat));
  return out;
}

/** A small bar, as long as a share of its room. */
function bar(share) {
  const drawn = svg("svg", { class: "bar", viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": "true" });
  drawn.append(svg("rect", { class: "bar-fill", x: 0, y: 0, width: 100 * clamp(share, 0, 1), height: 6 }));
  return drawn;
}

/** The map of the ground: its first axis to the right, its second one up, as on a plan. */
function heat({ columns, rows, cell_m, person_s }) {
  const most = Math.max(1, ...person_s.map((seconds) => seconds ?? 0));
  const label = fill(texts.heatLabel, { columns, rows, cell: metres.format(cell_m), most: number.format(Math.round(most)) });
  const cells = person_s.map((seconds, i) => svg("rect", {
    class: seconds === null ? "heat-withheld" : "heat-cell",
    x: i % columns, y: rows - 1 - Math.floor(i / columns), width: 1, height: 1,
    ...(seconds === null ? {} : { "fill-opacity": Math.sqrt(seconds / most).toFixed(3) }),
  }));
  return html("figure", { class: "heat" },
    html("figcaption", {}, texts.heat),
    svg("svg", { class: "heat-map", viewBox: `0 0 ${columns} ${rows}`, role: "img", "aria-label": label }, ...cells),
  );
}

/** A sum, where both parts are told. */
function sum(a, b) {
  return a === null || b === null ? null : a + b;
}

/** "12 people, 3 cars", when there is more than people. */
function breakdown(classes, value, shares) {
  const seen = Object.entries(classes).map(([name, totals]) => [name, value(totals)]).filter(([, count]) => count > 0);
  if (seen.every(([name]) => name === "person")) return "";
  // The modal split, where there is one.
  const share = (name) => (shares ? ` (${percent.format(shares[name])})` : "");
  return seen.map(([name, count]) => `${number.format(count)} ${texts[name][count === 1 ? 0 : 1]}${share(name)}`).join(", ");
}

function seenFlows(window) {
  return (window?.flows ?? []).filter(({ count }) => count > 0).sort((a, b) => b.count - a.count);
}

function sparkline(history) {
  if (history.length < 2) return [];
  const most = Math.max(4, ...history);
  const point = (count, i) => `${(100 * i) / (history.length - 1)} ${29 - (27 * count) / most}`;
  const curve = `M${history.map(point).join("L")}`;
  return [svg("path", { class: "area", d: `${curve}L100 30L0 30Z` }), svg("path", { class: "curve", d: curve })];
}

/** A quiet grid, so that the eye has a ground to stand on. */
function dots(w, h, px) {
  const step = Math.max(w / 16, 24 * px);
  const out = [];
  for (let y = step / 2; y < h; y += step) {
    for (let x = step / 2; x < w; x += step) out.push(svg("circle", { class: "dot", cx: x, cy: y, r: 1.1 * px }));
  }
  return out;
}

/** A point of a line, by its part of the way from the first point to the second. */
function along([[x1, y1], [x2, y2]], part) {
  return [x1 + part * (x2 - x1), y1 + part * (y2 - y1)];
}

/** The centroid of a polygon. */
function centre(points) {
  let [area, x, y] = [0, 0, 0];
  points.forEach(([x1, y1], i) => {
    const [x2, y2] = points[(i + 1) % points.length];
    const cross = x1 * y2 - x2 * y1;
    area += cross;
    x += (x1 + x2) * cross;
    y += (y1 + y2) * cross;
  });
  if (Math.abs(area) > 1) return [x / (3 * area), y / (3 * area)];
  const sum = points.reduce(([a, b], [c, d]) => [a + c, b + d], [0, 0]);
  return [sum[0] / points.length, sum[1] / points.length];
}

/** Room for all shapes while the picture's size is not known yet. */
function bounds(shapes) {
  const points = shapes.flatMap(({ points }) => points);
  const most = (axis, least) => Math.max(least, ...points.map((point) => point[axis] * 1.1));
  return [most(0, 640), most(1, 360)];
}

function clamp(value, least, most) {
  return Math.max(least, Math.min(most, value));
}

/** A moment of a window: of a film from its beginning, of a live camera on the clock. */
function moment(seconds) {
  const live = seconds >= WALL_CLOCK_S;
  return live ? new Date(1000 * seconds).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }) : clock(seconds);
}

function clock(seconds) {
  const s = Math.floor(seconds);
  const two = (n) => String(n).padStart(2, "0");
  const [hours, minutes] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  return hours ? `${hours}:${two(minutes)}:${two(s % 60)}` : `${minutes}:${two(s % 60)}`;
}

// ---- the state as it comes ----------------------------------------------------------------------

function show(state) {
  newest = state;
  state.cameras.forEach((camera, i) => (views[i] ??= new CameraView()).show(camera));
  const now = performance.now();
  if (now - spokenAt > SPOKEN_GAP_MS) {
    spokenAt = now;
    document.getElementById("spoken").textContent = views.map((view) => view.spoken()).join(" ");
  }
}

function link(live) {
  const over = newest.cameras.length > 0 && newest.cameras.every(({ status }) => !["starting", "running", "away", "paused"].includes(status));
  const element = document.getElementById("link");
  element.textContent = live ? texts.live : texts.lost;
  element.className = live ? "link live" : "link";
  // Nothing more will come from a program that has ended.
  element.hidden = !live && over;
}

document.documentElement.lang = language;
say(document);
const events = new EventSource("/events");
events.onopen = () => link(true);
events.onerror = () => link(false);
events.onmessage = ({ data }) => show(JSON.parse(data));
// The first state also comes with the first event; this one does not wait for the stream to open.
fetch("/api/state").then((answer) => answer.json()).then(show, () => link(false));

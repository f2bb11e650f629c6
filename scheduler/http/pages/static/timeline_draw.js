// How runs and plans look: a colour and a shape for each status, so that neither has to be told apart alone.

const NAMES = ["card", "raised", "line", "edge", "soft", "accent", "good", "bad", "warn", "info"];
const MINUTE = 60_000, DAY_MINUTES = 24 * 60;
const LOW = 10, TALL = 18, LEAST = 2;

/** @typedef {Record<string, string>} Colours */

/** @returns {Colours} the colours of base.css as they are now, light or dark, also where the colours of a page are forced */
export function readColours() {
  const probe = document.createElement("span"), colours = {};
  probe.style.forcedColorAdjust = "none";
  document.body.append(probe);
  for (const name of NAMES) {
    probe.style.color = `var(--${name})`;
    colours[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  colours.stripe = colours.raised.replace(/^rgb\((.*)\)$/, "rgb($1 / 45%)").replaceAll(",", " ");
  return colours;
}

/** How each status is drawn, and over what: what somebody should look at comes last, and stands out of its lane. */
const LOOKS = {
  completed: { colour: "good", shape: fill, height: LOW, layer: 0 },
  running: { colour: "info", shape: going, height: LOW, layer: 1 },
  queued: { colour: "info", shape: dots, height: LOW, layer: 1 },
  cancelled: { colour: "warn", shape: outlined, height: LOW, layer: 1 },
  skipped: { colour: "warn", shape: diamond, height: LOW, layer: 1 },
  missed: { colour: "bad", shape: diamond, height: LOW, layer: 2 },
  failed: { colour: "bad", shape: fill, height: TALL, layer: 2 },
  timeout: { colour: "bad", shape: hatched, height: TALL, layer: 2 },
  interrupted: { colour: "bad", shape: broken, height: TALL, layer: 2 },
};
const LAYERS = [0, 1, 2];

/**
 * Draw the bars of a lane.
 * @param {CanvasRenderingContext2D} pen @param {Colours} colours @param {import("./timeline.js").Bar[]} bars
 * @param {(moment: number) => number} x @param {number} middle @param {number} since @param {number} until @param {number} now
 * @returns {number} how many were drawn
 */
export function drawBars(pen, colours, bars, x, middle, since, until, now) {
  let drawn = 0;
  for (const layer of LAYERS) {
    for (const bar of bars) {
      const look = LOOKS[bar.status], end = bar.end ?? now;
      if (look.layer !== layer || end < since || bar.start > until) continue;
      const left = x(bar.start), width = Math.max(LEAST, x(end) - left);
      pen.fillStyle = pen.strokeStyle = colours[look.colour];
      look.shape(pen, left, middle - look.height / 2, width, look.height, colours.card);
      drawn += 1;
    }
  }
  return drawn;
}

/** Draw the grounds of rows. @param {{top: number, isHeading: boolean, isOdd: boolean}[]} rows */
export function drawRows(pen, colours, rows, height, right) {
  for (const { top, isHeading, isOdd } of rows) {
    if (!isHeading && !isOdd) continue;
    pen.fillStyle = isHeading ? colours.raised : colours.stripe;
    pen.fillRect(0, top, right, height);
  }
}

/** Draw the scale and its lines. @param {{left: number, right: number, axis: number, height: number}} place */
export function drawScale(pen, colours, labels, x, { left, right, axis, height }) {
  pen.lineWidth = 1;
  pen.fillStyle = colours.card;
  pen.fillRect(0, 0, right, axis);
  pen.textAlign = "center";
  for (const { moment, text, isDay } of labels) {
    const at = Math.round(x(moment)) + 0.5;
    if (at < left) continue;
    pen.strokeStyle = isDay ? colours.edge : colours.line;
    pen.globalAlpha = isDay ? 0.6 : 1;
    line(pen, at, axis, at, height);
    pen.globalAlpha = 1;
    pen.fillStyle = colours.soft;
    if (at > left + 14 && at < right - 18) pen.fillText(text, at, 17);
  }
  pen.strokeStyle = colours.line;
  line(pen, 0, axis - 0.5, right, axis - 0.5);
}

/** Draw the present. */
export function drawNow(pen, colours, at, axis, height) {
  const place = Math.round(at) + 0.5;
  pen.strokeStyle = pen.fillStyle = colours.accent;
  pen.lineWidth = 1.5;
  line(pen, place, axis - 6, place, height);
  pen.beginPath();
  pen.arc(place, axis - 7, 3, 0, 7);
  pen.fill();
  pen.lineWidth = 1;
}

/** Draw what is planned: hollow marks. */
export function drawPlan(pen, colours, planned, x, middle, since, until) {
  pen.strokeStyle = colours.edge;
  pen.lineWidth = 1.3;
  pen.beginPath();
  for (const moment of planned) {
    if (moment <= since || moment > until) continue;
    const at = x(moment);
    pen.moveTo(at + 3.5, middle);
    pen.arc(at, middle, 3.5, 0, 7);
  }
  pen.stroke();
  pen.lineWidth = 1;
}

/** Say what each look means. @param {HTMLElement} place @param {Colours} colours */
export function drawLegend(place, colours) {
  const shown = { completed: 1, running: 1, failed: 1, timeout: 1, interrupted: 1, cancelled: 1, skipped: 1, missed: 1 };
  const items = Object.keys(shown).map((status) => sample(status, (pen) => {
    const look = LOOKS[status];
    pen.fillStyle = pen.strokeStyle = colours[look.colour];
    look.shape(pen, look.shape === diamond ? 11 : 4, 10 - look.height / 2, look.shape === diamond ? LEAST : 14, look.height, colours.card);
  }));
  items.push(sample("planned", (pen) => drawPlan(pen, colours, [11], (at) => at, 10, 0, 22)));
  place.replaceChildren(...items);
}

function sample(text, draw) {
  const item = document.createElement("span"), canvas = document.createElement("canvas"), ratio = devicePixelRatio || 1;
  canvas.width = 22 * ratio;
  canvas.height = 20 * ratio;
  canvas.style.height = "20px";
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  draw(pen);
  item.append(canvas, text);
  return item;
}

function fill(pen, x, y, width, height) {
  pen.fillRect(x, y, width, height);
}

function outlined(pen, x, y, width, height) {
  pen.strokeRect(x + 0.5, y + 0.5, Math.max(3, width) - 1, height - 1);
}

function going(pen, x, y, width, height) {
  const right = x + width;
  pen.beginPath();
  pen.moveTo(x, y);
  pen.lineTo(right, y);
  pen.lineTo(right + 6, y + height / 2);
  pen.lineTo(right, y + height);
  pen.lineTo(x, y + height);
  pen.fill();
}

function hatched(pen, x, y, width, height) {
  const wide = Math.max(4, width);
  pen.save();
  pen.beginPath();
  pen.rect(x, y, wide, height);
  pen.clip();
  pen.lineWidth = 1.6;
  pen.beginPath();
  for (let at = x - height; at < x + wide; at += 4) {
    pen.moveTo(at, y + height);
    pen.lineTo(at + height, y);
  }
  pen.stroke();
  pen.restore();
  pen.strokeRect(x + 0.5, y + 0.5, wide - 1, height - 1);
}

function broken(pen, x, y, width, height) {
  pen.fillRect(x, y, width, height * 0.4);
  pen.fillRect(x, y + height * 0.6, width, height * 0.4);
}

function diamond(pen, x, y, width, height, ground) {
  const half = height / 2 - 0.5, middle = y + height / 2;
  pen.lineWidth = 1.5;
  pen.beginPath();
  pen.moveTo(x - half, middle);
  pen.lineTo(x, middle - half);
  pen.lineTo(x + half, middle);
  pen.lineTo(x, middle + half);
  pen.closePath();
  pen.fillStyle = ground;
  pen.fill();
  pen.stroke();
  pen.lineWidth = 1;
}

function dots(pen, x, y, width, height) {
  for (let place = 0; place < 3; place += 1) pen.fillRect(x + place * 3.5, y + height / 2 - 1, 2, 2);
}

/**
 * Choose where the scale is labelled: at full hours or days as the viewer's clock shows them. One that clocks leave out has
 * no label, one that they show twice has two; a day has one, at its first moment, which need not be midnight.
 * @param {number} since @param {number} until @param {string} zoom @param {number} width
 * @returns {{moment: number, text: string, isDay: boolean}[]}
 */
export function ticks(since, until, zoom, width) {
  const narrow = width < 500, found = [], step = { hour: narrow ? 15 : 5, day: (narrow ? 6 : 2) * 60 }[zoom];
  for (const [first, next] of days(since, until)) {
    const day = new Date(first);
    found.push({ moment: first, text: zoom === "hour" ? clock(day) : dayOf(day), isDay: true });
    if (step) found.push(...timesOf(first, next, step).map((moment) => ({ moment, text: clock(new Date(moment)), isDay: false })));
  }
  return found.filter(({ moment }) => moment >= since && moment <= until);
}

/** @returns {[number, number][]} the first moments of the viewer's days in view, each with that of the day after */
function days(since, until) {
  const found = [], { year, month, date } = partsOf(since);
  let first = firstOf(year, month, date);
  for (let ahead = 1; first <= until; ahead += 1) {
    const next = firstOf(year, month, date + ahead);
    if (next > first) found.push([first, next]); // a day that a zone has left out has no moment
    first = next;
  }
  return found;
}

/** Clocks may leave midnight out: then the day begins where they go on. */
function firstOf(year, month, date) {
  let first = new Date(year, month, date).getTime();
  while (new Date(first - MINUTE).getDate() === new Date(first).getDate()) first -= MINUTE;
  return first;
}

/** @returns {number[]} the moments of a day, but for its first, at which the viewer's clock shows full steps of so many minutes */
function timesOf(first, next, step) {
  const { year, month, date } = partsOf(first), found = new Set();
  const back = (new Date(next).getTimezoneOffset() - new Date(first - 1).getTimezoneOffset()) * MINUTE;
  for (let minutes = 0; minutes < DAY_MINUTES; minutes += step) {
    const moment = new Date(year, month, date, 0, minutes).getTime();
    for (const one of [moment, moment + Math.max(0, back)]) {
      const there = new Date(one);
      if (one !== first && there.getDate() === date && there.getHours() * 60 + there.getMinutes() === minutes) found.add(one);
    }
  }
  return [...found].sort((one, other) => one - other);
}

function partsOf(moment) {
  const there = new Date(moment);
  return { year: there.getFullYear(), month: there.getMonth(), date: there.getDate() };
}

const two = (number) => String(number).padStart(2, "0");
const clock = (there) => `${two(there.getHours())}:${two(there.getMinutes())}`;
const dayOf = (there) => `${there.toLocaleDateString("en", { weekday: "short" })} ${there.getDate()}`;

function line(pen, x, y, right, bottom) {
  pen.beginPath();
  pen.moveTo(x, y);
  pen.lineTo(right, bottom);
  pen.stroke();
}

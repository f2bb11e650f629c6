// The timeline: a lane for each task, runs as bars, what is planned as hollow marks, and now as a line.
//
// All tasks are known by name; what lies on their lanes is asked for as far as they can be seen. Which part is shown
// is kept in the address, so that it can be sent to somebody, and the back button goes back. timeline_keys.js goes over
// it by keys.

import { get, part } from "./api.js";
import { serviceNow } from "./time.js";
import { readAddress, SPANS, writeAddress } from "./timeline_address.js";
import { drawBars, drawLegend, drawNow, drawPlan, drawRows, drawScale, readColours, ticks } from "./timeline_draw.js";
import { TimelineKeys } from "./timeline_keys.js";
import { Lanes } from "./timeline_lanes.js";
import { AXIS, element, grouped, headingRow, nameRow, ROW, told } from "./timeline_rows.js";
import { toastError } from "./toast.js";

/** Where in the plot the present is, while nobody has moved elsewhere. */
const PRESENT = 0.75;
const MOST_HEIGHT = 480;
/** After how many milliseconds what has changed is asked for anew, and what could not be answered. */
const GATHER_MS = 300, FIRST_RETRY_MS = 1000, LONGEST_RETRY_MS = 8000;
const FINAL = new Set(["completed", "failed", "timeout", "cancelled", "interrupted", "skipped", "missed"]);
const TROUBLE = new Set(["failed", "timeout", "interrupted", "missed"]);

/** @typedef {{start: number, end: number | null, status: string, run_id: string, count: number}} Bar */
/** @typedef {{task_id: string, tags: string[], state: string, runs: number, troubled: number}} Head */
/** @typedef {{head: Head, group?: string} | {text: string, number: number}} Row a lane, or the heading of a group of them */
/** @typedef {{head: Head, bar?: Bar, planned?: number, start: number, end: number}} Mark what lies on a lane */

export class Timeline {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.plot = root.querySelector("#plot");
    this.space = element("div", "space");
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("aria-hidden", "true");
    this.names = element("div", "names");
    this.hover = Object.assign(element("div", "hover"), { hidden: true });
    this.hover.setAttribute("aria-hidden", "true"); // the cells that keys come to say the same
    this.space.append(this.canvas, this.names);
    this.plot.replaceChildren(this.space, this.hover);
    /** @type {Head[]} */
    this.heads = [];
    this.lanes = new Lanes();
    /** @type {{load?: number, loadLanes?: number}} what will be asked for again */
    this.retries = {};
    this.retryMs = 0;
    /** @type {Row[]} */
    this.rows = [];
    this.colours = readColours();
    this.keys = new TimelineKeys(this);
    Object.assign(this, readAddress());
    this.listen();
    drawLegend(root.querySelector("#legend"), this.colours);
    root.querySelector("#timeline-controls").hidden = false;
    this.load();
  }

  // --- what is shown ---------------------------------------------------------------------------

  /** @returns {[number, number]} the first and the last moment in view */
  window() {
    const span = SPANS[this.zoom], middle = this.at ?? serviceNow();
    return [middle - span * PRESENT, middle + span * (1 - PRESENT)];
  }

  // --- what is known ---------------------------------------------------------------------------

  /** Ask for all of it anew. */
  async load() {
    const [since, until] = this.window(), edge = SPANS[this.zoom] / 20;
    // A little more than is seen, so that time may pass before it has to be asked for again.
    const span = { since: new Date(since - edge).toISOString(), until: new Date(until + edge).toISOString() };
    const turn = this.turn = {};
    this.isAsking = true;
    for (const timer of Object.values(this.retries)) clearTimeout(timer);
    try {
      const found = await get("/api/timeline", span);
      if (turn !== this.turn) return;
      this.isAsking = false;
      this.retryMs = 0;
      this.loaded = [since - edge, until + edge];
      this.heads = found.tasks;
      this.lanes.forget(span);
      this.fillTags();
      this.arrange();
    } catch (error) {
      if (turn !== this.turn) return;
      this.isAsking = error.isPassing;
      this.fail(error, "load");
    }
  }

  /** Ask for the lanes that are in view and not known, or no longer. */
  async loadLanes() {
    const { span } = this.lanes, seen = this.seen().flatMap(({ head }) => head?.task_id ?? []);
    const wanted = [...new Set(seen)].filter((id) => this.lanes.lacks(id));
    if (!wanted.length || !span) return;
    try {
      await this.lanes.ask(wanted, Math.min(2000, Math.max(50, Math.round(this.width / 2))));
      if (span !== this.lanes.span) return;
      this.retryMs = 0;
      this.drawSoon();
      if (this.lanes.stale.size) this.lanesSoon();
      else this.loadLanes();
    } catch (error) {
      if (span === this.lanes.span) this.fail(error, "loadLanes");
    }
  }

  /** Tell of an error; of one that passes once, and then ask again. @param {"load" | "loadLanes"} what */
  fail(error, what) {
    if (error.status !== 0 && !this.retryMs) toastError(error);
    if (!error.isPassing) return;
    this.retryMs = Math.min(LONGEST_RETRY_MS, this.retryMs * 2 || FIRST_RETRY_MS);
    clearTimeout(this.retries[what]);
    this.retries[what] = setTimeout(() => this[what](), this.retryMs);
  }

  /** Take in what has happened. @param {{type: string, task_id?: string, run_id?: string, status?: string}} event */
  take(event) {
    if (event.type.startsWith("run.")) this.takeRun(event);
    else this.loadSoon();
  }

  takeRun(event) {
    const head = this.heads.find((one) => one.task_id === event.task_id);
    if (head && FINAL.has(event.status) && this.counts(event)) {
      head.runs += 1;
      if (TROUBLE.has(event.status)) { head.troubled += 1; this.arrange(); }
    }
    this.lanes.take(event);
    if (this.lanes.stale.size) this.lanesSoon();
    this.drawSoon();
  }

  /** @returns {boolean} whether a run is one of those that a lane's name counts: that began in what is shown */
  counts({ started_at, scheduled_for }) {
    const began = Date.parse(started_at ?? scheduled_for), [since, until] = this.loaded;
    return since <= began && began < until;
  }

  lanesSoon() {
    this.gathering ??= setTimeout(() => { this.gathering = null; this.loadLanes(); }, GATHER_MS);
  }

  loadSoon() {
    clearTimeout(this.loading);
    this.loading = setTimeout(() => this.load(), 200);
  }

  // --- rows ------------------------------------------------------------------------------------

  /** Choose the rows: those that match, in their order or by tag. */
  arrange() {
    const words = this.search.toLowerCase();
    const wanted = this.heads.filter((head) => (!words || head.task_id.toLowerCase().includes(words))
      && (!this.tag || head.tags.includes(this.tag)) && (!this.onlyTrouble || head.troubled > 0));
    this.rows = this.byTag ? grouped(wanted) : wanted.map((head) => ({ head }));
    this.sayWhatItIs();
    const height = AXIS + this.rows.length * ROW + 4;
    this.space.style.height = `${Math.max(height, AXIS + 3 * ROW)}px`;
    this.plot.style.height = `${Math.min(MOST_HEIGHT, Math.max(height, AXIS + 3 * ROW))}px`;
    this.showNothing(wanted.length === 0);
    this.fit();
    this.loadLanes();
  }

  /** Where there is nothing to go over, before lanes have come too, there is no grid. */
  sayWhatItIs() {
    const isGrid = this.rows.length > 0;
    this.plot.setAttribute("role", isGrid ? "grid" : "group");
    if (isGrid) {
      this.plot.setAttribute("aria-rowcount", String(this.rows.length));
      this.names.setAttribute("role", "rowgroup");
    } else {
      this.plot.removeAttribute("aria-rowcount");
      this.names.removeAttribute("role");
    }
  }

  showNothing(isEmpty) {
    this.nothing?.remove();
    if (!isEmpty) return;
    this.nothing = element("p", "empty");
    this.nothing.textContent = this.heads.length === 0 ? "No tasks yet: the first one gets its lane here." : "No task matches.";
    this.nothing.style.cssText = `position:absolute;top:${AXIS}px;left:0;right:0;margin:0`;
    this.plot.append(this.nothing);
  }

  /** @returns {any[]} the rows in view, with their place */
  seen() {
    const first = Math.max(0, Math.floor(this.plot.scrollTop / ROW) - 1);
    const last = Math.ceil((this.plot.scrollTop + this.plot.clientHeight) / ROW) + 1;
    return this.rows.slice(first, last).map((row, index) => ({ ...row, place: first + index }));
  }

  showNames() {
    const wanted = new Map(this.seen().map((row) => [`${row.place} ${row.head?.task_id ?? row.text} ${row.head?.troubled ?? ""} ${row.head?.state ?? ""}`, row]));
    for (const item of [...this.names.children]) {
      if (wanted.has(item.dataset.key)) wanted.delete(item.dataset.key);
      else item.remove();
    }
    for (const [key, row] of wanted) {
      const item = row.head ? nameRow(row) : headingRow(row);
      item.dataset.key = key;
      item.dataset.place = String(row.place);
      item.setAttribute("aria-rowindex", String(row.place + 1));
      item.style.top = `${AXIS + row.place * ROW}px`;
      this.names.append(item);
    }
    const sorted = [...this.names.children].sort((one, other) => one.dataset.place - other.dataset.place);
    if (sorted.some((item, place) => item !== this.names.children[place])) this.names.append(...sorted);
  }

  // --- drawing ---------------------------------------------------------------------------------

  /** Let the canvas be as large as the plot. */
  fit() {
    const width = this.plot.clientWidth, height = this.plot.clientHeight, ratio = devicePixelRatio || 1;
    this.left = width < 600 ? 118 : 210;
    this.plot.style.setProperty("--names", `${this.left}px`);
    this.width = width - this.left - 12;
    this.canvas.style.height = `${height}px`;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.drawSoon();
  }

  drawSoon() {
    if (this.drawing) return;
    this.drawing = requestAnimationFrame(() => { this.drawing = 0; this.draw(); });
  }

  draw() {
    const began = performance.now();
    const pen = this.canvas.getContext("2d"), ratio = devicePixelRatio || 1, colours = this.colours;
    this.drawnAt = serviceNow();
    const height = this.canvas.height / ratio, [since, until] = this.window(), now = serviceNow(), x = this.scale();
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    pen.font = `11px ${getComputedStyle(document.body).fontFamily}`;
    const right = this.left + this.width + 12;
    const rows = this.seen().map((row) => ({ top: AXIS + row.place * ROW - this.plot.scrollTop, isHeading: !row.head, isOdd: row.place % 2 === 1 }));
    drawRows(pen, colours, rows, ROW, right);
    drawScale(pen, colours, ticks(since, until, this.zoom, this.width), x, { left: this.left, right, axis: AXIS, height });
    pen.save();
    pen.beginPath();
    pen.rect(this.left, AXIS, this.width + 12, height);
    pen.clip();
    let drawn = 0;
    for (const row of this.seen()) {
      const lane = row.head && this.lanes.get(row.head.task_id);
      if (!lane) continue;
      const middle = AXIS + row.place * ROW - this.plot.scrollTop + ROW / 2;
      drawn += drawBars(pen, colours, lane.bars, x, middle, since, until, now);
      drawPlan(pen, colours, lane.planned, x, middle, Math.max(now, since), until);
    }
    pen.restore();
    if (now >= since && now <= until) drawNow(pen, colours, x(now), AXIS, height);
    this.showNames();
    this.keys.show();
    performance.measure("timeline", { start: began, end: performance.now(), detail: { drawn } });
  }

  // --- people ----------------------------------------------------------------------------------

  listen() {
    const find = (id) => this.root.querySelector(id);
    const search = find("#timeline-search"), tag = find("#timeline-tag");
    const trouble = find("#timeline-trouble"), group = find("#timeline-group");
    this.show = () => {
      search.value = this.search;
      tag.value = this.tag;
      trouble.checked = this.onlyTrouble;
      group.checked = this.byTag;
      for (const button of this.root.querySelectorAll("[data-zoom]")) {
        button.setAttribute("aria-pressed", String(button.dataset.zoom === this.zoom));
      }
    };
    const changed = (isStep) => { writeAddress(this, isStep); this.plot.scrollTop = 0; this.arrange(); };
    search.addEventListener("input", () => { this.search = search.value.trim(); changed(false); });
    tag.addEventListener("change", () => { this.tag = tag.value; changed(true); });
    trouble.addEventListener("change", () => { this.onlyTrouble = trouble.checked; changed(true); });
    group.addEventListener("change", () => { this.byTag = group.checked; changed(true); });
    this.root.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button?.dataset.zoom) this.go({ zoom: button.dataset.zoom });
      else if (button?.dataset.move) this.move(Number(button.dataset.move));
    });
    addEventListener("popstate", () => { Object.assign(this, readAddress()); this.show(); this.load(); });
    addEventListener("themechange", () => this.recolour());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.recolour());
    this.plot.addEventListener("scroll", () => { this.drawSoon(); this.loadLanes(); }, { passive: true });
    new ResizeObserver(() => { this.fit(); this.loadLanes(); }).observe(this.plot);
    this.canvas.addEventListener("pointermove", (event) => this.point(event));
    this.canvas.addEventListener("pointerleave", () => this.tellPointed(null));
    this.canvas.addEventListener("click", (event) => {
      const found = this.under(event);
      if (found) this.open(found);
    });
    setInterval(() => this.pass(), 1000);
    this.show();
  }

  /** @param {{zoom?: string, at?: number | null}} where */
  go(where) {
    Object.assign(this, where);
    writeAddress(this, true);
    this.show();
    this.load();
    this.drawSoon();
  }

  /** Go earlier or later by half of what is seen; 0 goes to the present. @param {number} by */
  move(by) {
    this.go({ at: by === 0 ? null : (this.at ?? serviceNow()) + by * SPANS[this.zoom] / 2 });
  }

  /** Let time pass: the line of now moves on, and everything with it while nobody has moved elsewhere. */
  pass() {
    if (document.hidden || !this.loaded) return;
    if (this.at === null && !this.isAsking && this.window()[1] > this.loaded[1]) this.load();
    // Nothing is drawn anew for less than half a dot.
    if ((serviceNow() - this.drawnAt) * this.width > SPANS[this.zoom] / 2) this.drawSoon();
  }

  recolour() {
    this.colours = readColours();
    drawLegend(this.root.querySelector("#legend"), this.colours);
    this.drawSoon();
  }

  fillTags() {
    const select = this.root.querySelector("#timeline-tag");
    const tags = [...new Set(this.heads.flatMap((head) => head.tags))].sort();
    select.replaceChildren(new Option("All tags", ""), ...tags.map((tag) => new Option(tag, tag)));
    if (this.tag && !tags.includes(this.tag)) select.append(new Option(this.tag, this.tag));
    select.value = this.tag;
  }

  /** @returns {(moment: number) => number} where in the plot a moment lies, from its left */
  scale() {
    const [since, until] = this.window(), perMoment = this.width / (until - since);
    return (moment) => this.left + (moment - since) * perMoment;
  }

  /** @param {Head} head @returns {Mark[] | null} what can be seen on a lane, by time; null where that is not known yet */
  marks(head) {
    const lane = this.lanes.get(head.task_id), [since, until] = this.window(), now = serviceNow();
    if (!lane || since < this.loaded[0] || until > this.loaded[1]) return null;
    const bars = lane.bars.map((bar) => ({ head, bar, start: bar.start, end: bar.end ?? now }));
    const planned = lane.planned.filter((moment) => moment > now).map((moment) => ({ head, planned: moment, start: moment, end: moment }));
    return [...bars, ...planned].filter(({ start, end }) => end >= since && start <= until).sort((one, other) => one.start - other.start);
  }

  /** @param {PointerEvent} event @returns {{head: Head, bar?: Bar, planned?: number} | null} what is under the pointer */
  under(event) {
    const box = this.canvas.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
    if (y < AXIS || x < this.left) return null;
    const head = this.rows[Math.floor((y - AXIS + this.plot.scrollTop) / ROW)]?.head, lane = head && this.lanes.get(head.task_id);
    if (!lane) return null;
    const at = this.scale(), now = serviceNow();
    const bar = lane.bars.findLast((one) => x >= at(one.start) - 3 && x <= Math.max(at(one.end ?? now), at(one.start) + 3) + 3);
    if (bar) return { head, bar };
    const planned = lane.planned.find((moment) => moment > now && Math.abs(at(moment) - x) < 6);
    return planned ? { head, planned } : null;
  }

  point(event) {
    const found = this.under(event), box = this.plot.getBoundingClientRect();
    this.canvas.classList.toggle("over", Boolean(found));
    this.tellPointed(found, event.clientX - box.left, event.clientY - box.top + this.plot.scrollTop);
  }

  /** Tell of what is pointed at; of nothing, of what keys have come to. */
  tellPointed(found, x, y) {
    this.isPointedAt = Boolean(found);
    this.tell(found, x, y);
    if (!found) this.keys.show();
  }

  /** Tell of what lies at a place of the plot; null tells of nothing. @param {{head: Head, bar?: Bar, planned?: number} | null} found */
  tell(found, x, y) {
    this.hover.hidden = !found;
    if (!found) return;
    this.hover.replaceChildren(Object.assign(document.createElement("strong"), { textContent: found.head.task_id }), ...told(found));
    const { clientWidth: width, clientHeight: height, scrollTop: top } = this.plot;
    this.hover.style.left = `${Math.max(4, Math.min(x + 14, width - this.hover.offsetWidth - 20))}px`;
    this.hover.style.top = `${y + 18 + this.hover.offsetHeight > top + height ? y - this.hover.offsetHeight - 10 : y + 18}px`;
  }

  /** Open a run; of what is only planned, the task. @param {{head: Head, bar?: Bar}} found */
  open({ head, bar }) {
    location.assign(bar ? `/runs/${part(bar.run_id)}` : `/tasks/${part(head.task_id)}`);
  }
}

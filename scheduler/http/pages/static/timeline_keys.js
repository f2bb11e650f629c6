// Go over the timeline by keys, as over a grid: one stop of Tab, up and down its lanes, left and right what lies on one.
//
// The plot keeps the focus, and aria-activedescendant names the cell that keys have come to. The first cell of a lane
// is its name. Of what is drawn on it, only the cell that keys have come to is there: a frame around the bar.

import { serviceNow } from "./time.js";
import { AXIS, element, ROW, told } from "./timeline_rows.js";

/** By how much the frame around a mark is wider. */
const ROUND = 4;
let made = 0;

/** @typedef {import("./timeline.js").Mark} Mark */

export class TimelineKeys {
  /** @param {import("./timeline.js").Timeline} timeline */
  constructor(timeline) {
    this.timeline = timeline;
    this.plot = timeline.plot;
    this.isOn = false;
    /** Which lane keys have come to. @type {{task_id: string, group?: string} | null} */
    this.lane = null;
    /** Which moment, also while other lanes are gone through; null: the names of lanes. @type {number | null} */
    this.moment = serviceNow();
    /** Which mark lies there; null: the nearest one. @type {string | null} */
    this.mark = null;
    this.isQuiet = false;
    this.plot.addEventListener("focus", () => { if (this.plot.matches(":focus-visible")) this.come(); });
    this.plot.addEventListener("blur", () => { this.isOn = false; this.clear(); });
    this.plot.addEventListener("keydown", (event) => this.press(event));
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    if (event.target !== this.plot || event.altKey || event.metaKey || !this.timeline.rows.length) return;
    const page = Math.max(1, Math.floor((this.plot.clientHeight - AXIS) / ROW) - 1), rows = this.timeline.rows.length;
    const does = {
      ArrowUp: () => this.climb(-1), ArrowDown: () => this.climb(1), PageUp: () => this.climb(-page), PageDown: () => this.climb(page),
      ArrowLeft: () => this.go((at) => at - 1), ArrowRight: () => this.go((at) => at + 1),
      Home: () => this.go(() => 0), End: () => this.go((_, marks) => marks.length - 1),
      "Control+Home": () => this.climb(-rows), "Control+End": () => this.climb(rows),
      "Shift+ArrowLeft": () => this.shift(-1), "Shift+ArrowRight": () => this.shift(1), "Shift+Home": () => this.shift(0),
      Enter: () => this.open(), Escape: () => { this.isQuiet = true; this.show(); },
    }[`${event.ctrlKey ? "Control+" : ""}${event.shiftKey ? "Shift+" : ""}${event.key}`];
    if (!does) return;
    event.preventDefault();
    this.isQuiet = false;
    does();
  }

  // --- where keys have come to -----------------------------------------------------------------

  /** @returns {{place: number, marks: Mark[] | null, at: number} | null} the row, what lies on it, and which of it: -1 is its name */
  here() {
    const { rows } = this.timeline;
    const place = rows.findIndex(({ head, group }) => head && head.task_id === this.lane?.task_id && group === this.lane.group);
    if (place < 0) return null;
    const marks = this.timeline.marks(rows[place].head);
    if (this.moment === null || !marks) return { place, marks, at: -1 };
    const same = this.mark === null ? -1 : marks.findIndex((mark) => keyOf(mark) === this.mark);
    return { place, marks, at: same >= 0 ? same : nearest(marks, this.moment) };
  }

  /** Begin, or go on where keys have been before. */
  come() {
    this.isOn = true;
    const { rows } = this.timeline;
    if (!this.here()) {
      const first = Math.ceil(this.plot.scrollTop / ROW);
      const place = rows.findIndex((row, index) => row.head && index >= first);
      if (place < 0) return;
      this.setLane(rows[place]);
    }
    this.reveal(this.here().place);
  }

  setLane({ head, group }) {
    this.lane = { task_id: head.task_id, group };
    this.mark = null;
  }

  /** Go up or down; headings are no lanes. @param {number} by */
  climb(by) {
    const { rows } = this.timeline, lanes = rows.flatMap(({ head }, place) => (head ? [place] : [])), from = this.here();
    if (!from || !this.isOn) { this.come(); return; }
    const place = lanes[Math.min(lanes.length - 1, Math.max(0, lanes.indexOf(from.place) + by))];
    if (place !== from.place) this.setLane(rows[place]);
    this.reveal(place);
  }

  /** Go along a lane. @param {(at: number, marks: Mark[]) => number} choose */
  go(choose) {
    const from = this.here();
    if (!from || !this.isOn) { this.come(); return; }
    const marks = from.marks ?? [], to = Math.min(marks.length - 1, Math.max(-1, choose(from.at, marks)));
    if (to >= 0) {
      this.moment = Math.max(marks[to].start, this.timeline.window()[0]);
      this.mark = keyOf(marks[to]);
    } else if (marks.length) {
      this.moment = this.mark = null;
    }
    this.reveal(from.place);
  }

  /** Let the timeline show what was earlier or comes later; 0: the present. */
  shift(by) {
    const before = this.timeline.window()[0];
    this.timeline.move(by);
    this.mark = null;
    if (this.moment !== null) this.moment += this.timeline.window()[0] - before;
    if (!this.isOn) this.come();
  }

  open() {
    const here = this.isOn && this.here();
    if (here) this.timeline.open(here.marks?.[here.at] ?? this.timeline.rows[here.place]);
  }

  // --- what is seen and said of it ---------------------------------------------------------------

  /** Let a row be seen. @param {number} place */
  reveal(place) {
    const top = place * ROW, bottom = AXIS + top + ROW;
    if (this.plot.scrollTop > top) this.plot.scrollTop = top;
    else if (this.plot.scrollTop + this.plot.clientHeight < bottom) this.plot.scrollTop = bottom - this.plot.clientHeight;
    this.timeline.showNames();
    this.rowAt(place)?.scrollIntoView({ block: "nearest" });
    this.show();
  }

  /** @returns {HTMLElement | null} */
  rowAt(place) {
    return this.timeline.names.querySelector(`[data-place="${place}"]`);
  }

  /** Mark what keys have come to, and tell of it: the timeline calls this with all that it draws. */
  show() {
    if (!this.isOn) return;
    const here = this.here(), row = here && this.rowAt(here.place);
    if (!row) { this.clear(); return; }
    // What is asked for anew comes soon: nothing else is said meanwhile.
    if (!here.marks && this.cell?.parentElement === row) return;
    const mark = here.marks?.[here.at];
    if (mark) this.showMark(row, mark);
    else this.showName(row.firstElementChild);
    this.cell.setAttribute("aria-colindex", String(here.at + 2));
    this.plot.setAttribute("aria-colcount", String((here.marks?.length ?? 0) + 1));
    this.plot.setAttribute("aria-activedescendant", this.cell.id);
  }

  showName(name) {
    if (this.cell !== name) {
      this.clear();
      this.cell = name;
      name.id = `cell-${++made}`;
      name.classList.add("at");
    }
    if (!this.timeline.isPointedAt) this.timeline.tell(null);
  }

  /** @param {HTMLElement} row @param {Mark} mark */
  showMark(row, mark) {
    if (this.cell?.parentElement !== row || this.cell.dataset.key !== keyOf(mark)) {
      this.clear();
      this.cell = element("div", "framed", "gridcell");
      this.cell.id = `cell-${++made}`;
      this.cell.dataset.key = keyOf(mark);
      row.append(this.cell);
    }
    const { left, width } = this.frame(mark), { status, count, end } = mark.bar ?? { status: "planned" };
    this.cell.style.left = `${left}px`;
    this.cell.style.width = `${width}px`;
    // Not with every second that a run takes: that would be read aloud.
    const state = `${status} ${count} ${end === null}`;
    if (this.cell.dataset.state !== state) {
      this.cell.dataset.state = state;
      this.cell.setAttribute("aria-label", [mark.head.task_id, ...told(mark).map((line) => line.textContent)].join(", "));
    }
    if (this.timeline.isPointedAt) return;
    this.timeline.tell(this.isQuiet ? null : mark, left + width / 2, Number.parseFloat(row.style.top) + ROW / 2);
  }

  /** @param {Mark} mark @returns where its frame lies: around what is in view of it */
  frame({ start, end }) {
    const x = this.timeline.scale(), { left: least, width: most } = this.timeline;
    const left = Math.max(least, x(start) - ROUND), right = Math.min(least + most + 2 * ROUND, x(end) + ROUND);
    return { left, width: Math.max(2 * ROUND, right - left) };
  }

  /** Mark nothing. */
  clear() {
    if (this.cell?.classList.contains("framed")) this.cell.remove();
    this.cell?.classList.remove("at");
    this.cell = null;
    this.plot.removeAttribute("aria-activedescendant");
    if (!this.timeline.isPointedAt) this.timeline.tell(null);
  }
}

/** @param {Mark} mark */
const keyOf = (mark) => mark.bar?.run_id ?? String(mark.planned);

/** @param {Mark[]} marks @param {number} moment @returns {number} which lies nearest to a moment; -1 where there is none */
function nearest(marks, moment) {
  const far = ({ start, end }) => (moment < start ? start - moment : Math.max(0, moment - end));
  return marks.reduce((best, mark, at) => (best < 0 || far(mark) < far(marks[best]) ? at : best), -1);
}

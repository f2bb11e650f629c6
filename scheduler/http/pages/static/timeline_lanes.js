// What lies on the lanes of the timeline: asked for as lanes come into view, and changed by what happens.
//
// Runs that lie too close to be told apart come as one bar, of which only the worst is known. What happens to another
// of them, or to a lane that is being asked for, is not put together here: such a lane is asked for anew.

import { get } from "./api.js";

const MOST_ASKED = 60;
/** How long the ids that are asked for at once may be in an address, which a server takes up to 8190 characters of. */
const LONGEST_ASKED = 6000;

/** @typedef {import("./timeline.js").Bar} Bar */

export class Lanes {
  constructor() {
    this.forget(null);
  }

  /** Begin with another span, of which nothing is known. @param {{since: string, until: string} | null} span */
  forget(span) {
    this.span = span;
    /** @type {Map<string, {bars: Bar[], planned: number[]}>} */
    this.known = new Map();
    this.asked = new Set();
    this.waiting = new Set();
    this.stale = new Set();
  }

  /** @param {string} id @returns {{bars: Bar[], planned: number[]} | undefined} */
  get(id) {
    return this.known.get(id);
  }

  /** @param {string} id @returns {boolean} whether a lane is to be asked for */
  lacks(id) {
    return !this.waiting.has(id) && (!this.asked.has(id) || this.stale.has(id));
  }

  /**
   * Ask for some lanes, as many at once as may be.
   * @param {string[]} ids @param {number} slots into how many the span is cut
   * @throws {import("./api.js").ApiError} then they are lacking still
   */
  async ask(ids, slots) {
    const names = fitting(ids), { span, asked, waiting, stale, known } = this;
    for (const name of names) { asked.add(name); waiting.add(name); stale.delete(name); }
    try {
      const found = await get("/api/timeline/lanes", { ...span, task_ids: JSON.stringify(names), slots });
      for (const lane of found.lanes) {
        known.set(lane.task_id, { bars: lane.bars.map(asNumbers), planned: lane.planned.map(Date.parse) });
      }
    } catch (error) {
      for (const name of names) asked.delete(name);
      throw error;
    } finally {
      for (const name of names) waiting.delete(name);
    }
  }

  /**
   * Take in what has happened to a run.
   * @param {{type: string, at: string, task_id: string, run_id: string, status: string}} event
   */
  take(event) {
    const { task_id: id, run_id } = event, lane = this.known.get(id), bar = barOf(event);
    if (this.waiting.has(id)) this.stale.add(id);
    if (!lane) return;
    const place = lane.bars.findIndex((one) => one.run_id === run_id);
    // One that has no bar of its own may be one of several in a bar, but for those that are only queued now.
    const isJoint = place < 0 && event.type !== "run.queued" && lane.bars.some((one) => one.count > 1 && holds(one, bar.start));
    if (isJoint || lane.bars[place]?.count > 1) this.stale.add(id);
    else if (place >= 0) lane.bars[place] = bar;
    else if (this.reaches(bar)) lane.bars.push(bar);
  }

  /** @param {Bar} bar @returns {boolean} whether it lies in the span */
  reaches({ start, end }) {
    return start < Date.parse(this.span.until) && (end === null || end >= Date.parse(this.span.since));
  }
}

/** @returns {Bar} one run as an event tells of it */
function barOf({ at, type, started_at, scheduled_for, finished_at, status, run_id }) {
  const end = type === "run.finished" ? Date.parse(finished_at ?? at) : null;
  return { start: Date.parse(started_at ?? scheduled_for), end, status, run_id, count: 1 };
}

/** @param {Bar} bar @param {number} moment */
const holds = ({ start, end }, moment) => start <= moment && (end === null || moment <= end);

function asNumbers(bar) {
  return { ...bar, start: Date.parse(bar.start), end: bar.end === null ? null : Date.parse(bar.end) };
}

/** @param {string[]} names @returns {string[]} the first of them, as many as may be asked for at once */
function fitting(names) {
  let length = 0, count = 0;
  while (count < Math.min(names.length, MOST_ASKED)) {
    length += new URLSearchParams([["", JSON.stringify(names[count])]]).toString().length + 2;
    if (length > LONGEST_ASKED) break;
    count += 1;
  }
  return names.slice(0, count);
}

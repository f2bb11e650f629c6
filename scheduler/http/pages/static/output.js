// The output of a run as it comes: two streams of bytes become lines that can be linked to, searched and followed.

import { nodesOf, Style } from "./ansi.js";

const MOST_LINES = 20000;
const LINES_A_STEP = 1500;
const LONGEST = 20000;
const CUT = /^\[\d+ bytes cut\]$/;

/** One stream: takes text in any pieces, and keeps an element for each line. */
export class Stream {
  /**
   * @param {string} name
   * @param {(element: HTMLElement, stream: Stream) => void} onLine where a new line goes
   * @param {(element: HTMLElement) => void} onMore called with a line that says something else than before
   */
  constructor(name, onLine, onMore) {
    this.name = name;
    this.onLine = onLine;
    this.onMore = onMore;
    this.restart();
  }
  restart() {
    this.style = new Style();
    this.count = 0;
    this.open = null;
    this.rest = "";
    /** @type {HTMLElement[]} */
    this.lines = [];
    this.dropped = 0;
  }
  /** Take text that was written. @param {string} text */
  write(text) {
    const parts = (this.rest + text).split("\n");
    this.rest = parts.pop();
    for (const part of parts) { this.put(part); this.open = null; }
    if (this.rest) this.put(this.rest, true);
  }
  /** @param {string} text @param {boolean} [half] whether more of the line may come */
  put(text, half = false) {
    const before = half || this.open ? this.begun ?? clone(this.style) : null;
    const style = before ? clone(before) : this.style;
    const shown = text.length > LONGEST ? `${text.slice(0, LONGEST)} … ${text.length - LONGEST} more characters` : text;
    const nodes = nodesOf(shown, style);
    if (half) this.begun = before;
    else { this.style = style; this.begun = null; }
    if (this.open) { this.open.lastElementChild.replaceChildren(...nodes); this.onMore(this.open); return; }
    const element = this.element(nodes, CUT.test(text));
    if (half) this.open = element;
  }
  element(nodes, isCut) {
    const number = ++this.count, id = `${this.name}-L${number}`;
    const line = document.createElement("div"), link = document.createElement("a"), code = document.createElement("code");
    line.className = isCut ? "line cut-out" : "line";
    line.dataset.stream = this.name;
    line.id = id;
    link.href = `#${id}`;
    link.tabIndex = -1;
    link.textContent = String(number);
    link.setAttribute("aria-label", `Line ${number}`);
    code.append(...nodes);
    line.append(link, code);
    this.lines.push(line);
    if (this.lines.length > MOST_LINES) { this.lines.shift().remove(); this.dropped++; }
    this.onLine(line, this);
    return line;
  }
}

/** @param {Style} style */
function clone(style) {
  const other = new Style();
  [other.front, other.back, other.set] = [style.front, style.back, new Set(style.set)];
  return other;
}

/** Hands text on in steps, so that the page stays quick, and holds it back while it is paused. */
export class Queue {
  /** @param {() => void} onStep called after each step */
  constructor(onStep) {
    this.onStep = onStep;
    /** @type {{stream: Stream, text: string}[]} */
    this.waiting = [];
    this.paused = false;
    this.planned = false;
  }
  /** @param {Stream} stream @param {string} text */
  add(stream, text) {
    if (!text) return;
    // In pieces of some lines, so that a step is never long.
    let start = 0, lines = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", end + 1)) {
      if (++lines % LINES_A_STEP === 0) { this.waiting.push({ stream, text: text.slice(start, end + 1) }); start = end + 1; }
    }
    if (start < text.length) this.waiting.push({ stream, text: text.slice(start) });
    this.plan();
  }
  pause(paused) { this.paused = paused; this.plan(); this.onStep(); }
  clear() { this.waiting = []; }
  /** Forget what waits of a stream that is read anew. @param {Stream} [stream] */
  drop(stream) { this.waiting = this.waiting.filter((one) => one.stream !== stream); }
  get isEmpty() { return this.waiting.length === 0; }
  get size() { return this.waiting.reduce((sum, { text }) => sum + text.split("\n").length - 1, 0); }
  plan() {
    if (this.planned || this.paused || !this.waiting.length) { if (this.paused) this.onStep(); return; }
    this.planned = true;
    setTimeout(() => {
      this.planned = false;
      let lines = 0;
      while (!this.paused && this.waiting.length && lines < LINES_A_STEP) {
        const { stream, text } = this.waiting.shift();
        lines += 1 + text.length / 80;
        stream.write(text);
      }
      this.onStep();
      this.plan();
    }, 0);
  }
}

/**
 * Read what a run writes to one stream until it has ended.
 * @param {string} path @param {(text: string) => void} on called with nothing as soon as there is an answer @param {AbortSignal} signal
 */
export async function readStream(path, on, signal) {
  const response = await fetch(path, { credentials: "same-origin", signal });
  if (!response.ok) throw new Error(`The log answered ${response.status}.`);
  on("");
  const reader = response.body.getReader(), decoder = new TextDecoder();
  for (;;) {
    const { done, value } = await reader.read();
    on(decoder.decode(value, { stream: !done }));
    if (done) return;
  }
}

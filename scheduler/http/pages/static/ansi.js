// Show what programs write for terminals: colours become spans with classes, all else that only terminals understand goes.

const CONTROL = new RegExp(
  [
    "\\x1b\\[([0-?]*)[ -/]*([@-~])",                      // 1, 2: colours, and where to write
    "\\x1b[\\]PX^_][^\\x07\\x1b]*(?:\\x07|\\x1b\\\\|$)",  // titles and links
    "\\x1b[ -/]*[0-~]?",
    "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f]",
  ].join("|"), "g");
const STYLES = { 1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "inverse", 9: "strike" };
/** Text, ground, and the line below the text, which is not shown in a colour of its own. */
const COLOURED = new Set([38, 48, 58]);
/** What begins so says something else to the terminal. */
const PRIVATE = /^[<=>?]/;
const ENDS = { 22: ["bold", "dim"], 23: ["italic"], 24: ["underline"], 27: ["inverse"], 29: ["strike"] };

/** How what follows is to look: goes on from line to line. */
export class Style {
  constructor() { this.clear(); }
  clear() { this.front = null; this.back = null; this.set = new Set(); }
  /** @returns {string} the classes, or nothing */
  get classes() {
    const found = [...this.set].map((name) => `a-${name}`);
    if (this.front !== null) found.push(`a-f${this.front}`);
    if (this.back !== null) found.push(`a-b${this.back}`);
    return found.join(" ");
  }
  /** @param {string} parameters such as "1;31", or with parts of one parameter, "4:3" */
  apply(parameters) {
    if (PRIVATE.test(parameters)) return;
    const left = parameters.split(";").map((text) => text.split(":").map(Number));
    while (left.length) {
      const [code, ...parts] = left.shift();
      if (COLOURED.has(code)) this.paint(code, parts.length ? withoutSpace(parts) : left.splice(0, lengthOf(left)).flat());
      else if (code === 4 && parts[0] === 0) this.set.delete("underline");
      else this.applyOne(code);
    }
  }
  applyOne(code) {
    if (code === 0) this.clear();
    else if (STYLES[code]) this.set.add(STYLES[code]);
    else if (ENDS[code]) for (const name of ENDS[code]) this.set.delete(name);
    else if (code >= 30 && code <= 37) this.front = code - 30;
    else if (code >= 90 && code <= 97) this.front = code - 82;
    else if (code === 39) this.front = null;
    else if (code >= 40 && code <= 47) this.back = code - 40;
    else if (code >= 100 && code <= 107) this.back = code - 92;
    else if (code === 49) this.back = null;
  }
  /** @param {number} code @param {number[]} colour 5 and one of 256, or 2 and red, green and blue */
  paint(code, [kind, ...colour]) {
    const found = kind === 5 ? of256(colour[0]) : nearest(colour);
    if (code === 38) this.front = found;
    if (code === 48) this.back = found;
  }
}

/** @param {number[]} parts of one parameter; the space of red, green and blue may stand before them @returns {number[]} */
const withoutSpace = ([kind, ...rest]) => [kind, ...(kind === 2 && rest.length > 3 ? rest.slice(1) : rest)];
/** @param {number[][]} left @returns {number} how many parameters say which colour */
const lengthOf = (left) => (left[0]?.[0] === 5 ? 2 : 4);

/**
 * Make nodes of one line; what it says is only ever text.
 * @param {string} line without its end
 * @param {Style} style is changed
 * @returns {Node[]}
 */
export function nodesOf(line, style) {
  // A carriage return writes over the line from its start: progress bars do so.
  const text = line.replace(/\r+$/, ""), from = text.lastIndexOf("\r") + 1;
  const nodes = [];
  let last = 0;
  const add = (end) => {
    if (end <= Math.max(last, from)) return;
    const node = document.createTextNode(text.slice(Math.max(last, from), end)), classes = style.classes;
    if (!classes) { nodes.push(node); return; }
    const span = document.createElement("span");
    span.className = classes;
    span.append(node);
    nodes.push(span);
  };
  for (const found of text.matchAll(CONTROL)) {
    add(found.index);
    last = found.index + found[0].length;
    if (found[2] === "m") style.apply(found[1]);
  }
  add(text.length);
  return nodes;
}

/** @param {number} [number] of 256 @returns {number} the nearest of 16 */
function of256(number = 7) {
  if (number < 16) return number;
  if (number >= 232) { const grey = (number - 232) * 10 + 8; return nearest([grey, grey, grey]); }
  const rest = number - 16, level = (part) => (part ? part * 40 + 55 : 0);
  return nearest([level(Math.floor(rest / 36)), level(Math.floor(rest / 6) % 6), level(rest % 6)]);
}

/** @param {number[]} colour red, green, blue @returns {number} the nearest of 16 */
function nearest([red = 0, green = 0, blue = 0]) {
  const most = Math.max(red, green, blue), bright = most > 190 ? 8 : 0;
  if (most < 50) return 0;
  if (most - Math.min(red, green, blue) < 40) return most > 210 ? 15 : most > 120 ? 7 : 8;
  const on = (part) => (part > most / 2 ? 1 : 0);
  return bright + on(red) + 2 * on(green) + 4 * on(blue);
}

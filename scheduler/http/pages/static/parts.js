// Bring parts of a page up to date: read the page anew, and put what has changed in place of what stands there.

import { html } from "./api.js";
import { localise } from "./time.js";

const PAUSE = 1000;
let last = 0, timer = null, going = false, again = false;

/** Bring `<... data-part="...">` up to date, at most once a second. @param {() => void} [then] */
export function refresh(then = () => {}) {
  if (going) { again = true; return; }
  clearTimeout(timer);
  timer = setTimeout(() => read(then), Math.max(0, last + PAUSE - performance.now()));
}

async function read(then) {
  going = true;
  last = performance.now();
  try {
    const fresh = await html(location.pathname + location.search);
    for (const part of fresh.querySelectorAll("[data-part]")) {
      const old = document.querySelector(`[data-part="${CSS.escape(part.dataset.part)}"]`);
      if (old && !isUsed(old)) put(old, part);
    }
    then();
  } catch {
    // The stream of events says that the connection is lost, and brings all up to date when it is back.
  } finally {
    going = false;
    if (again) { again = false; refresh(then); }
  }
}

/** Whether somebody is about to use something in it. @param {Element} part */
const isUsed = (part) => part.contains(document.activeElement) && document.activeElement.matches("input, select, textarea");

/** @param {Element} old @param {Element} fresh */
function put(old, fresh) {
  const row = old.querySelector("[data-row].current a[data-open]")?.getAttribute("href");
  const focused = old.contains(document.activeElement) ? pathOf(old, document.activeElement) : null;
  const open = [...old.querySelectorAll("details")].map((details) => details.open);
  old.replaceWith(fresh);
  localise(fresh);
  fresh.querySelectorAll("details").forEach((details, place) => { if (open[place] !== undefined) details.open = open[place]; });
  if (row) fresh.querySelector(`[data-row] a[data-open][href="${CSS.escape(row)}"]`)?.closest("[data-row]").classList.add("current");
  if (focused) (row ? fresh.querySelector(`a[data-open][href="${CSS.escape(row)}"]`) : at(fresh, focused))?.focus({ preventScroll: true });
}

const pathOf = (root, element) => {
  const path = [];
  for (let one = element; one !== root; one = one.parentElement) path.unshift([...one.parentElement.children].indexOf(one));
  return path;
};
const at = (root, path) => path.reduce((one, place) => one?.children[place], root);

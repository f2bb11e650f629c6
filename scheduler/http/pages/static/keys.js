// The keyboard: / search, j and k rows, r run, g and a letter go somewhere, ? help.

import { move, press } from "./rows.js";

const PLACES = { d: "/", t: "/tasks", r: "/runs", h: "/rehearsal" };
/** What goes on for as long as a key is held; all else is done once. */
const GOES_ON = new Set(["j", "k"]);
/** @type {Record<string, () => void>} */
const bound = {
  "/": () => { const field = document.querySelector("[data-search]"); field?.focus(); field?.select?.(); },
  j: () => move(1),
  k: () => move(-1),
  r: () => press("run"),
  "?": () => document.getElementById("help").showModal(),
};
/** Whether the next key says where to go, however long it takes: r is not to run anything then. */
let going = false;

/**
 * Let a page have a key of its own.
 * @param {string} key @param {() => void} run @param {{goesOn?: boolean}} [options] whether a key that is held does it again
 */
export function bind(key, run, { goesOn = false } = {}) {
  bound[key] = run;
  if (goesOn) GOES_ON.add(key);
}

/** Listen. */
export function keepKeys() {
  document.addEventListener("keydown", (event) => {
    // A button that has the focus would be pressed again and again.
    if (event.repeat && event.key === "Enter" && event.target.closest?.("button")) event.preventDefault();
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.target.closest?.("input, textarea, select, [contenteditable]")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (document.querySelector("dialog[open]")) return;
    if (event.repeat && !GOES_ON.has(event.key)) return;
    const place = going && PLACES[event.key], run = bound[event.key];
    going = event.key === "g";
    if (place) location.assign(place);
    else run?.();
    if (place || run) event.preventDefault();
  });
  addEventListener("pointerdown", () => { going = false; });
  const button = document.getElementById("help-button");
  button.hidden = false;
  button.addEventListener("click", () => document.getElementById("help").showModal());
}

// The keyboard: / search, j and k rows, r run, g and a letter go somewhere, ? help.

import { move, press } from "./rows.js";

const PLACES = { d: "/", t: "/tasks", r: "/runs", h: "/rehearsal" };
const SECONDS_FOR_A_SECOND_KEY = 1.5;
/** @type {Record<string, () => void>} */
const bound = {
  "/": () => { const field = document.querySelector("[data-search]"); field?.focus(); field?.select?.(); },
  j: () => move(1),
  k: () => move(-1),
  r: () => press("run"),
  "?": () => document.getElementById("help").showModal(),
};
let going = 0;

/** Let a page have a key of its own. @param {string} key @param {() => void} run */
export function bind(key, run) {
  bound[key] = run;
}

/** Listen. */
export function keepKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.target.closest?.("input, textarea, select, [contenteditable]")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (document.querySelector("dialog[open]")) return;
    if (going > performance.now() && PLACES[event.key]) {
      location.assign(PLACES[event.key]);
    } else if (event.key === "g") {
      going = performance.now() + SECONDS_FOR_A_SECOND_KEY * 1000;
      return;
    } else if (bound[event.key]) {
      bound[event.key]();
    } else {
      return;
    }
    going = 0;
    event.preventDefault();
  });
  const button = document.getElementById("help-button");
  button.hidden = false;
  button.addEventListener("click", () => document.getElementById("help").showModal());
}

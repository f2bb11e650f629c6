// The strip of a task's last runs is one link to the list of them, and one stop of Tab. When somebody comes to it by
// mouse or keys, its marks become links to their runs: left and right go over them, Escape goes back to the strip.
//
// They are fetched then: three thousand links would make a page of a hundred tasks three times as large, and links of
// five dots' width serve no finger, whose touch leads to the list.

import { html, part } from "./api.js";
import { localise } from "./time.js";
import { toastError } from "./toast.js";

const STRIP = ".to-runs", MARK = ".marks a";
const STEPS = { ArrowLeft: (at) => Math.max(0, at - 1), ArrowRight: (at, last) => Math.min(last, at + 1), Home: () => 0, End: (_, last) => last };

/** Listen, for all strips that the page has and gets. */
export function keepMarks() {
  document.addEventListener("pointerover", (event) => {
    if (event.target.closest(STRIP)) prepare(event.target);
  });
  document.addEventListener("focusin", (event) => { if (event.target.matches(STRIP)) prepare(event.target); });
  document.addEventListener("keydown", pressed);
}

/** @param {Element} target @returns {HTMLElement} the cell of the strip */
const cellOf = (target) => target.closest(".outcomes");

function prepare(target) {
  const cell = cellOf(target);
  // Until they are there, and where they cannot be had, the strip leads to the list of the same runs.
  if (!cell.querySelector(".marks")) show(cell).catch((error) => console.warn(error.message));
}

/** Put the marks of a task as it is now over its strip; who has come to one stays there. @param {HTMLElement} cell */
async function show(cell) {
  const turn = cell.turn = {};
  const page = await html(`/tasks/${part(cell.closest("[data-row]").dataset.id)}/strip`);
  if (turn !== cell.turn) return;
  const fresh = document.adoptNode(page.querySelector(".marks")), before = cell.querySelector(".marks");
  const focused = before?.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  if (before) before.replaceWith(fresh);
  else cell.append(fresh);
  localise(fresh);
  if (focused) (fresh.querySelector(`[href="${CSS.escape(focused)}"]`) ?? cell.querySelector(STRIP)).focus({ preventScroll: true });
}

async function pressed(event) {
  const on = event.target.closest?.(`${STRIP}, ${MARK}`);
  if (!on || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const cell = cellOf(on), strip = cell.querySelector(STRIP);
  if (event.key === "Escape" && on !== strip) strip.focus();
  if (!STEPS[event.key]) return;
  event.preventDefault();
  try {
    if (!cell.querySelector(".marks")) await show(cell);
    const marks = [...cell.querySelectorAll(MARK)], at = marks.indexOf(on), last = marks.length - 1;
    // From the strip, left leads to the newest and right to the oldest.
    marks[STEPS[event.key](at < 0 && event.key === "ArrowLeft" ? last + 1 : at, last)]?.focus();
  } catch (error) {
    toastError(error);
  }
}

/**
 * Keep the marks that somebody is at while the rows are brought up to date; others are fetched when somebody comes to them.
 * @param {HTMLElement} shown @param {HTMLElement} fresh is given them
 * @returns {() => void} what is to be called when the rows are up to date
 */
export function carryMarks(shown, fresh) {
  const used = shown.querySelector(".outcomes:is(:hover, :focus-within):has(.marks)");
  const cell = used && fresh.querySelector(`[data-id="${CSS.escape(used.closest("[data-row]").dataset.id)}"] .outcomes`);
  if (!cell?.querySelector(STRIP)) return () => {};
  cell.append(used.querySelector(".marks").cloneNode(true));
  return () => show(used).catch((error) => console.warn(error.message));
}

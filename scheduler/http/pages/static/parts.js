// Bring parts of a page up to date: read the page anew, and change what is no longer so.

import { ApiError, html } from "./api.js";
import { addCopyButtons } from "./copy.js";
import { morph, untilReleased } from "./morph.js";
import { localise } from "./time.js";

const PAUSE = 1000;
let last = 0, timer = null, going = false, again = false;

/**
 * Bring `<... data-part="...">` and the title up to date, at most once a second.
 * @param {() => void} [then]
 * @param {(page: Document) => void} [gone] is given what the service says where what the page is about is gone
 */
export function refresh(then = () => {}, gone = () => location.reload()) {
  if (going) { again = true; return; }
  clearTimeout(timer);
  timer = setTimeout(() => read(then, gone), Math.max(0, last + PAUSE - performance.now()));
}

async function read(then, gone) {
  going = true;
  last = performance.now();
  try {
    const fresh = await html(location.pathname + location.search);
    await untilReleased();
    document.title = fresh.title;
    for (const part of fresh.querySelectorAll("[data-part]")) {
      const shown = document.querySelector(`[data-part="${CSS.escape(part.dataset.part)}"]`);
      if (shown) put(shown, part);
    }
    then();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    await untilReleased();
    if (error.status === 404) gone(error.page);
    // Else the stream of events says that the connection is lost, and brings all up to date when it is back.
  } finally {
    going = false;
    if (again) { again = false; refresh(then, gone); }
  }
}

/** Show another page in the place of this one: a reload would keep from yet another who is on the way there. */
export function showInstead(page) {
  document.title = page.title;
  put(document.getElementById("main"), page.getElementById("main"));
}

/** @param {Element} shown is changed @param {Element} fresh the same as the service has it now; is used up */
export function put(shown, fresh) {
  localise(fresh);
  addCopyButtons(fresh);
  morph(shown, fresh);
}

// Bring parts of a page up to date: read the page anew, and change what is no longer so.

import { ApiError, html } from "./api.js";
import { addCopyButtons } from "./copy.js";
import { morph, untilReleased } from "./morph.js";
import { localise } from "./time.js";

const PAUSE = 1000;
/** How long a form that was sent may take to lead to another page, in milliseconds. */
const LEAVING = 30000;
let last = 0, timer = null, going = false, again = false, sentAt = -LEAVING;

// On the window, where it is known whether a module has sent the form in the browser's stead.
addEventListener("submit", (event) => { if (!event.defaultPrevented) sentAt = performance.now(); });

/** Bring `<... data-part="...">` and the title up to date, at most once a second. @param {() => void} [then] */
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
    await untilReleased();
    document.title = fresh.title;
    for (const part of fresh.querySelectorAll("[data-part]")) {
      const shown = document.querySelector(`[data-part="${CSS.escape(part.dataset.part)}"]`);
      if (shown) put(shown, part);
    }
    then();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    // What the page is about is gone: the service says what has become of it. Who has just sent a form, such as the one
    // that removes it, is on the way to another page, from which a reload would keep them.
    if (error.status === 404) {
      if (performance.now() - sentAt < LEAVING) again = true;
      else location.reload();
    }
    // Else the stream of events says that the connection is lost, and brings all up to date when it is back.
  } finally {
    going = false;
    if (again) { again = false; refresh(then); }
  }
}

/** @param {Element} shown is changed @param {Element} fresh the same as the service has it now; is used up */
export function put(shown, fresh) {
  localise(fresh);
  addCopyButtons(fresh);
  morph(shown, fresh);
}

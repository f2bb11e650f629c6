// Send a form once: who presses again, since the answer takes a while, means it once.

/** How long a form may be under way where the browser does not tell that it was stopped, in milliseconds. */
const LONGEST_MS = 30000;
/** @type {Set<EventTarget>} */
const underWay = new Set();

/** Hold back a form that is on its way already; `stayed` is told where none is any more, and the page still there. */
export function sendOnce() {
  // On the window, where it is known whether a module has sent the form in the browser's stead.
  addEventListener("submit", (event) => {
    if (event.defaultPrevented || event.target.getAttribute("method") !== "post") return;
    if (underWay.has(event.target)) { event.preventDefault(); return; }
    underWay.add(event.target);
    if (!window.navigation) setTimeout(stay, LONGEST_MS);
  });
  addEventListener("pageshow", stay);
  window.navigation?.addEventListener("navigateerror", stay);
}

function stay() {
  underWay.clear();
  dispatchEvent(new Event("stayed"));
}

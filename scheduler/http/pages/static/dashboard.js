// Keep the dashboard as things are: what runs with its last line, what comes, what went wrong, and the timeline.

import { html } from "./api.js";
import { follow } from "./events.js";
import { localise, setServiceTime } from "./time.js";
import { Timeline } from "./timeline.js";

const SHORTEST = 120, LONGEST = 1000, QUIET = 2000;
const timeline = new Timeline(document.getElementById("timeline"));
let due = false, busy = false, last = -Infinity, pause = SHORTEST;

setServiceTime(document.getElementById("now").dataset.now);
follow({ output: true }, (event) => {
  if (event.type === "run.output") return showLine(event);
  timeline.take(event);
  return refreshSoon();
});

/** Show what is so now: at once where nothing has changed for a while; where much goes on, once a second. */
function refreshSoon() {
  if (due) return;
  due = true;
  const since = performance.now() - last;
  pause = since > QUIET ? SHORTEST : Math.min(LONGEST, pause * 1.5);
  setTimeout(refresh, Math.max(0, pause - since));
}

async function refresh() {
  if (busy) { setTimeout(refresh, 50); return; }
  due = false;
  busy = true;
  last = performance.now();
  try {
    const found = await html("/dashboard/now");
    setServiceTime(found.getElementById("now").dataset.now);
    for (const part of found.querySelectorAll("[data-part]")) putInPlace(part);
  } catch (error) {
    if (error.status) throw error; // that nobody answers is told by the stream of events
  } finally {
    busy = false;
  }
}

/** Put a part in the place of the one that is shown; who has come to a row in it stays there. */
function putInPlace(part) {
  const before = document.querySelector(`[data-part="${part.dataset.part}"]`);
  const focused = before.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  const current = before.querySelector(".current [data-open]")?.getAttribute("href");
  const children = [...document.importNode(part, true).childNodes];
  before.replaceChildren(...children);
  localise(before);
  const link = (href) => href && [...before.querySelectorAll("a[href]")].find((one) => one.getAttribute("href") === href);
  link(current)?.closest("[data-row]")?.classList.add("current");
  link(focused)?.focus({ preventScroll: true });
}

function showLine({ run_id, text }) {
  const place = document.querySelector(`[data-output="${CSS.escape(run_id)}"]`);
  const line = text.trimEnd().split(/[\n\r]/).at(-1);
  if (place && line) place.textContent = line.slice(0, 300);
}

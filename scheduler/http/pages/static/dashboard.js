// Keep the dashboard as things are: what runs with its last line, what comes, what went wrong, and the timeline.

import { ApiError, html } from "./api.js";
import { follow } from "./events.js";
import { untilReleased } from "./morph.js";
import { put } from "./parts.js";
import { setServiceTime } from "./time.js";
import { Timeline } from "./timeline.js";

const SHORTEST = 120, LONGEST = 1000, QUIET = 2000;
const timeline = new Timeline(document.getElementById("timeline"));
let due = false, busy = false, last = -Infinity, pause = SHORTEST;

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
    const now = (await html("/dashboard/now")).getElementById("now");
    setServiceTime(now.dataset.now);
    await untilReleased();
    put(document.getElementById("now"), now);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error; // that nobody answers is told by the stream of events
  } finally {
    busy = false;
  }
}

function showLine({ run_id, text }) {
  const place = document.querySelector(`[data-output="${CSS.escape(run_id)}"]`);
  const line = text.trimEnd().split(/[\n\r]/).at(-1);
  if (place && line) place.textContent = line.slice(0, 300);
}

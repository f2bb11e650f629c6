// Follow what happens, by one stream for the page, and say where the connection is lost.

import { get } from "./api.js";

const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 30000;
const KINDS = [
  "task.created", "task.updated", "task.paused", "task.resumed", "task.removed", "run.queued", "run.started",
  "run.output", "run.finished", "scheduler.started", "scheduler.stopped", "gap", "scheduler.closing",
];

/**
 * Call `on` with each event until the function that is returned is called.
 *
 * The stream is let go while nobody looks at the page, since a browser has six connections for a service at most,
 * and comes back to the very event where it left off. `onGap` is called where events between are no longer kept:
 * then all must be read anew.
 * @param {{types?: string, tasks?: string[], output?: boolean}} which as GET /api/events takes them
 * @param {(event: {type: string, at: string, task_id?: string, run_id?: string, status?: string}) => void} on
 * @param {() => void} [onGap]
 * @returns {() => void}
 */
export function follow(which, on, onGap = () => location.reload()) {
  let source = null, last = null, timer = null, pause = FIRST_PAUSE, ended = false;

  const open = () => {
    const query = new URLSearchParams();
    if (which.types) query.set("types", which.types);
    for (const task of which.tasks ?? []) query.append("task_id", task);
    if (which.output) query.set("output", "1");
    if (last) query.set("last_event_id", last);
    source = new EventSource(`/api/events?${query}`);
    source.onopen = () => { pause = FIRST_PAUSE; tell(true); };
    source.onerror = () => {
      tell(false);
      // A refusal ends an EventSource for good; what merely broke off it mends by itself.
      if (source?.readyState === EventSource.CLOSED) retry();
    };
    for (const kind of KINDS) {
      source.addEventListener(kind, (message) => {
        if (message.lastEventId) last = message.lastEventId;
        if (kind === "gap") onGap();
        else on(JSON.parse(message.data));
      });
    }
  };
  const close = () => { clearTimeout(timer); source?.close(); source = null; };
  const retry = () => {
    close();
    // An EventSource does not tell why it was refused: where the session is over, any call leads to sign in.
    get("/api/status").catch(() => {});
    timer = setTimeout(open, pause);
    pause = Math.min(pause * 2, LONGEST_PAUSE);
  };
  const look = () => {
    if (ended) return;
    if (document.hidden) close();
    else if (!source) open();
  };
  document.addEventListener("visibilitychange", look);
  addEventListener("pagehide", close);
  addEventListener("pageshow", look);
  look();
  return () => { ended = true; close(); document.removeEventListener("visibilitychange", look); };
}

/** @param {boolean} connected */
function tell(connected) {
  const place = document.getElementById("connection");
  const text = connected ? "" : "Connection lost, trying again";
  if (place && place.textContent !== text) place.textContent = text;
  document.documentElement.dataset.connected = String(connected);
}

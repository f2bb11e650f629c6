// A run's page: what it writes, as it comes; search in it; how it stands; the end of it.

import "./main.js";
import { part, post } from "./api.js";
import { ask } from "./dialog.js";
import { follow } from "./events.js";
import { bind } from "./keys.js";
import { Queue, readStream, Stream } from "./output.js";
import { refresh } from "./parts.js";
import { toast, toastError } from "./toast.js";

const RETRY = 1500;
/** From how many lines on those out of sight are not laid out. */
const MANY = 1500;
const output = document.getElementById("output");
const head = () => document.querySelector('[data-part="head"]');
const run = head().dataset.run;
const ended = () => head().dataset.ended === "true";
const wasLive = !ended();
const tools = output.querySelector(".tools"), together = output.querySelector(".log.together");
const sections = [...output.querySelectorAll("[data-stream]")];
const placeOf = new Map(sections.map((section) => [section.dataset.stream, section.querySelector(".log")]));
const buttons = { follow: tools.querySelector("[data-follow]"), pause: tools.querySelector("[data-pause]") };
let following = wasLive, mode = "apart";

// --- lines --------------------------------------------------------------------------------------

/** @type {Map<string, Stream>} streams that were read anew; of others the lines are those of the page */
const streams = new Map();
const queue = new Queue(step);
let ownScroll = 0;

function place(line, stream) {
  if (stream.count === MANY) for (const log of output.querySelectorAll(".log")) log.classList.add("many");
  (mode === "apart" ? placeOf.get(stream.name) : together).append(line);
  if (query && line.textContent.toLowerCase().includes(query)) mark(line);
}

function step() {
  for (const [name, stream] of streams) {
    const section = sections.find((one) => one.dataset.stream === name);
    const text = `${stream.count} line${stream.count === 1 ? "" : "s"}${stream.dropped ? `, the first ${stream.dropped} in the download only` : ""}`;
    const count = section.querySelector("[data-count]");
    if (count.textContent !== text) count.textContent = text;
  }
  const waiting = queue.paused ? queue.size : 0;
  buttons.pause.textContent = queue.paused ? (waiting ? `Go on (${waiting} lines)` : "Go on") : "Pause";
  output.querySelector(".nothing").hidden = output.querySelector(".line") !== null;
  show();
  if (following) for (const log of output.querySelectorAll(".log")) toEnd(log);
  goToLine();
}

function toEnd(log) {
  ownScroll = performance.now();
  log.scrollTop = log.scrollHeight;
}

/** Show the streams apart or together, and no stream that has nothing, unless both have. */
function show() {
  together.hidden = mode === "apart";
  for (const section of sections) {
    const has = mode === "apart" ? placeOf.get(section.dataset.stream).childElementCount > 0 : false;
    section.querySelector(".log").hidden = !has;
    section.classList.toggle("idle", !has);
  }
}

function change(to) {
  if (mode === to) return;
  mode = to;
  for (const button of tools.querySelectorAll("[data-mode]")) button.setAttribute("aria-pressed", String(button.dataset.mode === to));
  output.querySelector(".together-hint").hidden = to === "apart" || (wasLive && !sections.some((section) => !streams.has(section.dataset.stream)));
  if (to === "together") together.append(...order.length ? order : output.querySelectorAll("[data-stream] .log > *"));
  else for (const line of [...together.children]) placeOf.get(line.dataset.stream ?? line.id.split("-L")[0])?.append(line);
  step();
}

/** Lines in the order they came, where that was seen. @type {HTMLElement[]} */
let order = [];

/** Read a stream from its start; the lines of the page give way to the first of it. */
async function read(name, signal) {
  const stream = new Stream(name, (line) => { order.push(line); place(line, stream); });
  let begun = false;
  try {
    await readStream(`/api/runs/${part(run)}/log?stream=${name}&follow=true`, (text) => {
      if (!begun) {
        begun = true;
        placeOf.get(name).replaceChildren();
        for (const line of together.querySelectorAll(`[data-stream="${name}"]`)) line.remove();
        order = order.filter((line) => line.dataset.stream !== name);
        streams.set(name, stream);
      }
      queue.add(stream, text);
    }, signal);
  } catch (error) {
    if (signal.aborted) return;
    setTimeout(() => { if (!signal.aborted) read(name, signal); }, RETRY);
  }
}

let reading = null;
/** Read while somebody looks: a browser has six connections for a service at most. */
function look() {
  if (document.hidden && !ended()) { reading?.abort(); reading = null; queue.clear(); return; }
  if (reading || (ended() && !sections.some((section) => section.dataset.whole === "false" && !streams.has(section.dataset.stream)) && !wasLive)) return;
  reading = new AbortController();
  for (const section of sections) {
    if (wasLive || section.dataset.whole === "false") read(section.dataset.stream, reading.signal);
  }
}

// --- a line that is linked to -------------------------------------------------------------------

let linked = location.hash;
function goToLine() {
  if (!/^#std(out|err)-L\d+$/.test(linked)) return;
  const line = document.getElementById(linked.slice(1));
  if (!line) return;
  for (const other of output.querySelectorAll(".line.linked")) other.classList.remove("linked");
  line.classList.add("linked");
  line.closest(".log").hidden = false;
  line.scrollIntoView({ block: "center" });
  linked = "";
  setFollowing(false);
}
addEventListener("hashchange", () => { linked = location.hash; goToLine(); });

// --- search -------------------------------------------------------------------------------------

const field = document.getElementById("find"), found = tools.querySelector(".found");
let query = "", at = -1;
const hits = () => [...output.querySelectorAll(".line.hit")].filter((line) => line.offsetParent !== null);
const mark = (line) => line.classList.add("hit");

function search() {
  query = field.value.toLowerCase();
  for (const line of output.querySelectorAll(".line.hit, .line.hit-now")) line.classList.remove("hit", "hit-now");
  at = -1;
  if (query) for (const line of output.querySelectorAll(".line")) if (line.lastElementChild.textContent.toLowerCase().includes(query)) mark(line);
  if (query && hits().length) go(1);
  else found.textContent = query ? "Not found" : "";
}

function go(by) {
  const all = hits();
  if (!all.length) return;
  at = (at + by + all.length) % all.length;
  for (const line of output.querySelectorAll(".hit-now")) line.classList.remove("hit-now");
  all[at].classList.add("hit-now");
  setFollowing(false);
  all[at].scrollIntoView({ block: "nearest" });
  found.textContent = `${at + 1} of ${all.length}`;
}
let typing = null;
field.addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(search, 120); });
field.addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  if (field.value.toLowerCase() !== query) search();
  else go(event.shiftKey ? -1 : 1);
});
for (const button of tools.querySelectorAll("[data-find]")) button.addEventListener("click", () => go(Number(button.dataset.find)));
bind("n", () => go(1));
bind("N", () => go(-1));

// --- follow and pause ---------------------------------------------------------------------------

function setFollowing(on) {
  if (following === on) return;
  following = on;
  buttons.follow.setAttribute("aria-pressed", String(on));
  if (on) step();
}
buttons.follow.addEventListener("click", () => setFollowing(!following));
bind("f", () => setFollowing(!following));
buttons.pause.addEventListener("click", () => {
  queue.pause(!queue.paused);
  buttons.pause.setAttribute("aria-pressed", String(queue.paused));
});
// Whoever scrolls up wants to read, whoever comes to the end to follow.
for (const log of output.querySelectorAll(".log")) {
  log.addEventListener("scroll", () => {
    if (ended() || performance.now() - ownScroll < 150) return;
    setFollowing(log.scrollHeight - log.scrollTop - log.clientHeight < 40);
  });
}
for (const button of tools.querySelectorAll("[data-mode]")) button.addEventListener("click", () => change(button.dataset.mode));

// --- the run itself -----------------------------------------------------------------------------

document.addEventListener("submit", async (event) => {
  if (!event.target.matches("[data-cancel]")) return;
  event.preventDefault();
  if (!await ask({ title: "End this run?", text: "All its processes are ended with it.", confirm: "End the run", danger: true })) return;
  try {
    toast("The run is being ended.");
    const answer = await post(`/api/runs/${part(run)}/cancel`);
    toast(answer.cancelled.length ? "The run is cancelled: all its processes have ended." : "The run had ended by itself.");
  } catch (error) {
    toastError(error);
  }
  refresh(came);
});

function came() {
  buttons.pause.hidden = ended();
  if (ended()) stopListening?.();
}

let stopListening = null;
if (wasLive) {
  buttons.pause.hidden = false;
  buttons.follow.setAttribute("aria-pressed", "true");
  stopListening = follow({ types: "run.queued,run.started,run.finished", tasks: [head().dataset.task] }, (event) => {
    if (event.run_id === run || event.type !== "run.queued") refresh(came);
  }, () => refresh(came));
} else {
  buttons.follow.hidden = true;
}
tools.hidden = false;
document.addEventListener("visibilitychange", look);
look();
step();

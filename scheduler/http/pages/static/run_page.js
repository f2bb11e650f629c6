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
/** Whether nothing changes any more, be it of another attempt. */
const isOver = () => ended() && head().dataset.over === "true";
const wasLive = !ended();
const tools = output.querySelector(".tools"), together = output.querySelector(".log.together");
const sections = [...output.querySelectorAll("[data-stream]")];
const placeOf = new Map(sections.map((section) => [section.dataset.stream, section.querySelector(".log")]));
const buttons = { follow: tools.querySelector("[data-follow]"), pause: tools.querySelector("[data-pause]") };
let following = wasLive, mode = "apart";

// --- lines --------------------------------------------------------------------------------------

/** @type {Map<string, Stream>} streams that were read anew; of others the lines are those of the page */
const streams = new Map();
/** @type {Map<string, Stream>} the last reading of each, whose lines may not be shown yet */
const readings = new Map();
/** Within how many milliseconds of an answer's head comes what was there before it. */
const FROM_BEFORE_MS = 1000;
let isOrderKnown = wasLive;
const linesOfPage = new Map([...placeOf].map(([name, log]) => [name, [...log.children]]));
/** @param {string} name @returns {Element[]} */
const linesOf = (name) => streams.get(name)?.lines ?? linesOfPage.get(name);
/** The how many-th a line of a live run came. @type {WeakMap<Element, number>} */
const turns = new WeakMap();
let lastTurn = 0;
/** Stands between stdout and stderr where they are shown together and it is not known in which order they came. */
const seam = document.createComment("stderr");
const queue = new Queue(step);
let ownScroll = 0;

function place(line, stream) {
  if (streams.get(stream.name) !== stream) exchange(stream);
  if (stream.count === MANY) for (const log of output.querySelectorAll(".log")) log.classList.add("many");
  if (wasLive) turns.set(line, ++lastTurn);
  if (mode === "apart") placeOf.get(stream.name).append(line);
  else if (wasLive || stream.name === "stderr") together.append(line);
  else seam.before(line);
  mark(line);
}

/** Let the lines of a stream that is read anew take the place of those that are shown: no sooner than there is one. */
function exchange(stream) {
  // What was written before comes stream by stream, whatever the order was.
  if (stream.isFromBefore && sections.some(({ dataset: { stream: name } }) => name !== stream.name && linesOf(name).length)) isOrderKnown = false;
  for (const line of linesOf(stream.name)) line.remove();
  // The line that is being placed is one of the new ones already.
  streams.set(stream.name, stream);
}

/** @returns {number} how many lines are held back: of a stream that is read anew, those that are not shown in its old lines */
function countHeldBack() {
  const shown = [...readings.values()].filter((stream) => streams.get(stream.name) !== stream).map(({ name }) => linesOf(name).length);
  return Math.max(0, queue.size - shown.reduce((sum, count) => sum + count, 0));
}

function step() {
  for (const [name, stream] of streams) {
    const section = sections.find((one) => one.dataset.stream === name);
    const text = `${stream.count} line${stream.count === 1 ? "" : "s"}${stream.dropped ? `, the first ${stream.dropped} in the download only` : ""}`;
    const count = section.querySelector("[data-count]");
    if (count.textContent !== text) count.textContent = text;
  }
  const waiting = queue.paused ? countHeldBack() : 0;
  buttons.pause.textContent = queue.paused ? (waiting ? `Go on (${waiting} lines)` : "Go on") : "Pause";
  output.querySelector(".nothing").hidden = output.querySelector(".line") !== null;
  output.querySelector(".together-hint").hidden = mode === "apart" || isOrderKnown;
  show();
  if (following) for (const log of output.querySelectorAll(".log")) toEnd(log);
  goToLine();
  sayFound();
  if (ended() && isRead && queue.isEmpty) endLive();
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
  if (to === "together") putTogether();
  else for (const [name, log] of placeOf) log.append(...linesOf(name));
  step();
}

/** Show the lines of both streams in the order they came; of a run that had ended already, stdout stands first. */
function putTogether() {
  const [first, second] = ["stdout", "stderr"].map(linesOf), turn = (line) => turns.get(line) ?? 0;
  if (wasLive) together.replaceChildren(...[...first, ...second].sort((one, other) => turn(one) - turn(other)));
  else together.replaceChildren(...first, seam, ...second);
}

/** Read a stream from its start to its end, and again where that breaks off. */
async function read(name, signal) {
  while (!signal.aborted) {
    try {
      await readOnce(name, signal);
      return;
    } catch {
      await new Promise((resolve) => { setTimeout(resolve, RETRY); });
    }
  }
}

async function readOnce(name, signal) {
  const stream = new Stream(name, place, mark);
  let began = null;
  await readStream(`/api/runs/${part(run)}/log?stream=${name}&follow=true`, (text) => {
    if (began === null) {
      began = performance.now();
      queue.drop(readings.get(name));
      readings.set(name, stream);
    }
    if (text && performance.now() - began < FROM_BEFORE_MS) stream.isFromBefore = true;
    queue.add(stream, text);
  }, signal);
}

let reading = null, isRead = false;
/** Read while somebody looks: a browser has six connections for a service at most. */
function look() {
  if (document.hidden && !ended()) { reading?.abort(); reading = null; queue.clear(); return; }
  if (reading || (ended() && !sections.some((section) => section.dataset.whole === "false" && !readings.has(section.dataset.stream)) && !wasLive)) return;
  const { signal } = reading = new AbortController();
  const wanted = sections.filter((section) => wasLive || section.dataset.whole === "false");
  Promise.all(wanted.map((section) => read(section.dataset.stream, signal))).then(() => {
    if (signal.aborted) return;
    isRead = true;
    step();
  });
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
let query = "";
const textOf = (line) => line.lastElementChild.textContent.toLowerCase();
const hits = () => [...output.querySelectorAll(".line.hit")].filter((line) => line.offsetParent !== null);
const mark = (line) => line.classList.toggle("hit", query !== "" && textOf(line).includes(query));
const placeIn = (all) => all.findIndex((line) => line.classList.contains("hit-now"));

function search() {
  query = field.value.toLowerCase();
  for (const line of output.querySelectorAll(".hit-now")) line.classList.remove("hit-now");
  for (const line of output.querySelectorAll(".line")) mark(line);
  go(1);
}

function go(by) {
  const all = hits(), at = placeIn(all);
  const next = at < 0 && by < 0 ? all.at(-1) : all[(at + by + all.length) % all.length];
  if (next) {
    for (const line of output.querySelectorAll(".hit-now")) line.classList.remove("hit-now");
    next.classList.add("hit-now");
    setFollowing(false);
    next.scrollIntoView({ block: "nearest" });
  }
  sayFound();
}

/** Say how many lines have what is sought, and which of them is come to. */
function sayFound() {
  const all = query ? hits() : [], at = placeIn(all) + 1;
  const text = all.length ? (at ? `${at} of ${all.length}` : `${all.length} found`) : query && "Not found";
  if (found.textContent !== text) found.textContent = text;
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
bind("n", () => go(1), { goesOn: true });
bind("N", () => go(-1), { goesOn: true });

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
  if (isOver()) stopListening?.();
  step();
}

/** Nothing more comes: there is nothing left to follow or to hold back. */
function endLive() {
  setFollowing(false);
  buttons.follow.hidden = buttons.pause.hidden = true;
}

let stopListening = null;
if (!isOver()) {
  const kinds = "run.queued,run.started,run.finished,scheduler.started,scheduler.stopped";
  stopListening = follow({ types: kinds }, (event) => {
    const isOwn = event.run_id === run || (event.task_id === head().dataset.task && event.type !== "run.queued");
    if (isOwn || !event.task_id) refresh(came);
  }, () => refresh(came));
}
buttons.follow.hidden = buttons.pause.hidden = !wasLive;
buttons.follow.setAttribute("aria-pressed", String(wasLive));
tools.hidden = false;
document.addEventListener("visibilitychange", look);
look();
step();

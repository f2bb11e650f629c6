// The table of tasks: choose rows, act on them by the API, undo, and keep the rows true to what happens.

import { call, get, html, part, post, ApiError } from "./api.js";
import { ask } from "./dialog.js";
import { editMany } from "./edit_many.js";
import { follow } from "./events.js";
import { bind } from "./keys.js";
import { carryMarks, keepMarks } from "./marks.js";
import { untilReleased } from "./morph.js";
import { put } from "./parts.js";
import { currentRow, move, press } from "./rows.js";
import { toast, toastError } from "./toast.js";

const DID = { run: "started", pause: "paused", resume: "resumed", remove: "removed" };
const CHANGE_ALL = ["scheduler.started", "scheduler.stopped"];
/** Orders that runs change. */
const BY_RUNS = new Set(["next", "last", "state"]);
/** So that an id stays within 128 characters. */
const LONGEST_BASE = 110;
const AT_ONCE = 6, MOST_TOLD = 5, TYPING_MS = 250, GATHER_MS = 50, REST_MS = 1000;
const filters = document.getElementById("filters");
/** The row that was ticked last: shift and a click choose all up to it. @type {HTMLInputElement | null} */
let anchor = null;
/** @returns {HTMLInputElement[]} */
const boxes = () => [...document.querySelectorAll("#tasks .pick input")];
/** @returns {string[]} what is chosen */
const ids = () => boxes().filter((box) => box.checked).map((box) => box.closest("[data-row]").dataset.id);
let loading = null, refreshing = null, newest = 0, loadedAt = 0, loadMs = 0;

document.body.classList.add("live");
filters.querySelector(".apply").hidden = true;
filters.addEventListener("submit", (event) => { event.preventDefault(); filter(); });
filters.addEventListener("change", (event) => { if (event.target.name !== "q") filter(); });
filters.q.addEventListener("input", () => { clearTimeout(loading); loading = setTimeout(filter, TYPING_MS); });
addEventListener("popstate", () => load(location.href, true));
document.addEventListener("click", clicked);
document.addEventListener("change", ticked);
document.addEventListener("keydown", pressed);
keepMarks();
bind("x", choose);
bind("e", () => press("edit"));
bind("n", () => document.getElementById("new-task")?.click());
follow({ types: `task.*,run.started,run.finished,${CHANGE_ALL}` }, (event) => { if (matters(event)) refreshSoon(); }, refreshSoon);
tell();

/** Say whether an event may change what is shown: what runs do changes their row, and which rows there are by state or last run. */
function matters(event) {
  if (!event.type.startsWith("run.")) return true;
  const query = new URLSearchParams(location.search), order = query.get("sort")?.replace("-", "") ?? "name";
  return query.has("state") || query.has("last") || BY_RUNS.has(order)
    || document.querySelector(`[data-id="${CSS.escape(event.task_id)}"]`) !== null;
}

/** Show what the filters say, and let the address say the same. */
function filter() {
  clearTimeout(loading);
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(filters)) if (value && !(name === "sort" && value === "name")) query.set(name, value);
  const address = query.size ? `/tasks?${query}` : "/tasks";
  history.replaceState(null, "", address);
  load(address);
}

/**
 * Put the rows of an address in the place of those that are shown; a later call wins.
 * @param {string} address @param {boolean} [filtersToo] whether the filters shall say what the address says
 */
async function load(address, filtersToo = false) {
  const mine = ++newest;
  try {
    const page = await html(address);
    await untilReleased();
    if (mine !== newest) return;
    show(page.getElementById("list"));
    const theirs = page.getElementById("filters");
    filters.querySelector(".clear").hidden = theirs.querySelector(".clear").hidden;
    for (const list of theirs.querySelectorAll("select")) takeOptions(filters.elements[list.name], list);
    for (const { name, value } of filtersToo ? theirs.elements : []) if (filters.elements[name]) filters.elements[name].value = value;
  } catch (error) {
    if (mine === newest) toastError(error);
  }
}

/** Offer what tasks have by now, such as a new tag; what is chosen stays chosen. @param {HTMLSelectElement} shown @param {HTMLSelectElement} fresh */
function takeOptions(shown, fresh) {
  shown.parentElement.hidden = fresh.parentElement.hidden;
  const { value } = shown, values = (list) => JSON.stringify([...list.options].map((option) => option.value));
  if (values(shown) === values(fresh)) return;
  shown.replaceChildren(...fresh.options);
  shown.value = value;
}

/** @param {HTMLElement} list the rows as the service has them now */
function show(list) {
  const shown = document.getElementById("list"), takeUpMarks = carryMarks(shown, list);
  put(shown, list);
  if (!anchor?.isConnected) anchor = null;
  tell();
  takeUpMarks();
}

/** Show what has happened: at once where nothing was shown anew of late, else as often as the service bears. */
function refreshSoon() {
  const rest = loadedAt + Math.max(REST_MS, 10 * loadMs) - performance.now();
  refreshing ??= setTimeout(async () => {
    refreshing = null;
    // Nothing is moved below somebody's hand.
    if (document.querySelector(".menu[open]")) { loadedAt = performance.now(); refreshSoon(); return; }
    const began = loadedAt = performance.now();
    await load(location.href);
    loadMs = performance.now() - began;
  }, Math.max(GATHER_MS, rest));
}

/** Say how many are chosen, and offer what can be done with them. */
function tell() {
  const form = document.getElementById("tasks");
  if (!form) return;
  const all = boxes(), chosen = ids().length, count = document.getElementById("count");
  count.dataset.all ??= count.textContent;
  count.textContent = chosen ? `${chosen} selected` : count.dataset.all;
  form.classList.toggle("chosen", chosen > 0);
  const whole = document.getElementById("pick-all");
  if (whole) { whole.checked = chosen > 0 && chosen === all.length; whole.indeterminate = chosen > 0 && chosen < all.length; }
  for (const box of all) box.closest("[data-row]").toggleAttribute("data-chosen", box.checked);
  form.querySelector('[data-many="duplicate"]')?.removeAttribute("hidden");
}

function ticked(event) {
  if (event.target.id === "pick-all") for (const box of boxes()) box.checked = event.target.checked;
  if (event.target.matches("#tasks input")) tell();
}

function clicked(event) {
  const box = event.target.closest(".pick input");
  if (box) { chooseTo(box, event.shiftKey); return; }
  if (!event.target.closest(".menu")) closeMenus();
  const opened = event.target.closest(".menu > summary")?.parentElement;
  if (opened) closeMenus(opened);
  const link = event.target.closest("#list thead a, #list .pages a");
  if (link && !event.metaKey && !event.ctrlKey && !event.shiftKey) {
    event.preventDefault();
    history.pushState(null, "", link.href);
    load(link.href, true);
    return;
  }
  const button = event.target.closest("#tasks button");
  if (!button) return;
  event.preventDefault();
  // The second click of two was meant as one with the first.
  if (event.detail > 1) return;
  closeMenus();
  if (button.name === "one") {
    const [what, ...rest] = button.value.split(" ");
    act(what, [rest.join(" ")]);
  } else {
    act(button.dataset.many ?? button.value, ids());
  }
}

/** Choose the row that the keys have come to, or not. */
function choose() {
  const box = currentRow()?.querySelector(".pick input");
  if (!box) return;
  box.checked = !box.checked;
  anchor = box;
  tell();
}

/** Let keys go on from a box that was clicked: it is a field, in which they would mean nothing. */
function pressed(event) {
  if (event.key === "Escape") closeMenus();
  const row = event.target.matches?.(".pick input") && !event.ctrlKey && !event.metaKey && !event.altKey && event.target.closest("[data-row]");
  if (!row || !["j", "k", "x"].includes(event.key)) return;
  currentRow()?.classList.remove("current");
  row.classList.add("current");
  event.preventDefault();
  if (event.key !== "x") move(event.key === "j" ? 1 : -1);
  else if (!event.repeat) choose();
}

function chooseTo(box, shift) {
  if (shift && anchor && anchor !== box) {
    const all = boxes(), [from, to] = [all.indexOf(anchor), all.indexOf(box)].sort((a, b) => a - b);
    for (const between of all.slice(from, to + 1)) between.checked = box.checked;
    tell();
  }
  anchor = box;
}

function closeMenus(but = null) {
  for (const menu of document.querySelectorAll(".menu[open]")) {
    if (menu === but) continue;
    if (menu.contains(document.activeElement)) menu.querySelector("summary").focus({ preventScroll: true });
    menu.open = false;
  }
}

// --- what buttons do --------------------------------------------------------------------------

/** What was asked for, and is not answered yet. @type {Set<string>} */
const underWay = new Set();

/** Do what was asked, unless the very same is under way. @param {string} what @param {string[]} which ids */
async function act(what, which) {
  const asked = JSON.stringify([what, ...which]);
  if (!which.length || underWay.has(asked)) return;
  underWay.add(asked);
  try {
    const tellIt = await carryOut(what, which).finally(() => underWay.delete(asked));
    await tellIt?.();
  } catch (error) {
    toastError(error);
  }
}

/** @returns {Promise<(() => Promise<void>) | void>} what says and shows that it was done */
async function carryOut(what, which) {
  if (what === "duplicate") return duplicate(which);
  if (what === "remove") return remove(which);
  if (what === "edit") return editMany(which, () => load(location.href));
  const done = await each(which, (id) => post(`/api/tasks/${part(id)}/${what}`));
  return () => finish(what, which, done);
}

/**
 * Do something to each, a few at a time.
 * @returns {Promise<{id: string, error?: unknown, answer?: any}[]>}
 */
async function each(which, run) {
  const left = [...which], done = [];
  const work = async () => {
    for (let id = left.shift(); id !== undefined; id = left.shift()) {
      try { done.push({ id, answer: await run(id) }); } catch (error) { done.push({ id, error }); }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return done;
}

const named = (which) => (which.length === 1 ? `‘${which[0]}’` : `${which.length} tasks`);
const idsOf = (done) => done.map((one) => one.id);
const isFiled = ({ error }) => error instanceof ApiError && error.code === "managed_by_file";

/** Say what was done and what was not; what a file defines is done only where that is meant. */
async function finish(what, which, done, options = {}) {
  const worked = idsOf(done.filter((one) => !one.error));
  const refused = done.filter((one) => one.error && !isFiled(one)), filed = idsOf(done.filter(isFiled));
  if (worked.length) toast(`${named(worked)} ${DID[what]}.${options.more ?? ""}`, { action: options.undo?.(worked) });
  if (refused.length === 1) toastError(refused[0].error);
  else if (refused.length) tellRefused(refused, DID[what]);
  await load(location.href);
  if (filed.length && await override(filed)) {
    if (what === "remove") await (await remove(filed, true))();
    else await finish(what, filed, await each(filed, (id) => post(`/api/tasks/${part(id)}/${what}`, { override: true })));
  }
}

function tellRefused(refused, did, action) {
  const details = [...new Set(refused.map((one) => one.error.message))].slice(0, MOST_TOLD);
  toast(`${named(idsOf(refused))} could not be ${did}:`, { kind: "bad", details, action });
}

const override = (filed) => ask({
  title: `${named(filed)} ${filed.length === 1 ? "is" : "are"} defined in a file`,
  text: "It is better changed there. What is done here holds only until the entry in the file changes.",
  confirm: "Do it here", danger: true,
});

/**
 * Read the definitions of tasks; those that somebody has removed meanwhile keep back none of the others.
 * @returns {Promise<{kept: object, gone: {id: string, error: ApiError}[]}>}
 * @throws {ApiError} where there is none
 */
async function definitions(which, options = {}) {
  const read = async (tasks) => (await post("/schedule", { action: "export", tasks, ...options })).document;
  try {
    return { kept: await read(which), gone: [] };
  } catch (error) {
    if (error.status !== 404 || which.length === 1) throw error;
  }
  const all = await each(which, (id) => read([id])), found = all.filter((one) => !one.error);
  if (!found.length) throw all[0].error;
  return { kept: { ...found[0].answer, tasks: found.flatMap((one) => one.answer.tasks) }, gone: all.filter((one) => one.error) };
}

/** Remove tasks. Their definitions are kept by this page, so that it can be undone. */
async function remove(which, overriding = false) {
  const { kept, gone } = await definitions(which, { progress: true });
  const query = overriding ? "?override=true" : "";
  const done = await each(kept.tasks.map((task) => task.task_id), (id) => call("DELETE", `/api/tasks/${part(id)}${query}`));
  return () => finish("remove", which, [...done, ...gone], {
    more: " Past runs stay readable; runs under way were ended.",
    undo: (worked) => ({ label: "Undo", run: () => restore(kept, worked) }),
  });
}

/**
 * Make tasks again as they were: definitions, paused or not, moments that intervals count from, runs that are left.
 * What does not come back, since somebody has made another task of that id, or nobody answers, can be asked for again.
 */
async function restore(kept, which) {
  const done = await bringBack(kept, which);
  const worked = idsOf(done.filter((one) => !one.error)), refused = done.filter((one) => one.error);
  if (worked.length) {
    toast(`${named(worked)} ${worked.length === 1 ? "is" : "are"} back with the same definition. Past runs are still there; what was ended stays ended.`);
  }
  if (refused.length) {
    tellRefused(refused, "brought back", { label: "Undo", run: () => restore(kept, idsOf(refused)) });
  }
  await load(location.href);
}

/** All at once; where one of them keeps back the others, each by itself. */
async function bringBack(kept, which) {
  const bring = (some) => {
    const tasks = kept.tasks.filter((task) => some.includes(task.task_id));
    return post("/schedule", { action: "import", tasks: { ...kept, tasks } });
  };
  try {
    await bring(which);
    return which.map((id) => ({ id }));
  } catch (error) {
    if (which.length > 1 && [400, 409].includes(error.status)) return each(which, (id) => bring([id]));
    return which.map((id) => ({ id, error }));
  }
}

/** Make copies that are paused, so that nothing runs twice before somebody has looked. */
async function duplicate(which) {
  const { kept, gone } = await definitions(which);
  const taken = new Set((await get("/api/tasks", { limit: 10000 })).tasks.map((task) => task.id));
  const copies = kept.tasks.map(({ anchor: _, ...task }) => ({ ...task, task_id: free(task.task_id, taken), paused: true }));
  await post("/schedule", { action: "import", tasks: copies });
  return () => {
    const made = copies.map((task) => task.task_id);
    toast(`${named(made)} made, paused: edit, then resume.`, {
      action: { label: "Undo", run: async () => (await remove(made))() },
    });
    if (gone.length) tellRefused(gone, "copied");
    return load(location.href);
  };
}

function free(id, taken) {
  const base = `${[...id].slice(0, LONGEST_BASE).join("")}-copy`;
  let name = base;
  for (let number = 2; taken.has(name); number++) name = `${base}-${number}`;
  taken.add(name);
  return name;
}

// Making and changing a task: what a phrase means while it is written, corrections, colours, paths, a trial, the same request.

import { get, stayHere, ApiError } from "./api.js";
import { colour } from "./code.js";
import { asCurl, isChanged, request } from "./definition.js";
import { offerChoices } from "./picker.js";
import { localise, sayRelative } from "./time.js";
import { offerTrial } from "./trial.js";

const TYPING_MS = 200, AGAIN_MS = 2000, MOST_RUNS = 5;
const form = document.getElementById("task"), preview = document.getElementById("preview");
const { interval, timezone } = form.elements;
const empty = preview.querySelector(":scope > .hint")?.cloneNode(true) ?? document.createElement("p");
/** When the task runs as it stands, which a phrase that is not changed goes on meaning: it counts from when it was given. */
const standing = form.dataset.id && isAsItWas() ? readMeaning() : null;
let asking = null, waiting = null, isUnanswered = false;

stayHere(tellSession);
for (const area of form.querySelectorAll("[data-code]")) colour(area);
if (interval) {
  offerChoices(document.getElementById("picker"), interval);
  for (const field of [interval, timezone]) field?.addEventListener("input", previewSoon);
  // Who comes back from signing in in another tab.
  addEventListener("focus", () => { if (isUnanswered) showPreview(); });
  if (interval.value.trim()) showPreview();
}
offerTrial(form);
offerZones();
for (const field of form.querySelectorAll("[data-paths]")) completePaths(field);
document.getElementById("request").hidden = false;
form.addEventListener("input", showRequest);
form.addEventListener("input", guardChanges);
form.addEventListener("submit", () => removeEventListener("beforeunload", askFirst));
form.addEventListener("click", takeCorrection);
// Some browsers fill in what was typed before, when somebody comes back.
addEventListener("pageshow", () => { showRequest(); guardChanges(); });
// Who stops a form that is on its way has left nothing.
addEventListener("stayed", guardChanges);
showRequest();
(document.querySelector('[aria-invalid="true"]') ?? document.querySelector(".told"))?.focus();

// --- when ---------------------------------------------------------------------------------------

function previewSoon() {
  clearTimeout(waiting);
  waiting = setTimeout(showPreview, TYPING_MS);
}

/** Show what the phrase means; of several answers that of the newest question counts. */
async function showPreview() {
  clearTimeout(waiting);
  isUnanswered = false;
  asking?.abort();
  const mine = asking = new AbortController();
  const text = interval.value.trim();
  if (!text) { preview.replaceChildren(empty); return; }
  if (standing && isAsItWas()) { showMeaning(standing); return; }
  try {
    const query = { interval: text, timezone: timezone?.value.trim() || null, count: MOST_RUNS };
    const found = await get("/api/preview", query, { signal: mine.signal });
    if (mine === asking) showMeaning(found);
  } catch (error) {
    if (mine !== asking || error.name === "AbortError") return;
    if (!(error instanceof ApiError)) throw error;
    if (error.problems.length) showProblems(error);
    else waitForAnswer(error);
  }
}

/** Nothing is known of the phrase: say why, and ask again where that may pass by itself. @param {ApiError} error */
function waitForAnswer({ status, message }) {
  isUnanswered = true;
  const box = make("div", "", "errors");
  box.append(make("p", message));
  preview.replaceChildren(box);
  if (status === 0 || status === 429 || status >= 500) waiting = setTimeout(showPreview, AGAIN_MS);
}

function isAsItWas() {
  const base = JSON.parse(form.dataset.base);
  return interval?.value === base.interval && timezone?.value === base.timezone;
}

/** @returns {{description: string, next_runs: string[], timezone?: string, note?: string}} what the page came with */
function readMeaning() {
  const times = [...preview.querySelectorAll("time")];
  return {
    description: preview.querySelector("strong").textContent, next_runs: times.map((time) => time.dateTime),
    timezone: times[0]?.dataset.zone, note: preview.querySelector(".hint")?.textContent,
  };
}

function showMeaning({ description, next_runs: runs, timezone: zone, note }) {
  mark(interval, false);
  mark(timezone, false);
  const meaning = make("p", "", "meaning");
  meaning.append(make("strong", description));
  const list = make("ol");
  for (const moment of runs) {
    const item = make("li"), time = make("time"), away = make("span", sayRelative(Date.parse(moment)), "away");
    time.dateTime = moment;
    time.dataset.zone = zone;
    item.append(time, away);
    list.append(item);
  }
  preview.replaceChildren(meaning, runs.length ? list : make("p", note ?? "It never runs by itself.", "hint"));
  localise(preview);
}

function showProblems(error) {
  const parts = error.problems.map(({ field, message, suggestion }) => {
    const box = make("div", "", "errors");
    box.append(make("p", message));
    if (typeof suggestion === "string") {
      const button = Object.assign(make("button", `Use ‘${suggestion}’`, "small"), { type: "button", value: suggestion });
      button.dataset.take = field === "timezone" ? "timezone" : "interval";
      box.append(button);
    }
    mark(field === "timezone" ? timezone : interval, true);
    return box;
  });
  preview.replaceChildren(...parts);
}

function mark(field, wrong) {
  if (!field) return;
  if (wrong) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
  // What was said when the form was sent is said anew, or is put right.
  document.getElementById(`e-${field.name}`)?.remove();
}

/** Take a correction by one click, be it one of the preview or one beside a field. */
function takeCorrection(event) {
  const button = event.target.closest("[data-take]");
  if (!button) return;
  event.preventDefault();
  const field = form.elements[button.dataset.take];
  field.value = button.value;
  field.removeAttribute("aria-invalid");
  document.getElementById(`e-${field.name}`)?.remove();
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus();
}

function offerZones() {
  const zones = document.getElementById("zones");
  if (!timezone || !Intl.supportedValuesOf) return;
  zones.append(...["UTC", ...Intl.supportedValuesOf("timeZone")].map((zone) => Object.assign(make("option"), { value: zone })));
}

// --- paths --------------------------------------------------------------------------------------

/** Offer how a path may go on: what lies in the allowed directories. @param {HTMLInputElement} field */
function completePaths(field) {
  const list = document.getElementById("paths");
  let newest = 0;
  const offer = async () => {
    const mine = ++newest;
    let found = [];
    try {
      found = (await get("/api/paths", { prefix: field.value })).paths;
    } catch (error) {
      // A path outside is told when the form is sent; here it merely has no completions.
      if (!(error instanceof ApiError)) throw error;
    }
    if (mine !== newest) return;
    if (field.dataset.paths === "directory") found = found.filter((each) => each.kind === "directory");
    list.replaceChildren(...found.map(({ path }) => Object.assign(make("option"), { value: path })));
  };
  field.addEventListener("focus", offer);
  field.addEventListener("input", offer);
}

// --- the same as a request ----------------------------------------------------------------------

function showRequest() {
  const asked = request(form);
  const json = document.getElementById("as-json"), curl = document.getElementById("as-curl");
  if (asked.method === "PATCH" && !Object.keys(asked.body).length) {
    json.textContent = curl.textContent = "Nothing is changed yet.";
    return;
  }
  json.textContent = `${asked.method} ${asked.path}\n${JSON.stringify(asked.body, null, 2)}`;
  curl.textContent = asCurl(asked, form.dataset.baseUrl, form.dataset.credentials);
}

// --- the session --------------------------------------------------------------------------------

/** Say where the session is over: to be led to sign in would lose what is written. @param {boolean} isOver */
function tellSession(isOver) {
  const place = document.getElementById("session");
  if (isOver === Boolean(place.firstChild)) return;
  const link = Object.assign(make("a", "Sign in in another tab"), { href: "/sign-in", target: "_blank" });
  const notice = make("p", "", "notice bad");
  notice.append("Your session is over. ", link, ", then go on here: nothing that you have written is lost.");
  place.replaceChildren(...(isOver ? [notice] : []));
}

// --- leaving ------------------------------------------------------------------------------------

/** Have the browser ask before changes are left behind; where there are none, nothing listens, so that coming back is quick. */
function guardChanges() {
  if (isChanged(form)) addEventListener("beforeunload", askFirst);
  else removeEventListener("beforeunload", askFirst);
}

function askFirst(event) {
  event.preventDefault();
}

function make(tag, text = "", className = "") {
  return Object.assign(document.createElement(tag), { textContent: text, className });
}

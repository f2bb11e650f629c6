// Try what stands in the form: it runs once, no task is kept, and what it writes is shown as it comes.

import { get, part, post, ApiError } from "./api.js";
import { definition } from "./definition.js";
import { sayDuration } from "./time.js";

const FIRST_MS = 300, LONGEST_MS = 2000;
const TIMES = ["interval", "schedule", "trigger", "schedule_config", "start_at", "until", "max_runs", "jitter_seconds"];
const result = document.getElementById("try-result"), start = document.getElementById("try"), end = document.getElementById("try-cancel");
let going = null;

/** @param {HTMLFormElement} form */
export function offerTrial(form) {
  start.addEventListener("click", (event) => { event.preventDefault(); attempt(form); });
  end.addEventListener("click", () => { if (going) post(`/api/runs/${part(going)}/cancel`).catch(tellError); });
}

async function attempt(form) {
  const tried = definition(form);
  // When it shall run has no part in this, and may not be known yet.
  for (const name of TIMES) delete tried[name];
  start.disabled = true;
  result.replaceChildren(make("p", "Starting …", "soft"));
  try {
    let run = await post("/api/try", { ...tried, schedule_type: "manual" });
    going = run.run_id;
    end.hidden = false;
    for (let pause = FIRST_MS; !run.finished_at; pause = Math.min(pause * 1.5, LONGEST_MS)) {
      show(run);
      await new Promise((resolve) => { setTimeout(resolve, pause); });
      run = await look(run);
    }
    show(run);
  } catch (error) {
    if (error.code === "forbidden_origin") showAgain(form);
    else tellError(error);
  } finally {
    going = null;
    end.hidden = true;
    start.disabled = false;
  }
}

/** Since somebody has signed in anew the form proves nothing any more: the service shows it again, as it was written. */
function showAgain(form) {
  start.disabled = false;
  form.requestSubmit(start);
}

/** @returns {Promise<object>} how a run stands; as it stood, where that could not be answered just now */
async function look(run) {
  try {
    return await get(`/api/runs/${part(run.run_id)}`);
  } catch (error) {
    if (!error.isPassing) throw error;
    return run;
  }
}

function tellError(error) {
  if (!(error instanceof ApiError)) throw error;
  const list = make("ul");
  for (const { field, message } of error.problems) list.append(make("li", `${field}: ${message}`));
  const box = make("div", error.problems.length ? "This cannot be tried yet:" : error.message, "errors bad");
  if (error.problems.length) box.append(list);
  // What has begun can be looked at all the same.
  result.replaceChildren(...(going ? [box, link(going)] : [box]));
}

function show(run) {
  const head = make("p"), status = make("span", run.status, `status ${run.status}`);
  const how = run.signal ? ` by ${run.signal}` : run.exit_code === null ? "" : `, exit code ${run.exit_code}`;
  const took = run.duration_ms === null ? "" : `, in ${sayDuration(run.duration_ms)}`;
  head.append(status, document.createTextNode(`${how}${took} `), link(run.run_id));
  const parts = [head];
  for (const text of [run.reason, run.hint]) if (text) parts.push(make("p", text, "soft"));
  for (const name of ["stdout", "stderr"]) {
    if (run[name]) parts.push(make("p", name, "stream"), Object.assign(make("pre", run[name]), { tabIndex: 0, ariaLabel: name }));
  }
  if (run.finished_at && !run.stdout && !run.stderr) parts.push(make("p", "It wrote nothing.", "soft"));
  result.replaceChildren(...parts);
}

const link = (id) => Object.assign(make("a", "Open the run"), { href: `/runs/${part(id)}` });

function make(tag, text = "", className = "") {
  return Object.assign(document.createElement(tag), { textContent: text, className });
}

// A task's page: days of the year by keyboard, and all that changes.

import "./main.js";
import { ask } from "./dialog.js";
import { follow } from "./events.js";
import { refresh, showInstead } from "./parts.js";

const DAYS = { ArrowUp: -1, ArrowDown: 1, ArrowLeft: -7, ArrowRight: 7 };
const task = document.querySelector('[data-part="head"]').dataset.task;
const heat = document.querySelector("[data-heat]");
const cells = () => [...heat.querySelectorAll("[data-day]")].sort((one, two) => (one.dataset.day < two.dataset.day ? -1 : 1));
const today = () => heat.querySelector(".today > [data-day]");

/** Let one day be reached by Tab, and the others from it by arrow keys. */
function keepHeat() {
  const scroll = heat.closest(".scroll");
  if (today()) scroll.scrollLeft = today().parentElement.offsetLeft - scroll.clientWidth * 0.75;
  letOneBeReached();
  const say = (cell) => { document.getElementById("day-said").textContent = cell ? cell.textContent : "\u00a0"; };
  heat.addEventListener("focusin", (event) => {
    const cell = event.target.closest("[data-day]");
    if (!cell) return;
    for (const other of heat.querySelectorAll('[tabindex="0"]')) other.tabIndex = -1;
    cell.tabIndex = 0;
    say(cell);
  });
  heat.addEventListener("focusout", () => say(null));
  heat.addEventListener("pointerover", (event) => {
    const cell = event.target.closest("td.day")?.firstElementChild;
    if (cell) say(cell);
  });
  heat.addEventListener("keydown", (event) => {
    const all = cells(), place = all.indexOf(event.target);
    if (place < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
    const to = event.key === "Home" ? 0 : event.key === "End" ? all.length - 1 : place + (DAYS[event.key] ?? 0);
    if (to === place && !DAYS[event.key]) return;
    event.preventDefault();
    all[Math.min(all.length - 1, Math.max(0, to))].focus();
  });
}

/** Days that came since are reached by arrow keys alone, like the others. */
function letOneBeReached() {
  const all = cells(), chosen = heat.querySelector('[data-day][tabindex="0"]') ?? today() ?? all[0];
  for (const cell of all) cell.tabIndex = cell === chosen ? 0 : -1;
}

document.addEventListener("submit", async (event) => {
  if (!event.target.matches("[data-remove]") || event.target.dataset.sure) return;
  event.preventDefault();
  const sure = await ask({
    title: `Remove '${task}'?`, text: "Its runs under way are ended. Its past runs stay readable.", confirm: "Remove the task", danger: true,
  });
  if (sure) { event.target.dataset.sure = "true"; event.target.requestSubmit(); }
});

keepHeat();
const kinds = "run.queued,run.started,run.finished,task.*,scheduler.started,scheduler.stopped";
const renew = () => refresh(letOneBeReached, (page) => { stop(); showInstead(page); });
const stop = follow({ types: kinds }, (event) => {
  // What happens to the scheduler is told without a task.
  if (!event.task_id || event.task_id === task) renew();
}, renew);

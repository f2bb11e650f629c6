// A task's page: days of the year by keyboard, and all that changes.

import "./main.js";
import { ask } from "./dialog.js";
import { follow } from "./events.js";
import { refresh } from "./parts.js";

const DAYS = { ArrowUp: -1, ArrowDown: 1, ArrowLeft: -7, ArrowRight: 7 };
const task = document.querySelector('[data-part="head"]').dataset.task;
let day = null;

function cells() {
  return [...document.querySelectorAll("[data-heat] [data-day]")].sort((one, two) => (one.dataset.day < two.dataset.day ? -1 : 1));
}

/** Let one day be reached by Tab, and the others from it by arrow keys. */
function keepHeat() {
  const table = document.querySelector("[data-heat]"), all = cells();
  const scroll = table.closest(".scroll"), today = table.querySelector(".today > [data-day]");
  for (const cell of all) cell.tabIndex = -1;
  const first = all.find((cell) => cell.dataset.day === day) ?? today ?? all[0];
  first.tabIndex = 0;
  if (today) scroll.scrollLeft = today.parentElement.offsetLeft - scroll.clientWidth * 0.75;
  const say = (cell) => { document.getElementById("day-said").textContent = cell ? cell.textContent : "\u00a0"; };
  table.addEventListener("focusin", (event) => {
    const cell = event.target.closest("[data-day]");
    if (!cell) return;
    for (const other of table.querySelectorAll('[tabindex="0"]')) other.tabIndex = -1;
    cell.tabIndex = 0;
    day = cell.dataset.day;
    say(cell);
  });
  table.addEventListener("focusout", () => say(null));
  table.addEventListener("pointerover", (event) => {
    const cell = event.target.closest("td.day")?.firstElementChild;
    if (cell) say(cell);
  });
  table.addEventListener("keydown", (event) => {
    const place = all.indexOf(event.target);
    if (place < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
    const to = event.key === "Home" ? 0 : event.key === "End" ? all.length - 1 : place + (DAYS[event.key] ?? 0);
    if (to === place && !DAYS[event.key]) return;
    event.preventDefault();
    all[Math.min(all.length - 1, Math.max(0, to))].focus();
  });
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
const kinds = "run.queued,run.started,run.finished,task.updated,task.paused,task.resumed";
let heat = document.querySelector("[data-heat]");
follow({ types: kinds, tasks: [task] }, () => refresh(() => {
  const fresh = document.querySelector("[data-heat]");
  if (fresh === heat) return;
  heat = fresh;
  keepHeat();
}));

// The list of runs: the first page is kept as it is now.

import "./main.js";
import { follow } from "./events.js";
import { refresh } from "./parts.js";

const form = document.querySelector(".filters");
for (const select of form.querySelectorAll("select, input[type=date]")) select.addEventListener("change", () => form.requestSubmit());
// What is not narrowed needs not stand in the address.
form.addEventListener("submit", () => {
  for (const field of form.querySelectorAll("input, select")) field.disabled = field.value === "";
});
addEventListener("pageshow", () => { for (const field of form.querySelectorAll(":disabled")) field.disabled = false; });

if (!new URLSearchParams(location.search).has("cursor")) {
  follow({ types: "run.queued,run.started,run.finished" }, () => refresh());
}

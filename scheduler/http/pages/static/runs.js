// The list of runs: the first page is kept as it is now.

import "./main.js";
import { follow } from "./events.js";
import { refresh } from "./parts.js";

const form = document.querySelector(".filters");
/** Keys come past values that are not meant, such as the year 0002: what they choose waits for Enter or the button. */
let byKeys = false;
for (const [kind, are] of [["keydown", true], ["pointerdown", false]]) form.addEventListener(kind, () => { byKeys = are; });
for (const field of form.querySelectorAll("select, input[type=date]")) {
  field.addEventListener("change", () => { if (!byKeys) form.requestSubmit(); });
}
// What is not narrowed needs not stand in the address.
form.addEventListener("formdata", ({ formData }) => {
  for (const name of new Set(formData.keys())) if (formData.get(name) === "") formData.delete(name);
});

if (!new URLSearchParams(location.search).has("cursor")) {
  follow({ types: "run.queued,run.started,run.finished" }, () => refresh());
}

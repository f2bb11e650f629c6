// The list of runs: the first page is kept as it is now.

import "./main.js";
import { follow } from "./events.js";
import { refresh } from "./parts.js";

const form = document.querySelector(".filters");
for (const select of form.querySelectorAll("select, input[type=date]")) select.addEventListener("change", () => form.requestSubmit());
// What is not narrowed needs not stand in the address.
form.addEventListener("formdata", ({ formData }) => {
  for (const name of new Set(formData.keys())) if (formData.get(name) === "") formData.delete(name);
});

if (!new URLSearchParams(location.search).has("cursor")) {
  follow({ types: "run.queued,run.started,run.finished" }, () => refresh());
}

// Edit many tasks in a dialog: the pages that do it without scripts are shown in it, one after the other, so that what is
// asked, shown and done is the same. What was done is told beside the table, and can be undone for as long as that stands.

import { csrf, sendForm, ApiError } from "./api.js";
import { toast } from "./toast.js";

/**
 * @param {string[]} which ids
 * @param {() => void} changed is called when tasks were changed
 */
export async function editMany(which, changed) {
  const chosen = Object.fromEntries(which.map((id) => [`pick.${id}`, "on"]));
  const begin = await step({ csrf: csrf(), many: "edit", back: location.pathname + location.search, ...chosen });
  // Meanwhile another choice may have been answered.
  if (document.querySelector("dialog[open]")) return;
  const dialog = Object.assign(document.createElement("dialog"), { id: "edit-many" });
  const show = (section) => {
    if (section.dataset.step === "done") { dialog.close(); tell(section, changed); changed(); return; }
    dialog.replaceChildren(section);
    section.querySelector("h1").id = "edit-many-title";
    if (!dialog.open) { document.body.append(dialog); dialog.showModal(); }
    const first = ['[aria-invalid="true"]', "select", "h1"].map((which) => section.querySelector(which)).find(Boolean);
    first.focus();
  };
  dialog.setAttribute("aria-labelledby", "edit-many-title");
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => {
    if (!event.target.closest("a.button")) return;
    event.preventDefault();
    dialog.close();
  });
  dialog.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = event.submitter, fields = Object.fromEntries(new FormData(event.target, button));
    button.disabled = true;
    try {
      show(await step(fields));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      tellWithin(event.target, error.message);
    } finally {
      button.disabled = false;
    }
  });
  show(begin);
}

/** Say before a form what is wrong: messages at the edge of the page lie behind a dialog, where nobody can reach them. */
function tellWithin(form, text) {
  const told = form.parentElement.querySelector(":scope > .notice");
  const notice = Object.assign(document.createElement("div"), { className: "notice bad", role: "alert", textContent: text });
  if (told) told.replaceWith(notice);
  else form.before(notice);
  notice.scrollIntoView({ block: "nearest" });
}

/** Send a form as a browser would. @param {Record<string, string>} fields @returns {Promise<HTMLElement>} the next step */
async function step(fields) {
  const page = await sendForm("/tasks", fields, (found) => found.querySelector(".edit-many"));
  return document.adoptNode(page.querySelector(".edit-many"));
}

/** @param {HTMLElement} section what was done, with the form that undoes it */
function tell(section, changed) {
  const form = section.querySelector("form"), undo = form.querySelector("button");
  const details = [...section.querySelectorAll(".refused li")].map((line) => line.textContent);
  toast(`${section.querySelector("h1").textContent}.`, {
    kind: undo ? "good" : "bad", details,
    action: undo && { label: "Undo", run: () => takeBack(Object.fromEntries(new FormData(form)), changed) },
  });
}

/** @throws {ApiError} where nobody tells what became of it */
async function takeBack(fields, changed) {
  try {
    const notice = (await sendForm("/tasks", fields)).querySelector(".notice");
    toast(notice.textContent, { kind: notice.classList.contains("bad") ? "bad" : "good" });
  } finally {
    changed();
  }
}

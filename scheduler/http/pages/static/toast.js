// Say what was done, or what was wrong and what would be right, for a while at the edge of the page.

import { ApiError } from "./api.js";

const SECONDS = 6, LONGER = 14;

/**
 * @param {string} text
 * @param {{kind?: "good" | "bad", action?: {label: string, run: () => void}, details?: string[]}} [options]
 *   `action` is a button, such as one that undoes what was done
 */
export function toast(text, { kind = "good", action, details = [] } = {}) {
  const element = document.createElement("div");
  element.className = `toast ${kind}`;
  element.setAttribute("role", kind === "bad" ? "alert" : "status");
  const paragraph = document.createElement("p");
  paragraph.textContent = text;
  if (details.length) {
    const list = document.createElement("ul");
    for (const detail of details) list.append(Object.assign(document.createElement("li"), { textContent: detail }));
    paragraph.append(list);
  }
  element.append(paragraph);
  const remove = () => element.remove();
  if (action) element.append(button(action.label, "small", () => { remove(); action.run(); }));
  element.append(button("×", "quiet icon small", remove, "Close"));
  document.getElementById("toasts").append(element);
  let timer;
  const wait = () => { timer = setTimeout(remove, (action || kind === "bad" ? LONGER : SECONDS) * 1000); };
  // Nobody has to read against the clock: it stays for as long as it is pointed at, or has the focus.
  for (const kindOf of ["pointerenter", "focusin"]) element.addEventListener(kindOf, () => clearTimeout(timer));
  for (const kindOf of ["pointerleave", "focusout"]) element.addEventListener(kindOf, wait);
  wait();
  return remove;
}

/** Say why a call was refused, with each field that was wrong and what would be right. @param {unknown} error */
export function toastError(error) {
  if (error instanceof ApiError) {
    const several = error.problems.length > 1;
    const details = error.problems.map(({ field, message, suggestion }) =>
      `${several ? `${field}: ${message}.` : ""}${suggestion === null ? "" : ` Try: ${suggestion}`}`.trim());
    toast(several ? "Several things are wrong:" : error.message, { kind: "bad", details: details.filter(Boolean) });
  } else {
    toast(`A fault of this page: ${error}`, { kind: "bad" });
    throw error;
  }
}

function button(label, className, onclick, name) {
  const element = Object.assign(document.createElement("button"), { type: "button", className, textContent: label, onclick });
  if (name) element.setAttribute("aria-label", name);
  return element;
}

// Say what was done, or what was wrong and what would be right, for a while at the edge of the page.

import { ApiError } from "./api.js";

const SECONDS = 6, LONGER = 14;

/**
 * @param {string} text
 * @param {{kind?: "good" | "bad", action?: {label: string, run: () => unknown}, details?: string[]}} [options]
 *   `action` is a button, such as one that undoes what was done: where that fails, it stands there yet
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
  if (action) element.append(button(action.label, "small", () => carryOut()));
  element.append(button("×", "quiet icon small", remove, "Close"));
  document.getElementById("toasts").append(element);
  let timer;
  // Nobody has to read against the clock: it stays for as long as it is pointed at, has the focus, or is at work.
  const holds = new Set();
  const hold = (what) => { holds.add(what); clearTimeout(timer); };
  const release = (what) => {
    holds.delete(what);
    clearTimeout(timer);
    if (!holds.size) timer = setTimeout(remove, (action || kind === "bad" ? LONGER : SECONDS) * 1000);
  };
  const carryOut = async () => {
    if (holds.has("work")) return;
    hold("work");
    try {
      await action.run();
      remove();
    } catch (error) {
      toastError(error);
    } finally {
      release("work");
    }
  };
  for (const [begin, end] of [["pointerenter", "pointerleave"], ["focusin", "focusout"]]) {
    element.addEventListener(begin, () => hold(begin));
    element.addEventListener(end, () => release(begin));
  }
  release();
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

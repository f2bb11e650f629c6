// What stands beside the lanes of the timeline, and what is said of what lies on them.

import { say, sayDuration, sayRelative, serviceNow, viewerZone } from "./time.js";

/** Put tasks below their tags; one with several stands there several times. @param {import("./timeline.js").Head[]} heads */
export function grouped(heads) {
  const tags = [...new Set(heads.flatMap((head) => head.tags))].sort();
  const groups = [...tags.map((tag) => [tag, heads.filter((head) => head.tags.includes(tag))]), ["no tag", heads.filter((head) => !head.tags.length)]];
  return groups.filter(([, some]) => some.length).flatMap(([text, some]) => [{ text, number: some.length }, ...some.map((head) => ({ head }))]);
}

/** Say what is under the pointer. @returns {HTMLElement[]} */
export function told({ bar, planned }) {
  const lines = [];
  if (planned) lines.push(`planned for ${say(new Date(planned))}`, sayRelative(planned));
  else {
    lines.push(bar.count > 1 ? `${bar.count} runs, the worst ${bar.status}` : bar.status, say(new Date(bar.start)));
    if (bar.end !== null) lines.push(`took ${sayDuration(bar.end - bar.start)}`);
    else lines.push(`for ${sayDuration(serviceNow() - bar.start)} so far`);
  }
  lines[lines.length - 1] += ` · ${viewerZone}`;
  return lines.map((text) => Object.assign(document.createElement("div"), { textContent: text }));
}

/** @returns {HTMLElement} the name of a lane, which leads to its task */
export function nameItem(head) {
  const item = element("li", head.state === "paused" || head.state === "disabled" ? "off" : ""), link = element("a", "cut");
  link.href = `/tasks/${encodeURIComponent(head.task_id)}`;
  link.textContent = link.title = head.task_id;
  item.append(link);
  const trouble = head.troubled ? `, ${head.troubled} in trouble` : "";
  link.setAttribute("aria-label", `${head.task_id}: ${head.runs} runs${trouble}`);
  if (head.troubled) {
    const many = element("span", "many");
    many.textContent = String(head.troubled);
    many.setAttribute("aria-hidden", "true");
    item.append(many);
  }
  return item;
}

/** @returns {HTMLElement} the name of a group */
export function headingItem({ text, number }) {
  const item = element("li", "heading");
  item.textContent = `${text} (${number})`;
  return item;
}

/** @param {string} tag @param {string} className */
export function element(tag, className) {
  return Object.assign(document.createElement(tag), { className });
}

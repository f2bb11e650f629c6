// What stands beside the lanes of the timeline, and what is said of what lies on them.

import { part } from "./api.js";
import { say, sayDuration, sayRelative, serviceNow, viewerZone } from "./time.js";

/** How high a lane is, and the scale above all of them. */
export const ROW = 24, AXIS = 26;

/** Put tasks below their tags; one with several stands there several times. @param {import("./timeline.js").Head[]} heads */
export function grouped(heads) {
  const tags = [...new Set(heads.flatMap((head) => head.tags))].sort();
  const groups = [...tags.map((tag) => [tag, heads.filter((head) => head.tags.includes(tag))]), ["no tag", heads.filter((head) => !head.tags.length)]];
  return groups.filter(([, some]) => some.length).flatMap(([text, some]) => [{ text, number: some.length }, ...some.map((head) => ({ head, group: text }))]);
}

/** Say what somebody has come to. @returns {HTMLElement[]} */
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

/** @returns {HTMLElement} a lane's row, with its name, which leads to its task: by Enter where keys have come to it */
export function nameRow({ head, group }) {
  const isOff = head.state === "paused" || head.state === "disabled";
  const row = element("div", isOff ? "lane off" : "lane", "row"), name = element("div", "name", "rowheader"), link = element("a", "cut");
  link.href = `/tasks/${part(head.task_id)}`;
  link.textContent = link.title = head.task_id;
  link.tabIndex = -1;
  const trouble = head.troubled ? `, ${head.troubled} in trouble` : "";
  link.setAttribute("aria-label", `${head.task_id}: ${head.runs} runs${trouble}${group === undefined ? "" : `, ${group}`}`);
  name.append(link);
  if (head.troubled) {
    const many = element("span", "many");
    many.textContent = String(head.troubled);
    many.setAttribute("aria-hidden", "true");
    name.append(many);
  }
  row.append(name);
  return row;
}

/** @returns {HTMLElement} the row of a group's heading */
export function headingRow({ text, number }) {
  const row = element("div", "lane", "row"), name = element("div", "name heading", "rowheader");
  name.textContent = `${text} (${number})`;
  row.append(name);
  return row;
}

/** @param {string} tag @param {string} className @param {string} [role] */
export function element(tag, className, role) {
  const made = Object.assign(document.createElement(tag), { className });
  if (role) made.setAttribute("role", role);
  return made;
}

// Read the form of a task: what each field means, and the call that would do the same. pages/task_fields.py reads it so, too.

import { part } from "./api.js";

const OF_TYPE = {
  command: ["command", "args"], script: ["file_path", "args"], test: ["file_path", "args"], custom: ["custom_script"],
};
const TASK_FIELDS = ["command", "file_path", "custom_script", "args"];

const NUMBER = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;

/** @param {string} kind @param {string} text @returns {unknown} null where it says nothing; what means nothing stays a text */
export function readValue(kind, text) {
  const trimmed = text.trim();
  switch (kind) {
    case "flag": return text === "on";
    case "raw": return trimmed ? text : null;
    case "number": return trimmed ? number(trimmed) : null;
    case "words": return some(text.split(",").map((word) => word.trim()).filter(Boolean));
    case "ticks": return text ? text.split(", ") : [];
    case "lines": return some(lines(text));
    case "paths": return items(text, (line) => line);
    case "targets": return items(text, target);
    case "env": return variables(text);
    default: return trimmed || null;
  }
}

function number(text) {
  const value = NUMBER.test(text) ? Number(text) : NaN;
  return Number.isFinite(value) ? value : text;
}

const some = (list) => (list.length ? list : null);
const lines = (text) => text.split("\n").filter((line) => line.trim());
/** An empty list is written so: a field that is empty says nothing. */
const items = (text, read) => (text.trim() === "[]" ? [] : some(lines(text).map(read)));

/** @returns {unknown} an object where one is written; what only begins as one stays a text, and is judged as that */
function target(line) {
  const text = line.trim();
  try {
    return text.startsWith("{") ? JSON.parse(text) : text;
  } catch {
    return text;
  }
}

function variables(text) {
  const pairs = lines(text).map((line) => {
    const place = line.indexOf("=");
    return place < 0 ? [line.trim(), ""] : [line.slice(0, place).trim(), line.slice(place + 1)];
  });
  return pairs.length ? Object.fromEntries(pairs) : null;
}

/** @param {HTMLElement} field an input, or boxes that are one field together */
function textOf(field) {
  if (field.dataset.kind === "ticks") return [...field.querySelectorAll(":checked")].map((box) => box.value).join(", ");
  return field.type === "checkbox" ? (field.checked ? "on" : "") : field.value;
}

/**
 * @param {HTMLFormElement} form
 * @returns {{type: string, fields: Record<string, unknown>, gone: string[]}} what was changed since the form was shown;
 *   `gone` are fields whose value was taken away, which a PATCH cannot say
 */
function changes(form) {
  const base = JSON.parse(form.dataset.base), type = typeOf(form), before = form.dataset.type ?? null;
  const whole = JSON.parse(form.dataset.whole), wholes = {}, fields = type === before ? {} : { type }, gone = [];
  for (const input of form.querySelectorAll("[data-kind]")) {
    const { name } = input, text = textOf(input);
    const isTasks = TASK_FIELDS.includes(name);
    if (isTasks && !OF_TYPE[type]?.includes(name)) continue;
    if (text === (base[name] ?? "") && !(type !== before && isTasks && text.trim())) continue;
    const value = text === input.dataset.usual ? null : readValue(input.dataset.kind, text);
    const [outer, inner] = name.split(".");
    if (inner) (wholes[outer] ??= { ...whole[outer] })[inner] = value;
    else if (value !== null) fields[name] = value;
    else if ("cleared" in input.dataset) fields[name] = JSON.parse(input.dataset.cleared);
    else gone.push(name);
  }
  // A field that is shown in parts is sent whole, with the parts that were not changed as they were.
  for (const [name, parts] of Object.entries(wholes)) {
    const left = Object.entries(parts).filter(([, value]) => value !== null);
    if (left.length) fields[name] = Object.fromEntries(left);
    else if (name in whole) gone.push(name);
  }
  return { type, fields, gone };
}

const FIRST_TYPE = "command";
const typeOf = (form) => form.querySelector('[name="type"]:checked, [name="type"][type="hidden"]')?.value ?? FIRST_TYPE;

/** @param {HTMLFormElement} form @returns {boolean} whether anything in it is not as it is kept, or as a new form has it */
export function isChanged(form) {
  const base = JSON.parse(form.dataset.base), id = form.elements.task_id;
  return typeOf(form) !== (form.dataset.type ?? FIRST_TYPE) || (id !== undefined && id.value !== id.defaultValue)
    || [...form.querySelectorAll("[data-kind]")].some((field) => textOf(field) !== (base[field.name] ?? ""));
}

/** @param {HTMLFormElement} form @returns {Record<string, unknown>} the whole definition as it would be after saving */
export function definition(form) {
  const { type, fields, gone } = changes(form);
  const { task_id: _, ...whole } = { ...JSON.parse(form.dataset.whole) };
  if ("interval" in fields) for (const name of ["schedule", "trigger", "schedule_type", "schedule_config"]) delete whole[name];
  for (const name of gone) delete whole[name];
  if (form.dataset.type && type !== form.dataset.type) {
    for (const name of TASK_FIELDS) if (!OF_TYPE[type]?.includes(name)) delete whole[name];
  }
  const id = form.dataset.id ?? form.elements.task_id?.value.trim();
  return { ...(id ? { task_id: id } : {}), ...whole, ...fields };
}

/** @param {HTMLFormElement} form @returns {{method: string, path: string, body: object, headers: Record<string, string>}} */
export function request(form) {
  if (!form.dataset.id) return { method: "POST", path: "/api/tasks", body: definition(form), headers: {} };
  const { fields, gone } = changes(form);
  const headers = { "If-Match": `"${form.elements.seen.value}"` };
  const path = `/api/tasks/${part(form.dataset.id)}`;
  if (form.elements.override?.checked) fields.override = true;
  if (!gone.length) return { method: "PATCH", path, body: fields, headers };
  const { task_id: _, ...body } = definition(form);
  return { method: "PUT", path, body: fields.override ? { ...body, override: true } : body, headers };
}

/** @param {{method: string, path: string, body: object, headers: Record<string, string>}} asked @param {string} base @param {string} credentials */
export function asCurl({ method, path, body, headers }, base, credentials) {
  const lines = [`curl -X ${method} ${quote(base + path)}`];
  if (credentials === "NAME") lines.push("-u NAME");
  if (credentials === "TOKEN") lines.push("-H 'Authorization: Bearer TOKEN'");
  lines.push("-H 'Content-Type: application/json'");
  for (const [name, value] of Object.entries(headers)) lines.push(`-H ${quote(`${name}: ${value}`)}`);
  lines.push(`-d ${quote(JSON.stringify(body))}`);
  return lines.join(" \\\n  ");
}

/** @param {string} text @returns {string} one word of a shell, whatever is in it */
const quote = (text) => (/^[\w:/.%@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

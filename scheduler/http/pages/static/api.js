// Ask the API as any client does: the browser's cookie says who asks, and a token of the page that it is ours.

import { setServiceTime } from "./time.js";

/** What a refused call says: `message` for people, `problems` with `field`, `message` and `suggestion` each. */
export class ApiError extends Error {
  /**
   * @param {number} status the HTTP number; 0 where nothing came back
   * @param {{code?: string, message?: string, problems?: Problem[]}} body
   */
  constructor(status, body) {
    super(body.message ?? `The service answered ${status}.`);
    this.status = status;
    this.code = body.code ?? "unknown";
    /** @type {Problem[]} */
    this.problems = body.problems ?? [];
    this.body = body;
    /** What the service shows instead, where it is a page that it refused. @type {Document | null} */
    this.page = null;
  }
  /** Whether the same may be answered a little later: nothing came back, or the service is not ready or has too much to do. */
  get isPassing() {
    return [0, 429, 502, 503, 504].includes(this.status);
  }
}
/** @typedef {{field: string, message: string, got: unknown, accepted: unknown[], suggestion: unknown}} Problem */

const OVER = "The session is over: sign in again.";
/** Where the session is over one goes to sign in, and comes back here. @param {boolean} isOver */
let tellSession = (isOver) => {
  if (isOver) location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
};

/** Let no call lead away from a page on which somebody writes. @param {(isOver: boolean) => void} tell is told by each answer */
export function stayHere(tell) {
  tellSession = tell;
}

/** @returns {string} what proves that a request comes from this page */
export function csrf() {
  return document.querySelector('meta[name="csrf"]').content;
}

/**
 * Call the API; the answer's JSON, or null where there is none.
 * @param {string} method
 * @param {string} path such as `/api/tasks/${part(id)}/run`
 * @param {object} [body] sent as JSON
 * @param {{signal?: AbortSignal, headers?: Record<string, string>}} [options]
 * @returns {Promise<any>}
 * @throws {ApiError}
 */
export async function call(method, path, body, options = {}) {
  const headers = { Accept: "application/json", ...options.headers };
  if (method !== "GET") headers["X-CSRF-Token"] = csrf();
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const response = await reach(path, {
    method, headers, signal: options.signal, body: body === undefined ? undefined : JSON.stringify(body),
  });
  tellSession(response.status === 401);
  if (response.status === 401) throw new ApiError(401, { code: "unauthorized", message: OVER });
  const text = await response.text();
  const answer = text && response.headers.get("Content-Type")?.includes("json") ? JSON.parse(text) : {};
  if (!response.ok) throw new ApiError(response.status, answer);
  return text ? answer : null;
}

/** @param {string} path @param {Record<string, unknown>} [query] what is null or undefined is left out */
export function get(path, query = {}, options = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined);
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return call("GET", text ? `${path}?${text}` : path, undefined, options);
}

/** @param {string} path @param {object} [body] */
export const post = (path, body) => call("POST", path, body);

/** @param {string} text an id @returns {string} the same as one segment of a path; one of dots alone would be taken out */
export const part = (text) => encodeURIComponent(/^\.\.?$/.test(text) ? `${text} ` : text);

/**
 * Read a piece of HTML that the service makes, such as a part of this page as it is now.
 * @param {string} path
 * @returns {Promise<Document>}
 */
export function html(path, options = {}) {
  return page(path, { signal: options.signal });
}

/**
 * Send a form of the pages, and read the page that answers it.
 * @param {string} path
 * @param {Record<string, string>} fields with the token that forms carry
 * @param {(page: Document) => unknown} [isTaken] whether a page is an answer though the service refuses: the form, with what is wrong
 * @returns {Promise<Document>}
 */
export function sendForm(path, fields, isTaken) {
  return page(path, { method: "POST", body: new URLSearchParams(fields) }, isTaken);
}

async function page(path, options, isTaken = () => false) {
  const response = await reach(path, { headers: { Accept: "text/html" }, ...options });
  if (response.redirected && new URL(response.url).pathname === "/sign-in") {
    tellSession(true);
    throw new ApiError(401, { code: "unauthorized", message: OVER });
  }
  const found = new DOMParser().parseFromString(await response.text(), "text/html");
  if (found.body.dataset.now) setServiceTime(found.body.dataset.now);
  if (response.ok || isTaken(found)) return found;
  const message = found.querySelector(".message")?.textContent ?? `The page answered ${response.status}.`;
  throw Object.assign(new ApiError(response.status, { message }), { page: found });
}

/** @param {string} path @param {RequestInit} options @returns {Promise<Response>} */
async function reach(path, options) {
  try {
    return await fetch(path, { credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, { code: "unreachable", message: "The service cannot be reached. Is it running?" });
  }
}

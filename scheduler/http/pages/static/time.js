// Say times to the viewer: in their own zone with the task's beside it, and spans that go on. One timer for all.
//
// <time datetime="ISO" data-zone="Europe/Berlin">        the moment; another zone than the viewer's is told beside it
// <time datetime="ISO" data-zone="..." data-relative>    "5 min ago"
// <time datetime="ISO" data-zone="..." data-countdown>   "4:05"
// <time datetime="ISO" data-zone="..." data-elapsed>     "4:05" since then

const MINUTE = 60, HOUR = 3600, DAY = 86400;
export const viewerZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/** By how many milliseconds this machine's clock is behind the service's. */
let behind = 0;

/** @param {string} iso what time the service has now */
export function setServiceTime(iso) {
  behind = Date.parse(iso) - Date.now();
}

/** @returns {number} the present by the service's clock, in milliseconds */
export const serviceNow = () => Date.now() + behind;

/** @param {Date} moment @param {string} zone @returns {string} `2026-11-27 16:56:35` */
export function say(moment, zone = viewerZone) {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat("sv-SE", {
      timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
    });
    formats.set(zone, format);
  }
  return format.format(moment);
}

/** @param {number} seconds a whole number @returns {string} the same words as pages/words.py has */
export function saySpan(seconds) {
  if (seconds < MINUTE) return `${seconds} s`;
  if (seconds < HOUR) {
    const minutes = Math.floor(seconds / MINUTE), rest = seconds % MINUTE;
    return minutes < 5 && rest ? `${minutes} min ${rest} s` : `${minutes} min`;
  }
  if (seconds < 2 * DAY) {
    const whole = Math.floor(seconds / MINUTE), hours = Math.floor(whole / 60), rest = whole % 60;
    return hours < 10 && rest ? `${hours} h ${rest} min` : `${hours} h`;
  }
  return `${Math.floor(seconds / DAY)} days`;
}

/** @param {number} moment @param {number} now in milliseconds */
export function sayRelative(moment, now = serviceNow()) {
  const seconds = Math.round((moment - now) / 1000);
  if (seconds === 0) return "now";
  return seconds > 0 ? `in ${saySpan(seconds)}` : `${saySpan(-seconds)} ago`;
}

/** @param {number} seconds @returns {string} `4:05`, `2:04:05`, `3 days` */
export function sayClock(seconds) {
  if (seconds >= 2 * DAY) return `${Math.floor(seconds / DAY)} days`;
  const hours = Math.floor(seconds / HOUR), rest = seconds % HOUR;
  const two = (number) => String(number).padStart(2, "0");
  const minutes = Math.floor(rest / 60);
  return hours ? `${hours}:${two(minutes)}:${two(rest % 60)}` : `${minutes}:${two(rest % 60)}`;
}

/** @param {number} milliseconds */
export function sayDuration(milliseconds) {
  if (milliseconds === null || milliseconds === undefined) return "–";
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 60000) return `${(milliseconds / 1000).toFixed(1)} s`;
  return saySpan(Math.round(milliseconds / 1000));
}

/** Make all times below `root` the viewer's. @param {ParentNode} root */
export function localise(root = document) {
  for (const element of root.querySelectorAll("time[datetime]:not([data-done])")) {
    const moment = new Date(element.dateTime), zone = element.dataset.zone ?? viewerZone;
    const mine = say(moment), theirs = say(moment, zone);
    element.dataset.done = "";
    element.title = mine === theirs ? `${mine} ${viewerZone}` : `${mine} ${viewerZone}\n${theirs} ${zone}`;
    if ("relative" in element.dataset || "countdown" in element.dataset || "elapsed" in element.dataset) continue;
    element.textContent = mine;
    if (mine !== theirs) {
      const beside = document.createElement("span");
      beside.className = "theirs";
      beside.textContent = `${theirs.slice(0, 10) === mine.slice(0, 10) ? theirs.slice(11) : theirs} ${zone}`;
      element.append(" ", beside);
    }
  }
  tick(root);
}

function tick(root = document) {
  const now = serviceNow();
  for (const element of root.querySelectorAll("time[data-relative], time[data-countdown], time[data-elapsed]")) {
    const moment = Date.parse(element.dateTime);
    const seconds = Math.floor((moment - now) / 1000);
    let text;
    if ("relative" in element.dataset) text = sayRelative(moment, now);
    else if ("countdown" in element.dataset) text = seconds <= 0 ? "now" : sayClock(seconds);
    else text = sayClock(Math.max(0, Math.floor((now - moment) / 1000)));
    if (element.textContent !== text) element.textContent = text;
  }
}

/** Keep what counts true, for as long as somebody looks. */
export function keepTime() {
  localise();
  setInterval(() => { if (!document.hidden) tick(); }, 1000);
  document.addEventListener("visibilitychange", () => tick());
}

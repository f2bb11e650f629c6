// Which part of the timeline is shown, as the address says it.

const HOUR = 3_600_000, DAY = 24 * HOUR;
/** How many milliseconds are in view, by zoom. */
export const SPANS = { hour: HOUR, day: DAY, week: 7 * DAY };
/** Around what lies between these, all that is in view is of the years that the API reads. */
const FIRST = Date.parse("1900-02-01T00:00Z"), LAST = Date.parse("9000-12-01T00:00Z");

/** @typedef {{zoom: string, at: number | null, search: string, tag: string, onlyTrouble: boolean, byTag: boolean}} Place */

/** @returns {Place} what the address asks for; what cannot be meant is left out */
export function readAddress() {
  const query = new URLSearchParams(location.search), at = Date.parse(query.get("at") ?? "");
  return {
    zoom: Object.hasOwn(SPANS, query.get("zoom")) ? query.get("zoom") : "day",
    at: FIRST < at && at < LAST ? at : null,
    search: query.get("q") ?? "",
    tag: query.get("tag") ?? "",
    onlyTrouble: query.get("trouble") === "1",
    byTag: query.get("by") === "tag",
  };
}

/** @param {Place} place @param {boolean} isStep whether the back button shall come back to what was before */
export function writeAddress({ zoom, at, search, tag, onlyTrouble, byTag }, isStep) {
  const query = new URLSearchParams();
  if (zoom !== "day") query.set("zoom", zoom);
  if (at !== null) query.set("at", new Date(at).toISOString());
  if (search) query.set("q", search);
  if (tag) query.set("tag", tag);
  if (onlyTrouble) query.set("trouble", "1");
  if (byTag) query.set("by", "tag");
  const path = `${location.pathname}${query.size ? `?${query}` : ""}`;
  if (isStep) history.pushState(null, "", path);
  else history.replaceState(null, "", path);
}

// Go through rows by j and k. A row is any element with data-row; Enter opens the link in it that has data-open (or its first link).

/** @returns {HTMLElement[]} the rows that can be seen */
const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent !== null);

/** @returns {HTMLElement | null} the row that j and k have come to */
export const currentRow = () => document.querySelector("[data-row].current");

/** @param {number} by how many rows on */
export function move(by) {
  const all = rows();
  if (!all.length) return;
  const before = all.indexOf(currentRow());
  const after = before < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, before + by));
  all[before]?.classList.remove("current");
  all[after].classList.add("current");
  const link = all[after].querySelector("[data-open], a[href]");
  link?.focus({ preventScroll: true });
  all[after].scrollIntoView({ block: "nearest" });
}

/**
 * Press the button of the current row, or the one of the page that belongs to no row: `<button data-does="run">`.
 * Where somebody has removed the row, it is not another one's that is meant.
 * @param {string} what
 */
export function press(what) {
  const row = currentRow(), all = [...(row ?? document).querySelectorAll(`[data-does="${CSS.escape(what)}"]`)];
  all.find((button) => row || !button.closest("[data-row]"))?.click();
}

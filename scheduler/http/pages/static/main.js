// What every page does: times, keys, the choice of light and dark, buttons that copy and that run a task, forms.

import { keepCopyButtons } from "./copy.js";
import { keepKeys } from "./keys.js";
import { keepRunButtons } from "./run.js";
import { sendOnce } from "./sending.js";
import { keepTime, setServiceTime, viewerZone } from "./time.js";

const NEXT = { auto: "light", light: "dark", dark: "auto" };
const YEAR = 365 * 86400;

// Who goes back may see a page that the browser has kept, with the time of then.
if (performance.getEntriesByType("navigation")[0].type !== "back_forward") setServiceTime(document.body.dataset.now);
keepTime();
keepKeys();
keepTheme();
keepCopyButtons();
keepRunButtons();
sendOnce();
document.documentElement.dataset.live = "";
document.getElementById("your-zone").textContent = `${viewerZone}, a task's own beside them where that differs`;

function keepTheme() {
  const form = document.getElementById("theme"), root = document.documentElement;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = form.querySelector("button"), chosen = button.value;
    if (chosen === "auto") delete root.dataset.theme;
    else root.dataset.theme = chosen;
    document.cookie = `task-scheduler-theme=${chosen}; path=/; max-age=${YEAR}; samesite=lax`;
    button.value = NEXT[chosen];
    button.setAttribute("aria-label", `Colours: ${chosen}. Change`);
    dispatchEvent(new Event("themechange"));
  });
}

// Write a phrase for people who know none: what is chosen in the picker becomes the phrase, which is then read as any other.

/** @param {HTMLElement} picker @param {HTMLInputElement} field what the phrase is written into */
export function offerChoices(picker, field) {
  const part = (name) => picker.querySelector(`[data-pick="${name}"]`);
  picker.hidden = false;
  const show = () => {
    const kind = part("kind").value;
    for (const some of picker.querySelectorAll("[data-for]")) some.hidden = !some.dataset.for.split(" ").includes(kind);
  };
  const write = () => {
    show();
    const days = [...picker.querySelectorAll('[data-pick="day"]:checked')].map((box) => box.value);
    const phrase = say(part("kind").value, {
      number: part("number").value, unit: part("unit").value, time: part("time").value, days, nth: part("nth").value,
      which: part("which").value, moment: part("moment").value, cron: part("cron").value,
    });
    if (phrase === null) return;
    field.value = phrase;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };
  show();
  picker.addEventListener("input", (event) => { event.stopPropagation(); write(); });
  picker.addEventListener("toggle", () => { if (picker.open && !field.value.trim()) write(); });
}

/** @returns {string | null} the phrase; null where something is still to be chosen */
export function say(kind, { number, unit, time, days, nth, which, moment, cron }) {
  switch (kind) {
    case "every": return !number ? null : Number(number) === 1 ? `every ${unit.slice(0, -1)}` : `every ${number} ${unit}`;
    case "daily": return time && `daily at ${time}`;
    case "weekdays": return time && `weekdays at ${time}`;
    case "days": return days.length && time ? `every ${list(days)} at ${time}` : null;
    case "month": return time && `${nth} ${which} of the month at ${time}`;
    case "once": return moment ? moment.replace("T", " ") : null;
    default: return cron.trim() || null;
  }
}

const list = (words) => (words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`);

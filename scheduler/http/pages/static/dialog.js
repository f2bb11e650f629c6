// Ask before what cannot be taken back.

/**
 * @param {{title: string, text: string, confirm: string, danger?: boolean}} question
 * @returns {Promise<boolean>} whether it was confirmed
 */
export function ask({ title, text, confirm, danger = false }) {
  const dialog = document.createElement("dialog");
  const heading = Object.assign(document.createElement("h2"), { textContent: title, id: "question" });
  const form = Object.assign(document.createElement("form"), { method: "dialog" });
  const no = Object.assign(document.createElement("button"), { value: "no", textContent: "Cancel" });
  const yes = Object.assign(document.createElement("button"), { value: "yes", textContent: confirm, className: danger ? "danger" : "primary" });
  dialog.setAttribute("aria-labelledby", "question");
  form.append(no, yes);
  dialog.append(heading, Object.assign(document.createElement("p"), { textContent: text }), form);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => { resolve(dialog.returnValue === "yes"); dialog.remove(); });
  });
}

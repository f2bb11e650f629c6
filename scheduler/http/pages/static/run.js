// Buttons that run a task at once: <button data-does="run" data-task="backup">, as elements.html makes them.

import { part, post } from "./api.js";
import { toast, toastError } from "./toast.js";

/** Let such buttons work wherever they are, those too that come later. */
export function keepRunButtons() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest('[data-does="run"][data-task]');
    // Where the answer is there at once, the second click of two would start another run.
    if (!button || button.disabled || event.detail > 1) return;
    button.disabled = true;
    try {
      const run = await post(`/api/tasks/${part(button.dataset.task)}/run`);
      const open = () => location.assign(`/runs/${part(run.run_id)}`);
      toast(`${button.dataset.task} runs now.`, { action: { label: "Open", run: open } });
    } catch (error) {
      toastError(error);
    } finally {
      button.disabled = false;
    }
  });
}

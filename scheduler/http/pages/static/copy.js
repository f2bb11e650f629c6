// A button after each <pre class="copy"> that copies what it says.

/** Let such buttons work wherever they are, those too that come later. */
export function keepCopyButtons() {
  addCopyButtons(document);
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) button.textContent = await copy(button.previousElementSibling.querySelector("code")) ? "Copied" : "Press Ctrl+C";
  });
}

/** @param {ParentNode} root */
export function addCopyButtons(root) {
  for (const block of root.querySelectorAll("pre.copy")) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "small", textContent: "Copy" });
    button.dataset.copy = "";
    block.after(button);
  }
}

/**
 * Copy what an element says. Browsers have a clipboard for scripts by https and on this machine alone: elsewhere the
 * text is selected, and copied as whoever selects it does.
 * @param {Element} element @returns {Promise<boolean>} whether it is copied; else it is selected
 */
async function copy(element) {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(element.textContent);
      return true;
    } catch {
      // Not permitted: by hand, then.
    }
  }
  getSelection().selectAllChildren(element);
  return document.execCommand("copy");
}

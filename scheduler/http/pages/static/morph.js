// Bring what is shown to what the service says now, and change nothing else: whatever is the same stays the same
// element, so that the focus, a selection, a click under way and what was opened stay where they are.

/** Attributes that whoever looks at the page sets, or a module for them. */
const OWN = new Set(["open", "disabled", "tabindex"]);
let isPointerDown = false, waiting = [];

addEventListener("pointerdown", () => { isPointerDown = true; }, true);
for (const kind of ["pointerup", "pointercancel"]) addEventListener(kind, release, true);
// Where a bar to scroll by was let go, nothing else tells.
addEventListener("pointermove", (event) => { if (isPointerDown && event.buttons === 0) release(); }, true);

/** A click comes right after its pointer was lifted: what waits goes on after it. */
function release() {
  isPointerDown = false;
  setTimeout(() => { if (!isPointerDown) for (const goOn of waiting.splice(0)) goOn(); });
}

/** Wait until no pointer is down: what moves below one swallows its click. @returns {Promise<void>} */
export async function untilReleased() {
  if (isPointerDown) await new Promise((resolve) => { waiting.push(resolve); });
}

/** @param {Element} shown is changed @param {Element} fresh how it shall be; is used up */
export function morph(shown, fresh) {
  const focused = document.activeElement;
  change(shown, fresh);
  // An element that changes its place among others loses the focus.
  if (document.activeElement !== focused && shown.contains(focused)) focused.focus({ preventScroll: true });
}

function change(shown, fresh) {
  if (shown.isEqualNode(fresh)) return;
  if (!(shown instanceof Element)) { shown.data = fresh.data; return; }
  if (shown.matches("[data-row].current")) fresh.classList.add("current");
  for (const name of shown.getAttributeNames()) if (!OWN.has(name) && !fresh.hasAttribute(name)) shown.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (!OWN.has(name) && shown.getAttribute(name) !== value) shown.setAttribute(name, value);
  changeChildren(shown, fresh);
}

function changeChildren(shown, fresh) {
  const partners = pair(shown.childNodes, fresh.childNodes), kept = new Set(partners.values());
  for (const node of [...shown.childNodes]) if (!kept.has(node)) node.remove();
  let next = shown.firstChild;
  for (const node of [...fresh.childNodes]) {
    const partner = partners.get(node);
    if (partner) change(partner, node);
    if (partner === next) next = next?.nextSibling ?? null;
    else shown.insertBefore(partner ?? node, next);
  }
}

/** @returns {Map<Node, Node>} which of the nodes that are shown stands for which fresh one */
function pair(shown, fresh) {
  const partners = new Map(), left = new Set(shown);
  for (const fits of [isSame, isLike]) {
    for (const node of fresh) {
      if (partners.has(node)) continue;
      for (const one of left) {
        if (!fits(one, node)) continue;
        partners.set(node, one);
        left.delete(one);
        break;
      }
    }
  }
  return partners;
}

const isSame = (one, other) => one.nodeName === other.nodeName && keyOf(one) !== null && keyOf(one) === keyOf(other);
/** A link may come to lead elsewhere, but a row, or what has an id, never becomes another one. */
const isLike = (one, other) => one.nodeName === other.nodeName && !isBound(one) && !isBound(other);
const isBound = (node) => node instanceof Element && (node.id !== "" || "row" in node.dataset || "part" in node.dataset);

/** @returns {string | null} what tells an element from its neighbours, whatever becomes of them */
function keyOf(node) {
  if (!(node instanceof Element)) return null;
  const { id, part, day, row } = node.dataset, name = node.getAttribute("name");
  return node.id || id || part || day || (row !== undefined && node.querySelector("[data-open]")?.getAttribute("href"))
    || node.getAttribute("rel") || node.getAttribute("href") || node.getAttribute("action")
    || (name ? `${name} ${node.getAttribute("value")}` : null);
}

// Colour Python code while it is written: a layer of spans beneath a textarea whose text is transparent.

const KEYWORDS = new Set(
  ("False None True and as assert async await break class continue def del elif else except finally for from global if "
    + "import in is lambda nonlocal not or pass raise return try while with yield match case").split(" "),
);
const TOKEN = new RegExp([
  /(?<comment>#.*)/,
  /(?<string>[rRbBuUfF]{0,2}(?:"""[\s\S]*?(?:"""|$(?![\s\S]))|'''[\s\S]*?(?:'''|$(?![\s\S]))|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?))/,
  /(?<number>\b(?:0[xXoObB][\da-fA-F_]+|\d[\d_]*(?:\.[\d_]*)?(?:[eE][+-]?\d+)?[jJ]?)\b)/,
  /(?<name>(?<=\b(?:def|class)\s+)[^\W\d]\w*|@[^\W\d][\w.]*)/,
  /(?<word>[^\W\d]\w*)/,
].map((part) => part.source).join("|"), "gmu");
const INDENT = "    ";

/** @param {string} code @returns {[string, string][]} pieces of it, each with its kind; "" for what has no colour */
export function tokens(code) {
  const found = [];
  let end = 0;
  for (const match of code.matchAll(TOKEN)) {
    const kind = Object.keys(match.groups).find((name) => match.groups[name] !== undefined);
    const shown = kind === "word" ? (KEYWORDS.has(match[0]) ? "keyword" : "") : kind;
    if (!shown) continue;
    if (match.index > end) found.push(["", code.slice(end, match.index)]);
    found.push([shown, match[0]]);
    end = match.index + match[0].length;
  }
  if (end < code.length) found.push(["", code.slice(end)]);
  return found;
}

/** Make an editor of a textarea. @param {HTMLTextAreaElement} area */
export function colour(area) {
  const frame = document.createElement("div"), layer = document.createElement("pre");
  frame.className = "editor";
  layer.setAttribute("aria-hidden", "true");
  area.before(frame);
  frame.append(layer, area);
  const paint = () => {
    // The last line break needs something behind it, or the layer is a line shorter than the text.
    layer.replaceChildren(...tokens(area.value).map(([kind, text]) => {
      if (!kind) return document.createTextNode(text);
      return Object.assign(document.createElement("span"), { className: kind, textContent: text });
    }), document.createTextNode("\n"));
    follow();
  };
  const follow = () => { layer.scrollTop = area.scrollTop; layer.scrollLeft = area.scrollLeft; };
  let leaving = false;
  area.addEventListener("input", paint);
  area.addEventListener("scroll", follow);
  area.addEventListener("keydown", (event) => {
    if (event.key === "Tab" && !leaving && !event.ctrlKey && !event.altKey) {
      event.preventDefault();
      if (event.shiftKey) reindent(area, (line) => line.replace(/^( {1,4}|\t)/, ""));
      else if (area.selectionStart !== area.selectionEnd) reindent(area, (line) => (line ? INDENT + line : line));
      else insert(area, INDENT);
    } else if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      const line = area.value.slice(0, area.selectionStart).split("\n").at(-1);
      insert(area, `\n${/^\s*/.exec(line)[0]}${/:\s*(#.*)?$/.test(line) ? INDENT : ""}`);
    }
    // Escape lets the next Tab go on; main.js would leave the field at once, which takes the place in the text away.
    if (event.key === "Escape") { leaving = true; event.stopPropagation(); } else if (event.key !== "Shift") leaving = false;
  });
  area.addEventListener("blur", () => { leaving = false; });
  paint();
}

/** Put a text where the cursor is, so that the browser can undo it. */
function insert(area, text) {
  area.focus();
  if (!document.execCommand("insertText", false, text)) {
    area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

function reindent(area, change) {
  const from = area.value.lastIndexOf("\n", area.selectionStart - 1) + 1, to = area.selectionEnd;
  const text = area.value.slice(from, to).split("\n").map(change).join("\n");
  area.setSelectionRange(from, to);
  insert(area, text);
  area.setSelectionRange(from, from + text.length);
}

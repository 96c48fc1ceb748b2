// The text of a template: indents, numbers of lines, the way to a line, examples, and what was typed kept.
"use strict";

const INDENT = "  ";
const text = document.getElementById("text");
const form = document.getElementById("draft");
const published = text.value;
const keptAs = `template:${form.dataset.name}`;
let leavesByTab = false;

// ── Changing the text ──────────────────────────────────────────────────────────────────────

// Puts `words` in the place of some characters, so that the browser can take it back where it can.
function write(start, end, words) {
  const scroll = text.scrollTop;
  const before = document.activeElement;
  text.focus({ preventScroll: true });
  text.setSelectionRange(start, end);
  const done = words === "" ? document.execCommand("delete") : document.execCommand("insertText", false, words);
  if (!done) {
    text.setRangeText(words, start, end, "end");
    text.dispatchEvent(new Event("input", { bubbles: true }));
  }
  text.scrollTop = scroll;
  if (before !== text) before?.focus({ preventScroll: true });
}

function startOfLine(at) {
  return text.value.lastIndexOf("\n", at - 1) + 1;
}

function indent(outwards) {
  const { selectionStart: start, selectionEnd: end } = text;
  const from = startOfLine(start);
  if (start === end && !outwards) {
    write(start, end, INDENT.slice((start - from) % INDENT.length));
    return;
  }
  const lines = text.value.slice(from, end).split("\n");
  const moved = lines.map((line) => (outwards ? line.replace(/^ {1,2}/, "") : line && INDENT + line)).join("\n");
  if (moved === lines.join("\n")) return;
  write(from, end, moved);
  text.setSelectionRange(start === end ? from + moved.length : from, from + moved.length);
}

function newLine() {
  const { selectionStart: start, selectionEnd: end } = text;
  const line = text.value.slice(startOfLine(start), start);
  write(start, end, `\n${line.match(/^ */)[0]}`);
}

text.addEventListener("keydown", (event) => {
  const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
  if (event.key === "Escape") {
    leavesByTab = true;
    return;
  }
  const leaves = leavesByTab;
  if (event.key !== "Shift") leavesByTab = false;
  if (text.readOnly || event.isComposing) return;
  if (event.key === "Tab" && isPlain && !leaves) {
    event.preventDefault();
    indent(event.shiftKey);
  } else if (event.key === "Enter" && isPlain && !event.shiftKey) {
    event.preventDefault();
    newLine();
  }
});
text.addEventListener("blur", () => { leavesByTab = false; });

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") {
    event.preventDefault();
    document.getElementById("try").click();
  }
});

// ── Lines ──────────────────────────────────────────────────────────────────────────────────

const lines = document.getElementById("lines");

function markedLines() {
  const found = new Map();
  for (const { dataset } of document.querySelectorAll("#findings [data-severity]")) {
    if (found.get(dataset.line) !== "error") found.set(dataset.line, dataset.severity);
  }
  return found;
}

function drawLines() {
  const marks = markedLines();
  const count = text.value.split("\n").length;
  const drawn = [];
  for (let line = 1; line <= count; line += 1) {
    const row = document.createElement("span");
    row.textContent = `${line}\n`;
    const mark = marks.get(String(line));
    if (mark) row.dataset.severity = mark;
    drawn.push(row);
  }
  lines.replaceChildren(...drawn);
  lines.scrollTop = text.scrollTop;
}

text.addEventListener("scroll", () => { lines.scrollTop = text.scrollTop; });
text.addEventListener("input", drawLines);

// Goes to a line of the text and selects it.
function goToLine(number) {
  const all = text.value.split("\n");
  const at = Math.min(Math.max(number, 1), all.length) - 1;
  const start = all.slice(0, at).reduce((sum, line) => sum + line.length + 1, 0);
  text.focus({ preventScroll: true });
  text.setSelectionRange(start, start + all[at].length);
  const height = text.scrollHeight / all.length;
  text.scrollTop = Math.max(0, at * height - text.clientHeight / 3);
  text.scrollLeft = 0;
  text.scrollIntoView({ block: "nearest" });
  openHelp();
}

document.addEventListener("click", ({ target }) => {
  const found = target.closest?.("button[data-line], .still[data-line]");
  if (found) goToLine(Number(found.dataset.line));
});

// ── Help ───────────────────────────────────────────────────────────────────────────────────

// Opens the help of the element that one is at.
function openHelp() {
  const from = startOfLine(text.selectionStart);
  const end = text.value.indexOf("\n", text.selectionStart);
  const line = text.value.slice(from, end === -1 ? undefined : end);
  const kind = line.match(/\btype: *([a-z]+)/)?.[1];
  const help = kind && document.getElementById(`help-${kind}`);
  if (!help || help.open) return;
  for (const other of document.querySelectorAll(".help details[open]")) other.open = false;
  help.open = true;
}
text.addEventListener("click", openHelp);

// Inserts an example behind the line one is at, indented as the list around is.
function insertExample(example) {
  const end = text.value.indexOf("\n", text.selectionStart);
  const at = end === -1 ? text.value.length : end;
  const above = text.value.slice(0, at).split("\n").reverse();
  const dash = above.find((line) => /^ *- /.test(line)) ?? "";
  const blanks = dash.match(/^ */)[0];
  const last = above[0] ?? "";
  const opens = /^( *)(?:- )?(?:elements|children|each): *(?:#.*)?$/.exec(last);
  const lead = opens ? `${opens[1]}${last.trimStart().startsWith("- ") ? INDENT : ""}${INDENT}` : blanks;
  write(at, at, example.split("\n").map((line) => `\n${lead}${line}`).join(""));
  goToLine(text.value.slice(0, at).split("\n").length + 1);
}

document.addEventListener("click", ({ target }) => {
  const example = target.dataset?.inserts;
  if (example && !text.readOnly) insertExample(example);
});

// ── What was typed ─────────────────────────────────────────────────────────────────────────

const kept = document.getElementById("kept");

function keep() {
  try {
    if (text.value === published) localStorage.removeItem(keptAs);
    else localStorage.setItem(keptAs, text.value);
  } catch {
    // A browser that keeps nothing: the text is on the page.
  }
}

function found() {
  try {
    return localStorage.getItem(keptAs);
  } catch {
    return null;
  }
}

function offerKept() {
  const words = found();
  const isDrawnFromForm = form.dataset.written === "yes"; // what stands there is what was typed
  if (words === null || words === text.value || text.readOnly || isDrawnFromForm) return;
  kept.hidden = false;
  document.getElementById("take").addEventListener("click", () => {
    kept.hidden = true;
    write(0, text.value.length, words);
    text.focus();
  });
  document.getElementById("drop").addEventListener("click", () => {
    kept.hidden = true;
    localStorage.removeItem(keptAs);
    text.focus();
  });
}

text.addEventListener("input", () => { kept.hidden = true; keep(); });

document.addEventListener("htmx:after:swap", drawLines);
document.addEventListener("htmx:response:error", () => { document.getElementById("stale").hidden = false; });
document.addEventListener("htmx:error", () => { document.getElementById("stale").hidden = false; });
document.addEventListener("htmx:before:swap", () => { document.getElementById("stale").hidden = true; });
offerKept();
drawLines();

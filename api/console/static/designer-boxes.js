// Boxes over the picture of a template: dragged, stretched, moved by keys; their numbers in the text follow.
//
// A box says where its lengths stand in the text that the picture was made of. A change writes the
// lengths there, in the unit they had, and moves the places behind them, so that the next change
// need not wait for the next picture.
"use strict";

const SIDES = ["left", "top", "width", "height"];
const LEAST_PX = 2;
const GRIP_PX = 6;
const MM_DECIMALS = 2;
const taken = []; // texts before changes made here, for Ctrl Z on a box
let grabbed = null;

// ── Reading boxes ──────────────────────────────────────────────────────────────────────────

function numbersOf(words) {
  return words.split(" ").map(Number);
}

function lengthsOf(box) {
  return JSON.parse(box.dataset.lengths);
}

function snapPx() {
  return Number(document.getElementById("snap")?.value ?? 1);
}

// Characters are counted as the server does it: one beyond 16 bits is one.
function charactersOf(words) {
  return [...words];
}

function isFresh(characters, box) {
  const seen = document.getElementById("seen");
  return (
    Number(seen.dataset.length) === characters.length &&
    lengthsOf(box).every(({ start, end, length }) => unquoted(characters.slice(start, end).join("")) === String(length))
  );
}

function unquoted(words) {
  return words.replace(/^(["'])(.*)\1$/, "$2");
}

// ── Lengths ────────────────────────────────────────────────────────────────────────────────

// Writes pixels in the unit that a length had, as shortly as says just these pixels.
function writtenAs(px, length, wholePx, pxMm) {
  const unit = typeof length === "string" ? length.replace(/^[\d.]+/, "") : "";
  if (unit === "") return px;
  const inPx = unit === "%" ? (said) => (said * wholePx) / 100 : (said) => said / pxMm;
  const exact = unit === "%" ? (px * 100) / wholePx : px * pxMm;
  for (let decimals = 0; decimals < MM_DECIMALS; decimals += 1) {
    const said = Number(exact.toFixed(decimals));
    if (Math.abs(inPx(said) - px) < 0.49) return `${said}${unit}`;
  }
  return `${Number(exact.toFixed(MM_DECIMALS))}${unit}`;
}

function quotedAs(before, value) {
  const quote = /^["']/.exec(before)?.[0] ?? "";
  return `${quote}${value}${quote}`;
}

// Moves the places of all lengths behind one that was written anew.
function shift(start, end, words, value) {
  const by = charactersOf(words).length - (end - start);
  for (const box of document.querySelectorAll("#boxes .box")) {
    const lengths = lengthsOf(box).map((one) => {
      if (one.start === start) return { ...one, end: start + charactersOf(words).length, length: value };
      return one.start >= end ? { ...one, start: one.start + by, end: one.end + by } : one;
    });
    box.dataset.lengths = JSON.stringify(lengths);
  }
  const seen = document.getElementById("seen");
  seen.dataset.length = String(Number(seen.dataset.length) + by);
}

// Writes where a box is now into the text; false where the text is another than the picture's.
function keepBox(box, own) {
  const text = document.getElementById("text");
  const characters = charactersOf(text.value);
  if (text.readOnly || !isFresh(characters, box)) return false;
  const before = numbersOf(box.dataset.own);
  const pxMm = Number(document.getElementById("boxes").dataset.pxMm);
  const changed = lengthsOf(box)
    .filter(({ side }) => own[SIDES.indexOf(side)] !== before[SIDES.indexOf(side)])
    .sort((one, other) => other.start - one.start);
  if (changed.length === 0) return true;
  taken.push({ words: text.value, boxes: placesOfBoxes() });
  for (const { side, start, end, length, whole_px: wholePx } of changed) {
    const value = writtenAs(own[SIDES.indexOf(side)], length, wholePx, pxMm);
    const words = quotedAs(characters.slice(start, end).join(""), value);
    const units = [characters.slice(0, start), characters.slice(0, end)].map((some) => some.join("").length);
    write(units[0], units[1], words);
    shift(start, end, words, value);
    characters.splice(start, end - start, ...charactersOf(words));
  }
  box.dataset.own = own.join(" ");
  say(own);
  return true;
}

function say(own) {
  const said = document.getElementById("moved");
  said.textContent = SIDES.reduce((words, side, at) => words.replace(`%(${side})s`, own[at]), said.dataset.says);
}

// ── Moving and stretching, in the frame around ─────────────────────────────────────────────

function frameOf(box) {
  const [, , width, height] = numbersOf(box.dataset.around);
  return Number(box.dataset.turn) % 180 ? [height, width] : [width, height];
}

// Turns a way on the panel into one in the frame around.
function turned(dx, dy, turn) {
  if (turn === 90) return [dy, -dx];
  if (turn === 180) return [-dx, -dy];
  return turn === 270 ? [-dy, dx] : [dx, dy];
}

function snapped(px, step) {
  return Math.round(px / step) * step;
}

function within(px, low, high) {
  return Math.min(Math.max(px, low), Math.max(low, high));
}

function canMove(box) {
  return lengthsOf(box).some(({ side }) => side === "left");
}

function moved(box, dx, dy, step) {
  const [left, top, width, height] = numbersOf(box.dataset.own);
  const [across, down] = frameOf(box);
  return [
    dx ? within(snapped(left + dx, step), 0, across - width) : left,
    dy ? within(snapped(top + dy, step), 0, down - height) : top,
    width,
    height,
  ];
}

// `edges` are how much of a step each edge takes: [left, top, right, bottom], 0 or 1.
function stretched(box, dx, dy, step, edges) {
  const [left, top, width, height] = numbersOf(box.dataset.own);
  const [across, down] = frameOf(box);
  const sides = new Set(lengthsOf(box).map(({ side }) => side));
  let [x1, y1, x2, y2] = [left, top, left + width, top + height];
  if (edges[0] && sides.has("left") && dx) x1 = within(snapped(x1 + dx, step), 0, x2 - LEAST_PX);
  if (edges[1] && sides.has("top") && dy) y1 = within(snapped(y1 + dy, step), 0, y2 - LEAST_PX);
  if (edges[2] && sides.has("width") && dx) x2 = within(snapped(x2 + dx, step), x1 + LEAST_PX, across);
  if (edges[3] && sides.has("height") && dy) y2 = within(snapped(y2 + dy, step), y1 + LEAST_PX, down);
  return [x1, y1, x2 - x1, y2 - y1];
}

// Draws a box where it is in the frame around, on the panel.
function place(box, own) {
  const [x, y, w, h] = own;
  const [left, top, width, height] = numbersOf(box.dataset.around);
  const turn = Number(box.dataset.turn);
  const on = {
    0: [left + x, top + y, w, h],
    90: [left + width - y - h, top + x, h, w],
    180: [left + width - x - w, top + height - y - h, w, h],
    270: [left + y, top + height - x - w, h, w],
  }[turn];
  const area = box.querySelector(".area");
  ["x", "y", "width", "height"].forEach((name, at) => area.setAttribute(name, on[at]));
  drawGrips(box);
}

// ── Grips ──────────────────────────────────────────────────────────────────────────────────

const SVG = "http://www.w3.org/2000/svg";
const CORNERS = [[0, 0], [1, 0], [0, 1], [1, 1]];

// Puts grips onto the corners of the box one is at, above all boxes; the others have none.
function drawGrips(box) {
  for (const old of document.querySelectorAll("#boxes .grip")) old.remove();
  const area = box.querySelector(".area");
  const [x, y, w, h] = ["x", "y", "width", "height"].map((name) => Number(area.getAttribute(name)));
  for (const [right, bottom] of CORNERS) {
    const grip = document.createElementNS(SVG, "rect");
    grip.setAttribute("class", "grip");
    grip.setAttribute("x", x + right * w - GRIP_PX / 2);
    grip.setAttribute("y", y + bottom * h - GRIP_PX / 2);
    grip.setAttribute("width", GRIP_PX);
    grip.setAttribute("height", GRIP_PX);
    Object.assign(grip.dataset, { right, bottom, of: box.id });
    box.parentNode.append(grip);
  }
}

// Which edges in the frame around a corner on the panel drags.
function edgesOf(grip, turn) {
  const [right, bottom] = [Number(grip.dataset.right), Number(grip.dataset.bottom)];
  const [x, y] = turned(right * 2 - 1, bottom * 2 - 1, turn);
  return [x < 0, y < 0, x > 0, y > 0];
}

// ── Pointers ───────────────────────────────────────────────────────────────────────────────

document.addEventListener("pointerdown", (event) => {
  const grip = event.target.closest?.("#boxes .grip");
  const box = grip ? document.getElementById(grip.dataset.of) : event.target.closest?.("#boxes .box");
  if (!box || event.button !== 0) return;
  event.preventDefault();
  box.focus({ preventScroll: true });
  const scale = document.getElementById("boxes").getScreenCTM().a;
  const turn = Number(box.dataset.turn);
  grabbed = { box, scale, turn, edges: grip && edgesOf(grip, turn), x: event.clientX, y: event.clientY, own: null };
  box.setPointerCapture(event.pointerId);
});

document.addEventListener("pointermove", (event) => {
  if (grabbed === null) return;
  const { box, scale, turn, edges, x, y } = grabbed;
  const [dx, dy] = turned((event.clientX - x) / scale, (event.clientY - y) / scale, turn);
  const step = event.altKey ? 1 : snapPx();
  if (edges) grabbed.own = stretched(box, Math.round(dx), Math.round(dy), step, edges);
  else if (canMove(box)) grabbed.own = moved(box, Math.round(dx), Math.round(dy), step);
  if (grabbed.own) place(box, grabbed.own);
});

function drop(keeps) {
  if (grabbed === null) return;
  const { box, own } = grabbed;
  grabbed = null;
  if (isMissed) document.getElementById("try").click();
  isMissed = false;
  if (own === null) return;
  if (!keeps || !keepBox(box, own)) place(box, numbersOf(box.dataset.own));
}
document.addEventListener("pointerup", () => drop(true));
document.addEventListener("pointercancel", () => drop(false));
document.addEventListener("dblclick", ({ target }) => {
  const box = target.closest?.("#boxes .box");
  if (box) goToLine(Number(box.dataset.line));
});
document.addEventListener("focusin", ({ target }) => target.matches?.("#boxes .box") && drawGrips(target));

// ── Keys ───────────────────────────────────────────────────────────────────────────────────

const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

document.addEventListener("keydown", (event) => {
  const box = event.target.closest?.("#boxes .box");
  if (!box) return;
  if (event.key === "Enter") {
    event.preventDefault();
    goToLine(Number(box.dataset.line));
  } else if (event.key === "Escape" && grabbed !== null) {
    drop(false);
  } else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") {
    event.preventDefault();
    takeBack();
  } else if (event.key in WAYS) {
    event.preventDefault();
    const step = event.altKey ? 1 : snapPx();
    const turn = Number(box.dataset.turn);
    const [dx, dy] = turned(...WAYS[event.key].map((one) => one * step), turn);
    const own = event.shiftKey
      ? stretched(box, dx, dy, step, [false, false, true, true])
      : canMove(box) ? moved(box, dx, dy, step) : numbersOf(box.dataset.own);
    if (keepBox(box, own)) place(box, own);
  }
});

function takeBack() {
  const text = document.getElementById("text");
  const before = taken.pop();
  if (before === undefined) return;
  write(0, text.value.length, before.words);
  document.getElementById("seen").dataset.length = String(charactersOf(before.words).length);
  for (const { box, own, lengths } of before.boxes) {
    if (!box.isConnected) continue;
    Object.assign(box.dataset, { own, lengths });
    place(box, numbersOf(own));
  }
  document.activeElement?.closest?.("#boxes .box") && drawGrips(document.activeElement);
}

// Boxes that are drawn for another text by then are told apart by their lengths.
function placesOfBoxes() {
  return [...document.querySelectorAll("#boxes .box")].map((box) => ({ box, own: box.dataset.own, lengths: box.dataset.lengths }));
}

// A picture of an older text, or one that arrives while a box is dragged, would take the box away.
let isMissed = false;

function isOfDraft({ ctx }) {
  return String(ctx?.request?.action ?? "").includes("/draft");
}

document.addEventListener("htmx:before:request", ({ detail }) => {
  if (isOfDraft(detail)) detail.ctx.drawn = document.getElementById("text").value;
});
document.addEventListener("htmx:before:swap", (event) => {
  if (!isOfDraft(event.detail)) return;
  const isOld = event.detail.ctx.drawn !== document.getElementById("text").value; // a newer one comes
  if (grabbed !== null) isMissed = true;
  if (isOld || grabbed !== null) event.preventDefault();
});
document.addEventListener("htmx:after:swap", () => {
  const box = document.activeElement?.closest?.("#boxes .box");
  if (box) drawGrips(box);
});

// What htmx leaves to do on the wall: say whether it is live, tell the time, and show that a
// picture has changed. Without this file the page still shows everything; it only stands still.
"use strict";

const SILENT_AFTER_MS = 40_000; // the server speaks at least every 15 s
const ASK_AGAIN_MS = 3_000;
const TICK_MS = 5_000;

const live = document.getElementById("live");
const liveWord = document.getElementById("live-word");
let connection = null;
let heardAt = 0;

// The words of each state stand in the page, in its language: data-says-yes, data-says-off.
function sayLive(state) {
  if (live.dataset.live === state) return;
  live.dataset.live = state;
  liveWord.textContent = live.getAttribute(`data-says-${state}`);
}

// ── The line to the controller ──────────────────────────────────────────────────────────────

document.addEventListener("htmx:sse:after:connection", (event) => {
  connection = event.detail.connection;
  heardAt = Date.now();
  sayLive("yes");
  for (const lost of document.querySelectorAll("img.lost")) {
    lost.classList.remove("lost");
    lost.src = lost.getAttribute("src");
  }
});

document.addEventListener("htmx:sse:after:message", () => {
  heardAt = Date.now();
  const { version } = document.getElementById("head").dataset;
  if (version !== document.documentElement.dataset.version) location.reload(); // upgraded
});

document.addEventListener("htmx:sse:before:connection", (event) => {
  if (event.detail.connection.attempt > 0) sayLive("off");
});

document.addEventListener("htmx:sse:error", (event) => refused(event.detail.status));
document.addEventListener("htmx:response:error", (event) => {
  const { ctx } = event.detail;
  if (ctx.sourceElement.id === "stream" || ctx.response.status === 401) refused(ctx.response.status);
});
document.addEventListener("htmx:finally:request", (event) => {
  const isStream = event.detail.ctx.sourceElement.id === "stream";
  if (!isStream || connection !== null) return;
  sayLive("off"); // the first try failed, and htmx leaves it at that
  setTimeout(connectAnew, ASK_AGAIN_MS);
});
document.addEventListener("htmx:sse:close", (event) => {
  if (event.detail.connection !== connection) return;
  connection = null;
  if (event.detail.reason === "ended") setTimeout(connectAnew, ASK_AGAIN_MS);
});

// Signed out, or the store is gone: the page itself says which, in words.
function refused(status) {
  if (status >= 400 && status < 500) location.reload();
  else sayLive("off");
}

function connectAnew() {
  const stream = document.getElementById("stream");
  sayLive("off");
  if (connection === null && stream !== null) {
    htmx.ajax("GET", stream.getAttribute("hx-sse:connect"), { source: stream });
  }
}

// ── Time ────────────────────────────────────────────────────────────────────────────────────

const inWords = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto", style: "short" });

function ago(seconds) {
  if (seconds < 10) return inWords.format(0, "second");
  if (seconds < 90) return inWords.format(-Math.round(seconds / 5) * 5, "second");
  if (seconds < 5400) return inWords.format(-Math.round(seconds / 60), "minute");
  if (seconds < 129_600) return inWords.format(-Math.round(seconds / 3600), "hour");
  return inWords.format(-Math.round(seconds / 86_400), "day");
}

function tellTime() {
  for (const time of document.getElementsByTagName("time")) {
    const text = ago((Date.now() - Date.parse(time.dateTime)) / 1000);
    if (time.textContent !== text) time.textContent = text;
  }
}

setInterval(() => {
  tellTime();
  // A line that has gone dead without a word (power cut, cable) is given up and tried again.
  if (connection?.reader && Date.now() - heardAt > SILENT_AFTER_MS) connection.reader.cancel();
}, TICK_MS);
document.addEventListener("htmx:after:swap", tellTime);
tellTime();

// ── Pictures ────────────────────────────────────────────────────────────────────────────────

const loadedBefore = new WeakSet();
const isCalm = matchMedia("(prefers-reduced-motion: reduce)");

function lightUp(tile) {
  if (isCalm.matches) return;
  const tone = getComputedStyle(tile).getPropertyValue("--mark");
  tile.animate(
    [{ boxShadow: `0 0 0 3px ${tone}` }, { boxShadow: "0 0 0 3px transparent" }],
    { duration: 2500, easing: "ease-in" },
  );
}

// Somebody pressed a label's button, or held a phone to it.
document.addEventListener("touched", ({ detail }) => {
  const { label, kind } = JSON.parse(detail.data);
  const tile = document.getElementById(`tile-${label}`);
  if (tile === null) return;
  lightUp(tile);
  const said = document.getElementById("touched");
  said.textContent = `${label}: ${said.getAttribute(`data-says-${kind}`) ?? kind}`;
});

document.addEventListener(
  "load",
  ({ target }) => {
    if (!target.matches?.("img.glass")) return;
    target.classList.remove("lost");
    if (loadedBefore.has(target)) lightUp(target.closest(".tile"));
    loadedBefore.add(target);
  },
  true,
);
document.addEventListener("error", ({ target }) => target.matches?.("img.glass") && target.classList.add("lost"), true);

// What every page has: keys, menus that close, lists that send themselves. Without it all still works.
"use strict";

const WAITS_FOR_A_LETTER_MS = 1500;
let leaderAt = 0;

function isTyping(target) {
  return target.isContentEditable || target.matches?.("input:not([type=checkbox], [type=radio]), select, textarea");
}

function openDialog(id) {
  const dialog = document.getElementById(id);
  if (dialog !== null && !dialog.open) dialog.showModal();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  const isLed = Date.now() - leaderAt < WAITS_FOR_A_LETTER_MS;
  leaderAt = 0;
  if (event.key === "/") {
    const search = document.querySelector("input[type=search]");
    if (search === null) return;
    event.preventDefault();
    search.focus();
    search.select();
  } else if (event.key === "?") {
    openDialog("keys");
  } else if (isLed) {
    document.querySelector(`.rail a[data-letter="${CSS.escape(event.key)}"]`)?.click();
  } else if (event.key === "g") {
    leaderAt = Date.now();
  }
});

document.addEventListener("change", ({ target }) => "submits" in target.dataset && target.form.requestSubmit());

document.addEventListener("click", ({ target }) => {
  const opener = target.closest?.("[data-opens]");
  if (opener) openDialog(opener.dataset.opens);
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (opener || !menu.contains(target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

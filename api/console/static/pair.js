// Pairing by two scans. Everything that was scanned is kept on this device until the API has it, so
// neither a lost connection nor a closed page loses a pairing; each is sent with a key of its own.
//
//   scan ─▶ kept ─▶ told apart (asked; by form and known shelf codes where nobody answers)
//        ─▶ two make a job; a shelf's code makes one alone, sent in its turn
//   job: waiting ─▶ sent ─▶ confirmed | failed | superseded      refused: said, and kept to be seen
//
// What two codes mean is said by the mode in which they were scanned: `pair-modes.js`.
"use strict";

(() => {
  const root = document.getElementById("pair");
  const { store } = root.dataset;
  const input = document.getElementById("scan");
  const KEPT = `esl-pair:${store}`;
  const JOBS_KEPT = 500;
  const UNDO_FOR_MS = 10_000;
  const ASK_EVERY_MS = 1500;
  const RETRY_MS = [1000, 2000, 4000, 8000, 15_000];
  const RATE_OVER_MS = 300_000;
  const LATE_MS = 4000;

  const { says, pause, sound, ask, wordsOf } = PairLine;

  // ── What is kept ──────────────────────────────────────────────────────────────────────────
  const state = { scans: [], first: null, jobs: [], shelves: {}, standing: null, mode: "pair", isLoud: true };
  try {
    Object.assign(state, JSON.parse(localStorage.getItem(KEPT) ?? "{}"));
  } catch {
    // Another version's, or damaged: what can be read of it is not known, so it is begun anew.
  }
  state.scans = state.scans.map((scan) => scan.text === undefined ? { text: scan, mode: "pair" } : scan);
  PairLine.soundsIf(() => state.isLoud);
  const keep = () => {
    const open = state.jobs.filter((job) => job.state === "waiting");
    const over = state.jobs.filter((job) => job.state !== "waiting").slice(-JOBS_KEPT);
    const kept = new Set([...open, ...over]);
    state.jobs = state.jobs.filter((job) => kept.has(job));
    localStorage.setItem(KEPT, JSON.stringify(state));
  };

  // ── Codes told apart ──────────────────────────────────────────────────────────────────────
  const isGtin = (text) => {
    if (!/^(\d{8}|\d{12,14})$/.test(text)) return false;
    const sum = [...text].reverse().reduce((all, digit, n) => all + Number(digit) * (n % 2 ? 3 : 1), 0);
    return sum % 10 === 0;
  };
  const byForm = (text) => {
    if (Object.hasOwn(state.shelves, text)) return "place";
    if (/[?&]label=/i.test(text)) return "label";
    if (isGtin(text.replace(/^\][A-Za-z]./, "")) || /\/01\/\d{14}/.test(text)) return "product";
    return "code";
  };
  const known = (text, found) => {
    if (found === null) return { kind: byForm(text), name: state.shelves[text] ?? text };
    if (found.label !== null) return { kind: "label", name: found.label.label };
    if (found.products.length > 0) return { kind: "product", name: found.products[0].name };
    if (found.place !== null) return { kind: "place", name: found.place };
    return { kind: "unknown", name: text };
  };

  const next = document.getElementById("pair-next");
  const nothingYet = () => says({ pair: "Nothing", replace: "NothingBroken", move: "NothingToMove", find: "NothingToFind" }[state.mode]);
  const show = (words) => {
    next.textContent = words;
  };

  const loadShelves = async () => {
    const shelves = {};
    let after = "";
    do {
      const answer = await ask("GET", `/shelf-codes?limit=10000&after=${encodeURIComponent(after)}`);
      if (!answer?.isDone) return;
      for (const { code, place } of answer.said.shelf_codes) shelves[code] = place;
      ({ after } = answer.said);
    } while (after !== null);
    state.shelves = shelves;
    keep();
  };

  const newKey = () => crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
  const newJob = () => ({ key: newKey(), madeAt: Date.now(), state: "waiting" });

  let isReading = false;
  const readScans = async () => {
    if (isReading) return;
    isReading = true;
    while (state.scans.length > 0) {
      const { text, mode } = state.scans[0];
      const answer = PairLine.isAway() ? null : await ask("GET", `/scans?text=${encodeURIComponent(text)}`, undefined, undefined, LATE_MS);
      const found = answer?.isDone ? answer.said : null;
      await modes[mode].take(text, known(text, found), found);
      state.scans.shift();
      keep();
      draw();
    }
    isReading = false;
    send();
  };
  const modes = PairModes({ state, newJob, show: (words) => show(words ?? nothingYet()) });

  // ── Jobs sent, and followed to the glass ──────────────────────────────────────────────────
  let isSending = false;
  let tries = 0;
  const send = async () => {
    if (isSending) return;
    isSending = true;
    let job;
    while ((job = state.jobs.find((one) => one.state === "waiting")) !== undefined) {
      const answer = await modes[job.mode ?? "pair"].send(job);
      if (answer === null) {
        draw();
        await pause(RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)]);
        continue;
      }
      tries = 0;
      if (answer.isDone && job.shelf !== undefined) {
        state.jobs = state.jobs.filter((one) => one !== job);
      } else if (answer.isDone) {
        const { label, name, place, step } = answer.said;
        Object.assign(job, { state: step === undefined ? "done" : "sent", label, name, place, step });
      } else {
        Object.assign(job, { state: "refused", why: wordsOf(answer.said) });
        sound("wrong");
      }
      keep();
      draw();
    }
    isSending = false;
    follow();
  };

  const ENDS = { confirmed: "confirmed", failed: "failed", superseded: "superseded" };
  let isFollowing = false;
  const follow = async () => {
    if (isFollowing) return;
    isFollowing = true;
    for (;;) {
      const open = state.jobs.filter((job) => job.state === "sent");
      if (open.length === 0) break;
      const oldest = Math.min(...open.map((job) => job.step));
      let before = Math.max(...open.map((job) => job.step)) + 1;
      const steps = new Map();
      while (before > oldest) {
        const answer = await ask("GET", `/pairing-steps?before=${before}&limit=200`);
        if (!answer?.isDone || answer.said.steps.length === 0) break;
        for (const step of answer.said.steps) steps.set(step.step, step);
        before = answer.said.before ?? 0;
      }
      let isNew = false;
      for (const job of open) {
        const step = steps.get(job.step);
        if (step === undefined) continue;
        const ended = step.undone_by !== null ? "undone" : ENDS[step.ended];
        if (ended === undefined) continue;
        Object.assign(job, { state: ended, why: step.reason ?? undefined, endedAt: Date.now() });
        sound(ended === "confirmed" ? "shown" : "wrong");
        isNew = true;
      }
      if (isNew) {
        keep();
        draw();
      }
      await pause(ASK_EVERY_MS);
    }
    isFollowing = false;
    draw();
  };

  // ── What is seen ──────────────────────────────────────────────────────────────────────────
  const TONE_OF = { waiting: "gateway-away", sent: "on-its-way", confirmed: "right", done: "right", failed: "needs-you", refused: "needs-you", superseded: "no-product", undone: "no-product" };
  const list = document.getElementById("pair-jobs");
  const made = document.getElementById("pair-job");
  const drawn = new Map();
  const draw = () => {
    for (const [key, item] of drawn) {
      if (!state.jobs.some((job) => job.key === key)) {
        item.remove();
        drawn.delete(key);
      }
    }
    for (const job of state.jobs.filter((one) => one.shelf === undefined || one.state === "refused")) {
      let item = drawn.get(job.key);
      if (item === undefined) {
        item = made.content.firstElementChild.cloneNode(true);
        item.dataset.key = job.key;
        list.prepend(item);
        drawn.set(job.key, item);
      }
      drawJob(item, job);
    }
    const count = (...states) => state.jobs.filter((job) => states.includes(job.state)).length;
    const paired = state.jobs.filter((job) => job.step !== undefined);
    const number = (id, value) => (document.getElementById(id).textContent = value);
    number("count-paired", paired.length);
    number("count-confirmed", count("confirmed"));
    number("count-waiting", count("waiting") + state.scans.length);
    const lately = paired.filter((job) => Date.now() - job.madeAt < RATE_OVER_MS);
    const span = lately.length > 1 ? (lately.at(-1).madeAt - lately[0].madeAt) / 60_000 : 0;
    number("count-rate", span > 0 ? ((lately.length - 1) / span).toFixed(1) : "–");
    document.getElementById("pair-clear").hidden = state.first === null;
  };
  const drawJob = (item, job) => {
    const put = (name, text) => (item.querySelector(name).textContent = text);
    put(".job-name", job.name);
    put(".job-label", job.label);
    put(".job-place", job.place ? ` · ${job.place}` : "");
    put(".job-word", says(job.state[0].toUpperCase() + job.state.slice(1)));
    put(".job-why", job.why ?? "");
    item.querySelector(".state").dataset.state = TONE_OF[job.state];
    item.dataset.stands = job.state;
    const isFresh = Date.now() - job.madeAt < UNDO_FOR_MS;
    item.querySelector("[data-does=undo]").hidden = !(isFresh && (job.state === "sent" || job.state === "confirmed"));
    item.querySelector("[data-does=light]").hidden = job.step === undefined;
    item.querySelector("[data-does=drop]").hidden = job.state !== "refused";
    const picture = item.querySelector("img");
    if (job.step !== undefined && picture.hidden) {
      picture.src = `/api/v1/labels/${encodeURIComponent(job.label)}/wanted.png?step=${job.step}`;
      picture.hidden = false;
      picture.addEventListener("error", () => (picture.hidden = true), { once: true });
    }
  };
  setInterval(draw, 1000);

  const DOES = {
    light: (job) => ask("POST", "/lights", { labels: [job.label], seconds: 15 }),
    undo: async (job) => {
      const answer = await ask("POST", `/pairing-steps/${job.step}/undo`, {}, `undo-${job.key}`);
      if (answer?.isDone) job.state = "undone";
      else if (answer !== null) job.why = wordsOf(answer.said);
    },
    drop: (job) => {
      state.jobs = state.jobs.filter((one) => one !== job);
    },
  };
  list.addEventListener("click", async ({ target }) => {
    const does = DOES[target.dataset?.does];
    const job = state.jobs.find((one) => one.key === target.closest("li")?.dataset.key);
    if (does === undefined || job === undefined) return;
    await does(job);
    keep();
    draw();
    input.focus();
  });

  // ── What comes in ─────────────────────────────────────────────────────────────────────────
  const scanned = (text) => {
    state.scans.push({ text, mode: state.mode });
    keep();
    readScans();
  };
  document.getElementById("pair-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = input.value.trim();
    input.value = "";
    if (text === "") return;
    scanned(text);
  });
  root.addEventListener("scanned", ({ detail }) => { // by the camera, or in a photo
    scanned(detail);
  });
  for (const [missed, words] of Object.entries({ "no-camera": "NoCamera", "no-code": "NoCode", "no-answer": "Offline" })) {
    root.addEventListener(missed, () => {
      sound("wrong");
      show(says(words));
    });
  }
  document.addEventListener("keydown", (event) => {
    // A scanner types wherever the cursor is: what is typed nowhere is typed into the field.
    const isNowhere = document.activeElement === document.body || document.activeElement === document.getElementById("main");
    if (isNowhere && event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) input.focus();
  }, { capture: true });
  const forgetFirst = () => {
    state.first = null;
    keep();
    show(nothingYet());
    draw();
  };
  document.getElementById("pair-clear").addEventListener("click", () => {
    forgetFirst();
    input.focus();
  });
  document.getElementById("pair-modes").addEventListener("change", ({ target }) => {
    state.mode = target.value;
    forgetFirst();
    input.focus();
  });
  document.getElementById("pair-tidy").addEventListener("click", () => {
    state.jobs = state.jobs.filter((job) => job.state === "waiting" || job.state === "sent");
    keep();
    draw();
    input.focus();
  });
  const loud = document.getElementById("pair-sound");
  loud.addEventListener("click", () => {
    state.isLoud = !state.isLoud;
    loud.setAttribute("aria-pressed", String(state.isLoud));
    keep();
    input.focus();
  });
  loud.setAttribute("aria-pressed", String(state.isLoud));
  addEventListener("online", () => {
    PairLine.isBack();
    readScans();
    send();
  });

  document.getElementById("pair-counts").hidden = false;
  document.getElementById("pair-tools").hidden = false;
  document.getElementById("pair-modes").hidden = false;
  document.querySelector(`#pair-modes [value=${state.mode}]`).checked = true;
  if (state.first === null) show(nothingYet());
  else show(modes[state.mode].asks(state.first));
  draw();
  loadShelves();
  readScans();
  send();
  follow();
  input.focus();
})();

// Pairing by two scans. Everything that was scanned is kept on this device until the API has it, so
// neither a lost connection nor a closed page loses a pairing; each is sent with a key of its own.
//
//   scan ─▶ kept ─▶ told apart (asked; by form and known shelf codes where nobody answers)
//        ─▶ two make a job; a shelf's code makes one alone, sent in its turn
//   job: waiting ─▶ sent ─▶ confirmed | failed | superseded      refused: said, and kept to be seen
"use strict";

(() => {
  const root = document.getElementById("pair");
  const { at, store } = root.dataset;
  const input = document.getElementById("scan");
  const KEPT = `esl-pair:${store}`;
  const JOBS_KEPT = 500;
  const UNDO_FOR_MS = 10_000;
  const ASK_EVERY_MS = 1500;
  const RETRY_MS = [1000, 2000, 4000, 8000, 15_000];
  const RATE_OVER_MS = 300_000;
  const LATE_MS = 4000;

  const says = (key, what = "") => root.dataset[`says${key}`].replace("%(what)s", what);
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));

  // ── What is kept ──────────────────────────────────────────────────────────────────────────
  const state = { scans: [], first: null, jobs: [], shelves: {}, isLoud: true };
  try {
    Object.assign(state, JSON.parse(localStorage.getItem(KEPT) ?? "{}"));
  } catch {
    // Another version's, or damaged: what can be read of it is not known, so it is begun anew.
  }
  const keep = () => {
    const open = state.jobs.filter((job) => job.state === "waiting");
    const over = state.jobs.filter((job) => job.state !== "waiting").slice(-JOBS_KEPT);
    const kept = new Set([...open, ...over]);
    state.jobs = state.jobs.filter((job) => kept.has(job));
    localStorage.setItem(KEPT, JSON.stringify(state));
  };

  // ── Sounds: one code, two codes, the glass shows it, something is wrong ───────────────────
  const TONES = { one: [[880, 60]], two: [[880, 60], [1320, 90]], shown: [[1760, 60]], wrong: [[220, 180], [180, 260]] };
  let speaker = null;
  const sound = (name) => {
    root.dataset.sounded = name;
    if (!state.isLoud) return;
    try {
      speaker ??= new AudioContext();
      let when = speaker.currentTime;
      for (const [hertz, ms] of TONES[name]) {
        const tone = speaker.createOscillator();
        const volume = speaker.createGain();
        tone.frequency.value = hertz;
        volume.gain.value = 0.15;
        tone.connect(volume).connect(speaker.destination);
        tone.start(when);
        tone.stop(when + ms / 1000);
        when += ms / 1000 + 0.03;
      }
    } catch {
      // No sound on this device: the words are there.
    }
    if (name === "wrong") navigator.vibrate?.([80, 60, 80]);
  };

  // ── Asking the API ────────────────────────────────────────────────────────────────────────
  let isAway = false;
  const line = document.getElementById("pair-line");
  const tell = (key) => {
    line.hidden = key === null;
    line.textContent = key === null ? "" : says(key);
  };
  const ask = async (method, path, body, key, within = 20_000) => {
    const headers = { Accept: "application/json" };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (key !== undefined) headers["Idempotency-Key"] = key;
    let answer;
    try {
      answer = await fetch(`${at}${path}`, {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: AbortSignal.timeout(within),
      });
    } catch {
      isAway = true;
      tell("Offline");
      return null;
    }
    if (answer.status === 401) {
      tell("SignedOut");
      return null;
    }
    if (answer.status === 429 || answer.status >= 500) return null;
    if (isAway || !line.hidden) {
      isAway = false;
      tell(null);
    }
    const said = await answer.json().catch(() => ({}));
    return { isDone: answer.ok, said };
  };
  const wordsOf = ({ detail, fix, errors }) => {
    const first = errors?.[0];
    return [first?.detail ?? detail, first?.fix ?? fix].filter(Boolean).join(". ");
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
  const nothingYet = next.textContent;
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
      const text = state.scans[0];
      const answer = isAway ? null : await ask("GET", `/scans?text=${encodeURIComponent(text)}`, undefined, undefined, LATE_MS);
      const what = known(text, answer?.isDone ? answer.said : null);
      take(text, what);
      state.scans.shift();
      keep();
      draw();
    }
    isReading = false;
    send();
  };
  const take = (text, what) => {
    if (what.kind === "unknown") {
      sound("wrong");
      show(says("Unknown", text));
    } else if (what.kind === "place") {
      state.jobs.push({ ...newJob(), shelf: text, label: text, name: what.name });
      sound("one");
      show(says("Place", what.name));
    } else if (state.first === null || (what.kind !== "code" && state.first.kind === what.kind)) {
      state.first = { text, ...what };
      sound("one");
      show(says({ label: "Label", product: "Product", code: "Code" }[what.kind], what.name));
    } else if (state.first.text === text) {
      sound("wrong");
      show(says("Again"));
    } else {
      const both = [state.first, what];
      const of = (kind) => both.find((one) => one.kind === kind);
      const label = of("label") ?? both.find((one) => one !== of("product"));
      const scans = [state.first.text, text];
      state.jobs.push({ ...newJob(), scans, label: label.name, name: both.find((one) => one !== label).name });
      state.first = null;
      sound("two");
      show(nothingYet);
    }
  };

  // ── Jobs sent, and followed to the glass ──────────────────────────────────────────────────
  let isSending = false;
  let tries = 0;
  const send = async () => {
    if (isSending) return;
    isSending = true;
    let job;
    while ((job = state.jobs.find((one) => one.state === "waiting")) !== undefined) {
      const answer = await (job.shelf === undefined
        ? ask("POST", "/scanned-pairings", { scans: job.scans }, job.key)
        : ask("PUT", "/current-place", { code: job.shelf }));
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
        Object.assign(job, { state: "sent", label, name, place, step, sentAt: Date.now() });
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
  const TONE_OF = { waiting: "gateway-away", sent: "on-its-way", confirmed: "right", failed: "needs-you", refused: "needs-you", superseded: "no-product", undone: "no-product" };
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
  document.getElementById("pair-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = input.value.trim();
    input.value = "";
    if (text === "") return;
    state.scans.push(text);
    keep();
    readScans();
  });
  root.addEventListener("scanned", ({ detail }) => { // by the camera, or in a photo
    state.scans.push(detail);
    keep();
    readScans();
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
  document.getElementById("pair-clear").addEventListener("click", () => {
    state.first = null;
    keep();
    show(nothingYet);
    draw();
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
    isAway = false;
    readScans();
    send();
  });

  document.getElementById("pair-counts").hidden = false;
  document.getElementById("pair-tools").hidden = false;
  if (state.first !== null) show(says({ label: "Label", product: "Product", code: "Code" }[state.first.kind], state.first.name));
  draw();
  loadShelves();
  readScans();
  send();
  follow();
  input.focus();
})();

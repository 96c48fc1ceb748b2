// What the pages that scan share: words, sounds, and asking the API through outages.
"use strict";

const PairLine = (() => {
  const root = document.getElementById("pair");
  const { at } = root.dataset;
  let isLoud = () => true;

  const says = (key, what = "") => root.dataset[`says${key}`].replace("%(what)s", what);
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));

  // ── Sounds: one code, two codes, the glass shows it, something is wrong ───────────────────
  const TONES = { one: [[880, 60]], two: [[880, 60], [1320, 90]], shown: [[1760, 60]], wrong: [[220, 180], [180, 260]] };
  let speaker = null;
  const sound = (name) => {
    root.dataset.sounded = name;
    if (!isLoud()) return;
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

  return {
    ...{ says, pause, sound, ask, wordsOf },
    isAway: () => isAway,
    isBack: () => {
      isAway = false;
    },
    soundsIf: (asked) => {
      isLoud = asked;
    },
  };
})();

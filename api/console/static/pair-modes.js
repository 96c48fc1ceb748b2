// What scans mean: a pairing, a label that replaces another, a label that moves, one to be found.
// `take` makes scans into jobs; `send` does a job at the API: null where nobody answered.
"use strict";

const PairModes = ({ state, newJob, show }) => {
  const { says, sound, ask } = PairLine;

  const refuse = (words) => {
    sound("wrong");
    show(words);
  };
  const begin = (first, words) => {
    state.first = first;
    sound("one");
    show(words);
  };
  const finish = (job) => {
    state.jobs.push({ ...newJob(), mode: state.scans[0]?.mode ?? state.mode, ...job });
    state.first = null;
    sound("two");
    show();
  };
  const standAt = (text, what) => {
    state.standing = { text, name: what.name };
    state.jobs.push({ ...newJob(), shelf: text, label: text, name: what.name });
    sound("one");
    show(says("Place", what.name));
  };
  const isLabel = ({ kind }) => kind === "label" || kind === "code";

  // Ids of labels whose codes were scanned; kept with the job, as a label may be gone by the next try.
  const idsOf = async (job) => {
    if (job.ids === undefined) {
      const answer = await ask("POST", "/scans", { texts: job.scans });
      if (!answer?.isDone) return answer;
      job.ids = answer.said.scans.map(({ label }) => label?.label ?? null);
    }
    const nobody = job.ids.indexOf(null);
    return nobody < 0 ? null : { isDone: false, said: { detail: says("NoLabel", job.scans[nobody]) } };
  };
  const refusedOr = async (job, does) => {
    const wrong = await idsOf(job);
    if (job.ids === undefined) return wrong;
    return wrong ?? (await does(job.ids));
  };

  const pair = {
    asks: ({ kind, name }) => says({ label: "Label", product: "Product", code: "Code" }[kind], name),
    take: (text, what) => {
      if (what.kind === "unknown") refuse(says("Unknown", text));
      else if (what.kind === "place") standAt(text, what);
      else if (state.first === null || (what.kind !== "code" && state.first.kind === what.kind)) {
        begin({ text, ...what }, pair.asks(what));
      } else if (state.first.text === text) refuse(says("Again"));
      else {
        const both = [state.first, what];
        const of = (kind) => both.find((one) => one.kind === kind);
        const label = of("label") ?? both.find((one) => one !== of("product"));
        const scans = [state.first.text, text];
        finish({ scans, label: label.name, name: both.find((one) => one !== label).name });
      }
    },
    send: (job) =>
      job.shelf === undefined
        ? ask("POST", "/scanned-pairings", { scans: job.scans }, job.key)
        : ask("PUT", "/current-place", { code: job.shelf }),
  };

  const replace = {
    asks: ({ name }) => says("Broken", name),
    take: (text, what) => {
      if (!isLabel(what)) refuse(says("NoLabel", text));
      else if (state.first === null) begin({ text, ...what }, replace.asks(what));
      else if (state.first.text === text) refuse(says("Again"));
      else finish({ scans: [state.first.text, text], label: what.name, name: says("Replaces", state.first.name) });
    },
    send: (job) =>
      refusedOr(job, async ([broken, fresh]) => {
        const answer = await ask("POST", "/replacements", { broken, new: fresh }, job.key);
        if (!answer?.isDone) return answer;
        const steps = await ask("GET", `/pairing-steps?label=${encodeURIComponent(fresh)}&limit=1`);
        if (!steps?.isDone) return steps;
        const [{ step, after }] = steps.said.steps;
        return { isDone: true, said: { label: fresh, name: job.name, place: after.place, step } };
      }),
  };

  const move = {
    asks: () => says("NothingToMove"),
    take: (text, what) => {
      if (what.kind === "place") standAt(text, what);
      else if (!isLabel(what)) refuse(says("NoLabel", text));
      else if (state.standing === null) refuse(says("NothingToMove"));
      else finish({ scans: [text], label: what.name, name: says("To", state.standing.name), place: state.standing.name });
    },
    send: (job) =>
      job.shelf !== undefined
        ? pair.send(job)
        : refusedOr(job, async ([label]) => {
            const answer = await ask("POST", "/places", { rows: [{ label, place: job.place }] }, job.key);
            if (!answer?.isDone) return answer;
            const [{ decision, reason, fix }] = answer.said.results;
            if (decision === "rejected") return { isDone: false, said: { detail: reason, fix } };
            return { isDone: true, said: { label, name: job.name, place: job.place } };
          }),
  };

  const find = {
    asks: () => says("NothingToFind"),
    take: async (text, what, found) => {
      if (found === null) return refuse(says("NotNow"));
      let labels = found.label === null ? [] : [found.label.label];
      for (const { sku } of labels.length > 0 ? [] : found.products) {
        const listed = await ask("GET", `/labels?q=${encodeURIComponent(sku)}&limit=50`);
        if (!listed?.isDone) return refuse(says("NotNow"));
        labels = labels.concat(listed.said.labels.filter(({ skus }) => skus.includes(sku)).map(({ label }) => label));
      }
      if (labels.length === 0) return refuse(says(found.products.length > 0 ? "NowhereShown" : "Unknown", what.name));
      const lit = await ask("POST", "/lights", { labels, colour: "green", seconds: 30 });
      if (!lit?.isDone || lit.said.labels === 0) return refuse(says("NotNow"));
      sound("two");
      show(says("Blinks", labels.join(", ")));
    },
  };

  return { pair, replace, move, find };
};

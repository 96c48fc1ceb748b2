// Codes read from the camera's own pictures, on the device; where it may not be used, nothing is lost:
// a photo and the keyboard are there.
"use strict";

(() => {
  const EVERY_MS = 120;
  const SAME_AGAIN_MS = 2500;
  const root = document.getElementById("pair");
  const button = document.getElementById("pair-camera");
  const view = document.getElementById("pair-view");
  const video = document.getElementById("pair-video");
  if (navigator.mediaDevices?.getUserMedia === undefined) return; // only over TLS, or on this machine
  button.hidden = false;

  let reader = null;
  const load = () =>
    (reader ??= new Promise((done, failed) => {
      const script = document.createElement("script");
      script.src = button.dataset.reader;
      script.addEventListener("load", () => {
        ZXingWASM.prepareZXingModule({ overrides: { locateFile: () => button.dataset.wasm } });
        done(ZXingWASM);
      });
      script.addEventListener("error", failed);
      document.body.append(script);
    }));

  let stream = null;
  const stop = () => {
    for (const track of stream?.getTracks() ?? []) track.stop();
    stream = null;
    video.srcObject = null;
    view.hidden = true;
    button.setAttribute("aria-pressed", "false");
  };

  const look = async ({ readBarcodes }) => {
    const canvas = document.createElement("canvas");
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    const seenAt = new Map();
    while (stream !== null) {
      if (video.videoWidth > 0) {
        canvas.width = video.videoWidth;
        canvas.height = video.videoHeight;
        pen.drawImage(video, 0, 0);
        const picture = pen.getImageData(0, 0, canvas.width, canvas.height);
        for (const { text } of await readBarcodes(picture, { maxNumberOfSymbols: 2, tryHarder: false })) {
          const last = seenAt.get(text);
          seenAt.set(text, Date.now());
          if (last !== undefined && Date.now() - last < SAME_AGAIN_MS) continue; // it is still held there
          root.dispatchEvent(new CustomEvent("scanned", { detail: text }));
        }
      }
      await new Promise((done) => setTimeout(done, EVERY_MS));
    }
  };

  button.addEventListener("click", async () => {
    if (stream !== null) {
      stop();
      return;
    }
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: { facingMode: "environment", width: { ideal: 1280 } } });
      const found = await load();
      video.srcObject = stream;
      view.hidden = false;
      button.setAttribute("aria-pressed", "true");
      await video.play();
      look(found);
    } catch {
      stop();
      root.dispatchEvent(new CustomEvent("no-camera"));
    }
  });
  addEventListener("pagehide", stop);
})();

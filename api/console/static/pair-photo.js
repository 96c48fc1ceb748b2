// Codes read from a photo by the server, for devices whose camera a page may not use.
"use strict";

(() => {
  const SIDE_PX = 1360;
  const root = document.getElementById("pair");
  const photo = document.getElementById("pair-photo");

  const scaledDown = async (file) => {
    const picture = await createImageBitmap(file);
    const scale = Math.min(1, SIDE_PX / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    return new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.9));
  };

  const codesIn = async (file) => {
    let body;
    try {
      body = await scaledDown(file);
    } catch {
      return [];  // no picture
    }
    const headers = { "Content-Type": "image/jpeg" };
    const answer = await fetch(`${root.dataset.at}/photographed-codes`, { method: "POST", headers, body });
    return answer.ok ? (await answer.json()).codes : [];
  };

  photo.addEventListener("change", async () => {
    const [file] = photo.files;
    if (file === undefined) return;
    try {
      const codes = await codesIn(file);
      if (codes.length === 0) root.dispatchEvent(new CustomEvent("no-code"));
      // The one in the middle is meant; two side by side are a label and its product.
      for (const { text } of codes.length === 2 ? codes : codes.slice(0, 1)) {
        root.dispatchEvent(new CustomEvent("scanned", { detail: text }));
      }
    } catch {
      root.dispatchEvent(new CustomEvent("no-answer"));
    }
    photo.value = "";
    document.getElementById("scan").focus();
  });
})();

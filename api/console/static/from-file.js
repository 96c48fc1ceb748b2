// Codes taken from a file into the field above it: the first column of each line.
"use strict";

(() => {
  const part = document.getElementById("from-file");
  const file = document.getElementById("f-file");
  const field = document.getElementById("f-picked");
  part.hidden = false;

  const codeOf = (line) => line.replace(/^\uFEFF/, "").split(/[;,\t]/)[0].trim().replace(/^"(.*)"$/, "$1").trim();
  const isCode = (text) => /\d/.test(text) && text.length <= 64 && !/[\u0000-\u001f\uFFFD]/.test(text);

  file.addEventListener("change", async () => {
    const [chosen] = file.files;
    if (chosen === undefined) return;
    const codes = (await chosen.text()).split(/\r\n|\r|\n/).map(codeOf).filter(isCode);
    const said = part.querySelector("[role=status]");
    file.value = "";
    if (codes.length === 0) {
      said.textContent = part.dataset.saysNothing;
      return;
    }
    field.value = [...new Set([...field.value.split("\n"), ...codes].map((one) => one.trim()).filter(Boolean))].join("\n");
    document.getElementById("f-chooses").value = "skus";
    said.textContent = part.dataset.saysTaken.replace("%(many)s", codes.length);
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
})();

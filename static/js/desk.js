// The operators' desk: keys, and who is typing. Every page works without them.
(() => {
  "use strict";
  const on = (name, act) => document.addEventListener(name, act);

  // Keys, on pages that name some: data-key on what a key presses or enters, data-step on what j
  // and k walk through. Never while somebody types.
  const typing = (item) => item.closest("input, select, textarea, [contenteditable], dialog");
  const step = (by) => {
    const steps = [...document.querySelectorAll("[data-step]")];
    const at = steps.indexOf(document.activeElement);
    const next = at < 0 ? (by > 0 ? 0 : steps.length - 1) : at + by;
    if (!steps[next]) return;
    steps[next].focus();
    steps[next].scrollIntoView({ block: "nearest" });
  };
  on("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (typing(event.target) || document.querySelector("dialog[open]")) return;
    const item = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    const walks = (event.key === "j" || event.key === "k") && document.querySelector("[data-step]");
    if (!item && !walks) return;
    event.preventDefault();
    if (!item) return step(event.key === "j" ? 1 : -1);
    const enters = item.matches("input, select, textarea");
    enters ? item.focus() : item.click();
  });

  // Whoever types says so with the next beat: the field named by data-typing carries the word.
  let stopped;
  on("input", (event) => {
    const field = document.getElementById(event.target.dataset.typing);
    if (!field) return;
    field.value = "typing";
    clearTimeout(stopped);
    stopped = setTimeout(() => { field.value = "looking"; }, 15000);
  });
})();

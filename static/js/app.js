// Small behaviours on data-* attributes. Every page works without them.
(() => {
  "use strict";
  const on = (name, act, capture) => document.addEventListener(name, act, capture);
  const all = (query, root) => (root || document).querySelectorAll(query);

  // Times: the reader's own zone, and a running count for what lies near.
  const styles = {
    long: { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" },
    full: { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" },
    clock: { hour: "2-digit", minute: "2-digit", second: "2-digit" },
    hour: { hour: "2-digit", minute: "2-digit" },
  };
  const span = (seconds) => {
    const d = Math.floor(seconds / 86400), h = Math.floor(seconds / 3600) % 24;
    const m = Math.floor(seconds / 60) % 60, s = Math.floor(seconds) % 60;
    if (d) return h && d < 7 ? `${d} d ${h} h` : `${d} d`;
    if (h) return m ? `${h} h ${m} min` : `${h} h`;
    if (m) return s && m < 5 ? `${m} min ${s} s` : `${m} min`;
    return `${s} s`;
  };
  const relative = (time) => {
    const gap = (new Date(time.dateTime) - Date.now()) / 1000;
    if (Math.abs(gap) < 1) return "now";
    return gap > 0 ? `in ${span(gap)}` : `${span(-gap)} ago`;
  };
  const put = (time, text) => {
    if (time.textContent !== text) time.textContent = text;
  };
  const times = (root) => {
    for (const time of all("time[data-time]", root)) {
      const style = styles[time.dataset.time];
      put(time, style ? new Date(time.dateTime).toLocaleString("en-GB", style) : relative(time));
    }
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    for (const own of all("[data-own-zone]", root)) put(own, zone);
    for (const week of all(`[data-zone="${CSS.escape(zone)}"]`, root)) week.classList.add("week-same");
  };
  const ticking = () => {
    for (const time of all('time[data-time="relative"]')) put(time, relative(time));
  };
  setInterval(() => document.hidden || ticking(), 1000);

  // Toasts: good news goes by itself, bad news stays until it was read.
  const toast = (text, tone) => {
    const item = document.createElement("div");
    item.className = `toast toast-${tone}`;
    item.setAttribute("role", tone === "bad" ? "alert" : "status");
    item.textContent = text;
    all(".toasts").forEach((box) => box.replaceChildren(item));
    fade(item);
  };
  const fade = (item) => {
    item.addEventListener("click", () => item.remove());
    if (!item.classList.contains("toast-bad")) setTimeout(() => item.remove(), 6000);
  };

  // Questions before something that cannot be undone.
  const ask = (button) => {
    const dialog = document.createElement("dialog");
    dialog.className = "dialog";
    dialog.setAttribute("aria-labelledby", "dialog_title");
    dialog.innerHTML =
      '<form method="dialog"><h2 id="dialog_title"></h2><p></p><div class="form-actions">' +
      '<button class="btn" value="no">Cancel</button><button class="btn" value="yes"></button></div></form>';
    dialog.querySelector("h2").textContent = button.dataset.confirm;
    dialog.querySelector("p").textContent = button.dataset.confirmDetail || "";
    const yes = dialog.querySelector("[value=yes]");
    yes.textContent = button.textContent.trim();
    yes.classList.add("btn-danger-solid");
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (dialog.returnValue !== "yes") return;
      button.dataset.confirmed = "yes";
      button.click();
      delete button.dataset.confirmed;
    });
    document.body.append(dialog);
    dialog.showModal();
  };

  on("click", (event) => {
    const button = event.target.closest("button[data-confirm]");
    if (!button || button.dataset.confirmed) return;
    event.preventDefault();
    event.stopPropagation();
    ask(button);
  }, true);

  on("click", (event) => {
    const copy = event.target.closest("[data-copy]");
    if (copy) navigator.clipboard.writeText(copy.dataset.copy).then(() => toast("Copied.", "good"));
    for (const menu of all("details[data-menu][open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  on("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of all("details[data-menu][open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
  on("change", (event) => {
    if (event.target.name === "theme") document.documentElement.dataset.theme = event.target.value;
  });

  // A second click while the first is under way sends nothing.
  on("submit", (event) => {
    if (event.target.dataset.busy) return event.preventDefault();
    if (event.target.method === "dialog" || event.target.hasAttribute("hx-post")) return;
    event.target.dataset.busy = "yes";
    if (event.submitter) event.submitter.setAttribute("aria-busy", "true");
  });
  window.addEventListener("pageshow", () => {
    for (const form of all("form[data-busy]")) delete form.dataset.busy;
    for (const button of all("form [aria-busy]")) button.removeAttribute("aria-busy");
  });

  // What is wrong is read first, and once: a later poll must not pull anybody out of a field.
  const attend = () => {
    const summary = document.querySelector("[data-focus]");
    if (!summary) return;
    summary.removeAttribute("data-focus");
    summary.focus();
  };

  // htmx: no polls while nobody looks, what is unfolded stays unfolded, failures are said.
  on("htmx:beforeRequest", (event) => {
    if (document.hidden && event.target.hasAttribute("data-poll")) event.preventDefault();
  });
  let unfolded = [];
  on("htmx:beforeSwap", (event) => {
    unfolded = [...all("details[id][open]", event.detail.target)].map((item) => item.id);
  });
  on("htmx:afterSwap", () => {
    for (const id of unfolded) {
      const item = document.getElementById(id);
      if (item) item.open = true;
    }
    times();
    all(".toast").forEach(fade);
    attend();
  });
  on("htmx:sendError", () => toast("The server cannot be reached. What you see may be old.", "bad"));

  times();
  all(".toast").forEach(fade);
  attend();
})();

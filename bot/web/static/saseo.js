// What all pages share: keys, dialogs, focus after htmx. No page needs it to be read, and forms work without it.
(function () {
  "use strict";

  let first = "";

  function typing(target) {
    if (target.closest("dialog:not([open])")) return false;  // just closed: until the next frame its field still has the focus
    return target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable], dialog[open] form") !== null;
  }

  // While the Korean input method is on, the key of "a" gives "ㅁ": the key's own letter counts.
  function letter(event) {
    const own = /^Key([A-Z])$/.exec(event.code);
    if (!own || event.key.length !== 1 || event.key.charCodeAt(0) < 128) return event.key;
    return event.shiftKey ? own[1] : own[1].toLowerCase();
  }

  window.saseo = { letter };  // for the scripts of single pages, which come after this one

  function open(id) {
    const dialog = document.getElementById(id);
    if (dialog && !dialog.open) dialog.showModal();
  }

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-open]");
    if (opener) open(opener.dataset.open);
    const copier = event.target.closest("[data-copy]");
    if (copier) {
      const source = document.getElementById(copier.dataset.copy);
      navigator.clipboard.writeText(source.value === undefined ? source.textContent : source.value);
    }
    for (const menu of document.querySelectorAll("details.me[open]")) if (!menu.contains(event.target)) menu.open = false;
  });

  // data-key="a" or "g t" on a link or a button: that key does what a click does.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") for (const menu of document.querySelectorAll("details.me[open]")) menu.open = false;
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target)) return;
    if (document.querySelector("dialog[open]")) return;
    if (event.key === "?") { open("keys"); event.preventDefault(); return; }
    if (event.key === "/") {
      const field = document.querySelector("main input[type=search]");
      if (field) { field.focus(); field.select(); event.preventDefault(); }
      return;
    }
    const pressed = letter(event);
    const wanted = first ? first + " " + pressed : pressed;
    for (const one of document.querySelectorAll("[data-key]")) {
      if (one.dataset.key === wanted && !one.disabled) { first = ""; event.preventDefault(); one.click(); return; }
    }
    first = pressed === "g" && !first ? "g" : "";
    if (first) setTimeout(() => { first = ""; }, 1500);
  });

  document.addEventListener("submit", (event) => {
    const asked = event.target.dataset.sure;
    if (asked && !window.confirm(asked)) event.preventDefault();
  });
})();

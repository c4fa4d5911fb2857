// 검토: what is selected stays so from one example to the next; e opens the editor, Ctrl+Enter saves; the current line stays in sight.
(function () {
  "use strict";

  const selected = new Set();

  function boxes() {
    return document.querySelectorAll("#desk .lines input[name=id]");
  }

  function count() {
    const all = boxes();
    let here = 0;
    for (const box of all) if (box.checked) here += 1;
    const told = document.getElementById("selected");
    if (told) told.textContent = here ? here + told.dataset.word : "";
    const every = document.getElementById("select-all");
    if (every) { every.checked = here > 0 && here === all.length; every.indeterminate = here > 0 && here < all.length; }
    for (const button of document.querySelectorAll("#bulk button")) button.disabled = here === 0;
  }

  function remember(box) {
    if (box.checked) selected.add(box.value); else selected.delete(box.value);
  }

  function start() {
    for (const box of boxes()) box.checked = selected.has(box.value);
    const toggle = document.getElementById("toggle");
    if (toggle) toggle.hidden = false;
    const current = document.querySelector("#desk .lines li.current");
    if (current) {
      const list = current.parentElement;
      const above = current.offsetTop - list.offsetTop;
      if (above < list.scrollTop || above + current.offsetHeight > list.scrollTop + list.clientHeight) list.scrollTop = above - list.clientHeight / 3;
    }
    count();
  }

  document.addEventListener("change", (event) => {
    if (event.target.id === "select-all") for (const box of boxes()) { box.checked = event.target.checked; remember(box); }
    else if (event.target.matches("#desk .lines input[name=id]")) remember(event.target);
    else return;
    count();
  });

  // What was said lies over the page: it goes when it was read (a click on it), and before something is typed below it.
  function hush() {
    document.getElementById("said").replaceChildren();
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest("#said")) hush();
    if (!event.target.closest("#toggle")) return;
    const box = document.querySelector("#desk .lines li.current input[name=id]");
    if (box) { box.checked = !box.checked; remember(box); count(); }
  });

  document.addEventListener("submit", (event) => { if (event.target.id === "bulk") selected.clear(); });

  document.addEventListener("toggle", (event) => {
    if (event.target.id !== "edit" || !event.target.open) return;
    hush();
    const field = event.target.querySelector("textarea");
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  }, true);

  document.addEventListener("keydown", (event) => {
    const field = event.target.closest("#edit textarea");
    if (!field || event.isComposing) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); document.getElementById("save").click(); }
    if (event.key === "Escape") { document.getElementById("edit").open = false; document.getElementById("example-title").focus({ preventScroll: true }); }
  });

  document.addEventListener("DOMContentLoaded", () => {
    start();
    document.body.addEventListener("htmx:afterSettle", (event) => {
      if (event.target.id !== "desk" && !event.target.querySelector("#desk")) return;
      start();
      const title = document.getElementById("example-title");
      if (title && (document.activeElement === document.body || document.activeElement === null)) title.focus({ preventScroll: true });
    });
  });
})();

// 검토: what is selected stays so from one example and page of the queue to the next, and is decided together; e opens the editor, Ctrl+Enter saves; the current line stays in sight.
(function () {
  "use strict";

  const selected = new Set();
  let list = ""; // state and filters that it was selected under
  let sent = []; // what is being decided

  function boxes() {
    return document.querySelectorAll("#desk .lines input[name=id]");
  }

  function count() {
    const bulk = document.getElementById("bulk");
    if (!bulk) return;
    const all = boxes();
    let here = 0;
    for (const box of all) if (box.checked) here += 1;
    carry(bulk, all, here);
    const told = document.getElementById("selected");
    const most = Number(told.dataset.most);
    const more = [];
    if (selected.size > here) more.push(told.dataset.elsewhere.replace("#", selected.size - here));
    if (selected.size > most) more.push(told.dataset.limit);
    told.textContent = selected.size ? selected.size + told.dataset.word + (more.length ? " (" + more.join(", ") + ")" : "") : "";
    const every = document.getElementById("select-all");
    every.checked = here > 0 && here === all.length;
    every.indeterminate = here > 0 && here < all.length;
    for (const button of bulk.querySelectorAll("button")) button.disabled = selected.size === 0;
  }

  // Those of other pages go along as hidden fields, as many as are decided at once.
  function carry(bulk, all, here) {
    for (const old of bulk.querySelectorAll("input[name=id]")) old.remove();
    const shown = new Set(Array.from(all, (box) => box.value));
    let left = Number(document.getElementById("selected").dataset.most) - here;
    for (const id of selected) {
      if (shown.has(id) || left <= 0) continue;
      const field = document.createElement("input");
      field.type = "hidden";
      field.name = "id";
      field.value = id;
      bulk.append(field);
      left -= 1;
    }
  }

  function remember(box) {
    if (box.checked) selected.add(box.value); else selected.delete(box.value);
  }

  function start() {
    const bulk = document.getElementById("bulk");
    if (bulk) {
      const now = ["state", "kind", "lora"].map((name) => bulk.elements.namedItem(name).value).join(" ");
      if (now !== list) selected.clear(); // nobody should decide what they have forgotten in another list
      list = now;
    }
    for (const box of boxes()) box.checked = selected.has(box.value);
    const toggle = document.getElementById("toggle");
    if (toggle) toggle.hidden = false;
    const current = document.querySelector("#desk .lines li.current");
    if (current) {
      const lines = current.parentElement;
      const above = current.offsetTop - lines.offsetTop;
      if (above < lines.scrollTop || above + current.offsetHeight > lines.scrollTop + lines.clientHeight) lines.scrollTop = above - lines.clientHeight / 3;
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

  // What is decided, together or alone, is not selected any more; what was refused stays.
  document.addEventListener("submit", (event) => {
    const does = event.submitter ? event.submitter.value : "";
    const decides = event.target.closest("#desk") && (does === "approve" || does === "reject");
    sent = decides ? new FormData(event.target).getAll("id") : [];
  }, true);

  // Opened here and at once: the browser tells of it later, and a letter typed until then would decide instead of being written.
  document.addEventListener("click", (event) => {
    const edit = event.target.closest("#edit > summary")?.parentElement;
    if (!edit || edit.open) return;
    event.preventDefault();
    edit.open = true;
    hush();
    const field = edit.querySelector("textarea");
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  });

  document.addEventListener("keydown", (event) => {
    const field = event.target.closest("#edit textarea");
    if (!field || event.isComposing) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); document.getElementById("save").click(); }
    if (event.key === "Escape") { document.getElementById("edit").open = false; document.getElementById("example-title").focus({ preventScroll: true }); }
  });

  document.addEventListener("DOMContentLoaded", () => {
    start();
    document.body.addEventListener("htmx:afterRequest", (event) => {
      if (!event.detail.successful || event.detail.requestConfig.verb !== "post") return;
      for (const id of sent) selected.delete(id);
      sent = [];
    });
    document.body.addEventListener("htmx:afterSettle", (event) => {
      if (event.target.id !== "desk" && !event.target.querySelector("#desk")) return;
      start();
      const title = document.getElementById("example-title");
      if (title && (document.activeElement === document.body || document.activeElement === null)) title.focus({ preventScroll: true });
    });
  });
})();

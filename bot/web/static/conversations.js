// In a list of questions j goes down a row and k up; Enter opens, as on any link.
(function () {
  "use strict";

  document.addEventListener("keydown", (event) => {
    const pressed = window.saseo.letter(event);
    if ((pressed !== "j" && pressed !== "k") || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest("input, textarea, select, dialog[open]")) return;
    const links = [...document.querySelectorAll("#found a.question")];
    if (!links.length) return;
    const at = links.indexOf(document.activeElement);
    const next = at < 0 ? 0 : at + (pressed === "j" ? 1 : -1);
    if (links[next]) links[next].focus();
    event.preventDefault();
  });
})();

// 물어보기: asks without leaving the page and shows sentences as they come. What the server sends as HTML is its own template, escaped there.
(function () {
  "use strict";

  document.addEventListener("DOMContentLoaded", () => {
    const form = document.getElementById("ask");
    if (!form || !window.EventSource) return;
    const talk = document.getElementById("talk");
    const field = form.elements.text;
    const stop = document.getElementById("stop");
    const send = form.querySelector("button.primary");

    function entry(kind, who) {
      const item = document.createElement("li");
      item.className = kind;
      const name = document.createElement("span");
      name.className = "who";
      name.textContent = who;
      const body = document.createElement("div");
      item.append(name, body);
      talk.append(item);
      return body;
    }

    function line(parent, name, text) {
      const paragraph = document.createElement("p");
      paragraph.className = name;
      paragraph.textContent = text;
      parent.append(paragraph);
      return paragraph;
    }

    function newKey() {
      const bytes = crypto.getRandomValues(new Uint8Array(16));
      return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    }

    function busy(on) {
      send.disabled = on;
      stop.hidden = !on;
      form.setAttribute("aria-busy", String(on));
    }

    async function post(data) {
      return fetch("/ask", { method: "POST", body: new URLSearchParams(data), headers: { accept: "application/json" } });
    }

    function listen(stream, body, waiting) {
      const source = new EventSource("/ask/stream/" + encodeURIComponent(stream));
      let written = null;
      source.addEventListener("said", (event) => { if (!written) waiting.textContent = JSON.parse(event.data).text; });
      source.addEventListener("written", (event) => {
        if (!written) { waiting.remove(); written = line(body, "text", ""); }
        written.textContent += JSON.parse(event.data).text;
        form.scrollIntoView({ block: "end" });
      });
      source.addEventListener("ended", (event) => {
        source.close();
        body.innerHTML = JSON.parse(event.data).html;
        htmx.process(body);
        busy(false);
        field.focus();
      });
      source.onerror = () => {
        if (source.readyState !== EventSource.CLOSED) return; // it connects again by itself and reads on
        waiting.textContent = form.dataset.lost;
        if (!waiting.isConnected) body.append(waiting);
        busy(false);
      };
    }

    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const text = field.value.trim();
      if (!text || send.disabled) return;
      busy(true);
      const data = new FormData(form);
      line(entry("mine", form.dataset.you), "text", text);
      const body = entry("theirs", form.dataset.saseo);
      const waiting = line(body, "status", form.dataset.waiting);
      const turn = document.createElement("input");
      turn.type = "hidden"; turn.name = "turn"; turn.value = text;
      form.querySelector("label").before(turn);
      const turns = form.querySelectorAll("input[name=turn]");
      if (turns.length > 10) turns[0].remove();
      field.value = "";
      form.elements.key.value = newKey();
      form.scrollIntoView({ block: "end" });
      try {
        const answer = await post(data);
        if (!answer.ok) throw new Error(String(answer.status));
        listen((await answer.json()).stream, body, waiting);
      } catch (error) {
        waiting.textContent = form.dataset.lost;
        busy(false);
      }
    });

    stop.addEventListener("click", () => {
      post({ csrf: form.elements.csrf.value, key: newKey(), text: stop.textContent });
    });

    field.addEventListener("keydown", (event) => {
      // While Hangul is being composed Enter ends the syllable, it does not send.
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); form.requestSubmit(); }
    });
  });
})();

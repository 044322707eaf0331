// What the pages do beyond plain forms: keep the focus, keep what is being written, say what changed.
"use strict";

(() => {
  const focusWhereAsked = (root) => {
    const wanted = root.matches?.("[data-focus]") ? root : root.querySelector?.("[data-focus]");
    if (wanted) wanted.focus();
  };

  document.addEventListener("DOMContentLoaded", () => focusWhereAsked(document));

  // A form about an alert replaces its whole card: what was written in the card's other forms stays.
  let kept = [];
  document.addEventListener("htmx:beforeSwap", (event) => {
    const target = event.detail.target;
    if (!target.classList.contains("alert")) return;
    const sent = event.detail.requestConfig?.elt;
    kept = [...target.querySelectorAll("details[open] textarea, details[open] input:checked")]
      .filter((field) => !sent?.contains(field))
      .map((field) => ({ id: field.id, value: field.value, name: field.name, card: target.id }));
  });

  const putBack = () => {
    for (const was of kept) {
      const card = document.getElementById(was.card);
      const choice = `input[name="${was.name}"][value="${CSS.escape(was.value)}"]`;
      const field = was.id ? document.getElementById(was.id) : card?.querySelector(choice);
      if (!field) continue;
      field.closest("details").open = true;
      if (was.id) field.value = was.value;
      else field.checked = true;
    }
    kept = [];
  };

  document.addEventListener("htmx:afterSettle", (event) => {
    const element = event.detail.elt;
    if (element.id === "caseload" || element.id === "board") {
      const summary = document.getElementById("summary");
      if (summary.textContent !== element.dataset.summary) summary.textContent = element.dataset.summary;
      return;
    }
    putBack();
    focusWhereAsked(element);
  });

  // The page asks for its parts by itself; when that does not work nothing is lost, so it is only said
  // for what a person has sent.
  const sayUnreached = (event) => {
    if (!event.detail.elt.closest(".alert, .session")) return;
    const said = document.getElementById("said");
    said.textContent = document.body.dataset.unreached;
    said.scrollIntoView({ block: "nearest" });
  };
  document.addEventListener("htmx:sendError", sayUnreached);
  document.addEventListener("htmx:timeout", sayUnreached);
  document.addEventListener("htmx:responseError", sayUnreached);

  // A page brought back by the browser's own memory may show what a signed-out person left behind.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) window.location.reload();
  });
})();

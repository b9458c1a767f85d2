// What every page does: keys and their list, menus that close, the theme without a reload, the query box.
import { suggesting } from "./suggest.js";
import { painting } from "./paint.js";

export const token = document.body.dataset.csrf || "";

const handlers = new Map();

/** Registers what a key does, while nobody writes in a field. */
export function onKey(key, act) {
  handlers.set(key, act);
}

export function isWriting(target) {
  return target.closest("input:not([type=checkbox]):not([type=file]), textarea, select, [contenteditable]") !== null;
}

const keys = document.getElementById("keys");
const box = document.getElementById("q");

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    document.querySelectorAll("details.account[open], details.menu[open]").forEach((menu) => {
      menu.open = false;
      menu.querySelector("summary").focus();
    });
    if (isWriting(event.target)) event.target.blur();
    if (location.hash.startsWith("#facet")) location.hash = "main";
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (isWriting(event.target) || (keys && keys.open)) return;
  const act = handlers.get(event.key);
  if (act && act(event) !== false) event.preventDefault();
});

document.addEventListener("click", (event) => {
  document.querySelectorAll("details.account[open], details.menu[open]").forEach((menu) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
  if (event.target.closest("[data-keys]") && keys) keys.showModal();
});

if (keys) onKey("?", () => keys.showModal());
if (box) {
  onKey("/", () => {
    box.focus();
    box.setSelectionRange(box.value.length, box.value.length);
  });
  painting(box, document.getElementById("paint"));
  suggesting(box, { query: true });
}

document.querySelectorAll("form.theme").forEach((form) => {
  form.addEventListener("submit", async (event) => {
    const choice = event.submitter;
    if (!choice) return;
    event.preventDefault();
    document.documentElement.dataset.theme = choice.value;
    form.querySelectorAll("button").forEach((one) => one.setAttribute("aria-pressed", String(one === choice)));
    const body = new URLSearchParams(new FormData(form));
    body.set("theme", choice.value);
    await fetch(form.action, { method: "POST", body, redirect: "manual" });
  });
});

document.querySelectorAll("[data-select]").forEach((field) => field.addEventListener("focus", () => field.select()));

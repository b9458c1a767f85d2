// The search page: moving in the grid by keys, colours from the facets, new images while the analysis runs.
import { onKey } from "./common.js";
import { learn } from "./paint.js";

const grid = document.getElementById("hits");
const hits = () => [...document.querySelectorAll("#hits .hit")];

function move(step) {
  const all = hits();
  if (!all.length) return false;
  const at = all.indexOf(document.activeElement);
  const next = all[Math.min(all.length - 1, Math.max(0, at < 0 ? 0 : at + step))];
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
  return true;
}

onKey("j", () => move(1));
onKey("k", () => move(-1));
onKey("n", () => document.getElementById("next")?.click() ?? false);

learn([...document.querySelectorAll(".row[data-category]")].map((row) => [row.dataset.name, row.dataset.category]));

// While samples or uploads are analysed: tell how far, and bring new pictures in where nobody is at work.
const progress = document.getElementById("progress");

function isQuiet() {
  const first = !new URLSearchParams(location.search).has("after");
  return first && window.scrollY < 40 && !document.activeElement.closest(".hit") && document.visibilityState === "visible";
}

async function bringNew() {
  const answer = await fetch(location.href).catch(() => null);
  if (!answer || !answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const there = new Set(hits().map((hit) => hit.dataset.record));
  const coming = fresh.getElementById("hits");
  if (!coming || !grid) {
    if (coming) location.reload();
    return;
  }
  coming.querySelectorAll(".hit").forEach((hit) => {
    if (!there.has(hit.dataset.record)) hit.classList.add("is-new");
  });
  grid.replaceChildren(...coming.children);
  document.getElementById("total").replaceChildren(...fresh.getElementById("total").childNodes);
  const facets = document.getElementById("facets");
  if (!facets.contains(document.activeElement)) {
    const at = facets.scrollTop;
    facets.replaceChildren(...fresh.getElementById("facets").childNodes);
    facets.scrollTop = at;
  }
}

function watch(settled, wait) {
  window.setTimeout(async () => {
    const answer = await fetch("/progress").catch(() => null);
    if (!answer || !answer.ok) return watch(settled, Math.min(wait * 2, 30000));
    const now = await answer.json();
    const text = document.createElement("strong");
    text.textContent = `${now.settled.toLocaleString("en")} of ${now.total.toLocaleString("en")}`;
    document.getElementById("progress-text").replaceChildren(text, " analysed");
    if (now.settled !== settled && isQuiet()) await bringNew();
    if (now.settled < now.total) return watch(now.settled, now.settled === settled ? Math.min(wait * 1.3, 10000) : 2000);
    progress.querySelector(".spinner").remove();
    return undefined;
  }, wait);
}

if (progress) watch(Number(progress.dataset.settled), 1500);

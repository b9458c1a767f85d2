// Review: the verbs' keys, the veil while a key or the picture is held, the lease running, the next one loaded.
import { onKey, isWriting } from "./common.js";

const frame = document.querySelector(".frame");
const reason = document.getElementById("reason");
const root = document.querySelector(".review");

const press = (key) => () => {
  const button = document.querySelector(`[data-key="${key}"]`);
  if (!button) return false;
  button.click();
  return true;
};
for (const key of ["a", "r", "e", "s", "z"]) onKey(key, press(key));

if (frame) {
  const show = (on) => frame.classList.toggle("is-shown", on);
  document.addEventListener("keydown", (event) => {
    if (event.key !== " " || isWriting(event.target) || event.target.closest("button, a, summary, dialog")) return;
    event.preventDefault();
    show(true);
  });
  document.addEventListener("keyup", (event) => event.key === " " && show(false));
  window.addEventListener("blur", () => show(false));
  frame.addEventListener("pointerdown", () => show(true));
  for (const end of ["pointerup", "pointercancel", "pointerleave"]) frame.addEventListener(end, () => show(false));
  frame.addEventListener("contextmenu", (event) => event.preventDefault());
}

const verbs = document.getElementById("verbs");
if (verbs) {
  let sent = false;
  verbs.addEventListener("submit", (event) => {
    const removing = event.submitter && event.submitter.value === "remove";
    if (removing && !reason.value.trim()) {
      event.preventDefault();
      reason.parentElement.classList.add("is-needed");
      reason.placeholder = "why is it removed? Then Remove again, or Enter";
      reason.focus();
      return;
    }
    if (sent) event.preventDefault();
    sent = true;
  });
  // Enter in the note means the verb that asked for it, never an accidental Keep.
  reason.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    if (reason.parentElement.classList.contains("is-needed") && reason.value.trim()) press("r")();
  });
  window.addEventListener("pageshow", (event) => event.persisted && location.reload());
}

const lease = document.getElementById("lease");
if (lease) {
  const until = Date.now() + Number(lease.dataset.seconds) * 1000;
  const tick = () => {
    const left = Math.max(0, Math.round((until - Date.now()) / 1000));
    lease.textContent = left ? `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}` : "no longer";
    lease.classList.toggle("lease-short", left < 60);
    if (left) window.setTimeout(tick, 1000);
  };
  tick();
}

if (root && root.dataset.preload) window.setTimeout(() => { new Image().src = root.dataset.preload; }, 300);

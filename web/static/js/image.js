// One image: keys for its switches, suggestions for a new tag, a look at how the analysis goes on.
import { onKey } from "./common.js";
import { suggesting } from "./suggest.js";

const toggle = (id) => () => {
  const box = document.getElementById(id);
  if (!box) return false;
  box.checked = !box.checked;
  return true;
};
onKey("b", toggle("boxes"));
onKey("v", toggle("reveal"));

const field = document.getElementById("new-tag");
if (field) {
  const category = document.getElementById("new-category");
  suggesting(field, {
    taken: (_, kind) => {
      if ([...category.options].some((option) => option.value === kind)) category.value = kind;
    },
  });
  onKey("t", () => field.focus());
}

onKey("d", () => {
  const dropped = document.getElementById("dropped");
  if (!dropped) return false;
  dropped.open = !dropped.open;
  dropped.scrollIntoView({ block: "nearest" });
  return true;
});
document.querySelector('a[href="#dropped"]')?.addEventListener("click", () => {
  document.getElementById("dropped").open = true;
});

onKey("u", () => document.getElementById("back").click());

document.querySelectorAll("[data-copy]").forEach((button) => button.addEventListener("click", async () => {
  const text = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(text.textContent);
    button.textContent = "Copied";
  } catch {
    // Browsers keep the clipboard from plain http: what is selected can still be copied by hand.
    window.getSelection().selectAllChildren(text);
    button.textContent = "Selected: copy it";
  }
}));

const page = document.querySelector(".image");
function follow(wait) {
  window.setTimeout(async () => {
    const answer = await fetch(`/api/v1/images/${page.dataset.record}`).catch(() => null);
    if (!answer || !answer.ok) return;
    const now = await answer.json();
    const busy = document.activeElement === field && field.value;
    if (String(now.revision) !== page.dataset.revision && !busy) location.reload();
    else follow(Math.min(wait * 1.5, 20000));
  }, wait);
}
if (page.dataset.status !== "complete") follow(2000);

// Colours the query's terms by category, behind a field whose own text is transparent.
const FIELDS = {
  object: "object", rating: "rating", colour: "plain", color: "plain", people: "plain", in: "plain", tag: "general", ai: "general",
};
const STORE = "nafuda-categories";
const TERM = /[-~]*(?:[a-z]+:)?(?:"(?:[^"\\]|\\.)*"?|[^\s"]+)|\s+/gi;

let known = {};
try {
  known = JSON.parse(sessionStorage.getItem(STORE) || "{}");
} catch {
  known = {};
}

const painters = [];

/** Remembers which category tags belong to, and paints again. */
export function learn(pairs) {
  for (const [name, category] of pairs) known[name] = category;
  try {
    sessionStorage.setItem(STORE, JSON.stringify(known));
  } catch {
    // A full or forbidden store only costs colours after the next click.
  }
  painters.forEach((paint) => paint());
}

function hue(term) {
  const bare = term.replace(/^[-~(]+/, "").replace(/\)+$/, "");
  const field = /^([a-z]+):/i.exec(bare);
  if (field) return FIELDS[field[1].toLowerCase()] || "meta";
  return known[bare.toLowerCase()] || "general";
}

export function painting(field, layer) {
  const paint = () => {
    const parts = (field.value.match(TERM) || []).map((part) => {
      if (/^\s|^(or|and)$/i.test(part)) return document.createTextNode(part);
      const span = document.createElement("span");
      span.className = `cat-${hue(part)}`;
      span.textContent = part;
      return span;
    });
    layer.replaceChildren(...parts);
    layer.scrollLeft = field.scrollLeft;
  };
  painters.push(paint);
  field.addEventListener("input", paint);
  field.addEventListener("scroll", () => (layer.scrollLeft = field.scrollLeft));
  document.addEventListener("selectionchange", () => (layer.scrollLeft = field.scrollLeft));
  field.parentElement.classList.add("is-painted");
  paint();
}

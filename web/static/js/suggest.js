// A list of tags under a field, following the combobox pattern: arrows choose, Enter or Tab takes, Escape closes.
import { learn } from "./paint.js";

const WAIT = 90;
let lists = 0;

function wordAt(field, query) {
  if (!query) return { start: 0, end: field.value.length, text: field.value.trim().replace(/\s+/g, "_") };
  const caret = field.selectionStart;
  const start = field.value.slice(0, caret).search(/[^\s(]*$/);
  const skip = /^[-~]*(?:(?:tag|ai):)?/.exec(field.value.slice(start, caret))[0].length;
  return { start: start + skip, end: caret, text: field.value.slice(start + skip, caret) };
}

export function suggesting(field, { query = false, taken = () => {} } = {}) {
  const list = document.createElement("ul");
  list.className = "suggest";
  list.id = `suggest-${(lists += 1)}`;
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Suggested tags");
  field.parentElement.append(list);
  for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-controls", list.id], ["aria-expanded", "false"]]) {
    field.setAttribute(name, value);
  }
  let chosen = -1;
  let timer = 0;
  let asked = 0;

  const close = () => {
    list.hidden = true;
    chosen = -1;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  };
  const choose = (place) => {
    chosen = place;
    [...list.children].forEach((item, index) => item.setAttribute("aria-selected", String(index === place)));
    if (place >= 0) field.setAttribute("aria-activedescendant", list.children[place].id);
    else field.removeAttribute("aria-activedescendant");
  };
  const take = (item) => {
    const word = wordAt(field, query);
    const after = field.value.slice(word.end);
    const space = query && !after.startsWith(" ") ? " " : "";
    field.setRangeText(item.dataset.name + space, word.start, word.end, "end");
    close();
    field.dispatchEvent(new Event("input", { bubbles: true }));
    window.clearTimeout(timer);
    field.focus();
    taken(item.dataset.name, item.dataset.category);
  };
  const show = (found) => {
    list.replaceChildren(...found.map((one, index) => {
      const item = document.createElement("li");
      item.id = `${list.id}-${index}`;
      item.className = `cat-${one.category}`;
      item.dataset.name = one.name;
      item.dataset.category = one.category;
      item.setAttribute("role", "option");
      for (const [kind, text] of [["name", one.name], ["kind", one.category], ["count", one.count.toLocaleString("en")]]) {
        const part = document.createElement("span");
        part.className = kind;
        part.textContent = text;
        item.append(part);
      }
      item.addEventListener("pointerdown", (event) => event.preventDefault());
      item.addEventListener("click", () => take(item));
      return item;
    }));
    list.hidden = found.length === 0;
    field.setAttribute("aria-expanded", String(found.length > 0));
    choose(-1);
    learn(found.map((one) => [one.name, one.category]));
  };
  const ask = async () => {
    const { text } = wordAt(field, query);
    const mine = (asked += 1);
    if (text.length < 1 || text.includes(":")) return close();
    const answer = await fetch(`/api/v1/suggestions?q=${encodeURIComponent(text)}`).catch(() => null);
    if (!answer || !answer.ok || mine !== asked || document.activeElement !== field) return undefined;
    return show(await answer.json());
  };

  field.addEventListener("input", () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(ask, WAIT);
  });
  field.addEventListener("blur", close);
  field.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    const size = list.children.length;
    if (event.key === "ArrowDown") choose((chosen + 1) % size);
    else if (event.key === "ArrowUp") choose((chosen - 1 + size) % size);
    else if ((event.key === "Enter" || event.key === "Tab") && chosen >= 0) take(list.children[chosen]);
    else if (event.key === "Tab" && query && size) take(list.children[0]);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}

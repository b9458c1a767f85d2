// Upload: files by dropping or choosing, one request each with its progress, then their way until they are found. They go
// straight into the bucket where the store takes signed forms (data-direct), else, and where it takes none, to the pages.
import { token } from "./common.js";

const form = document.getElementById("drop");
const picker = document.getElementById("files");
const list = document.getElementById("list");
const way = document.getElementById("way");
const AT_ONCE = 3;
const NAMES = { complete: "searchable", known: "known already", partial: "partly analysed", pending: "being analysed", refused: "refused", failed: "failed" };
const ENDED = new Set(["complete", "known", "refused", "failed"]);

const queue = [];
let running = 0;
let direct = form.dataset.direct || "";
const followed = new Map();

function line(name) {
  const item = document.createElement("li");
  item.className = "file is-wait";
  for (const kind of ["path", "state", "reason"]) {
    const part = document.createElement("span");
    part.className = kind;
    item.append(part);
  }
  item.children[0].textContent = name;
  list.prepend(item);
  return item;
}

function tell(item, kind, state, reason = "") {
  item.className = `file is-${kind}`;
  item.querySelector(".state").textContent = state;
  item.querySelector(".reason").textContent = reason;
}

function send(address, fields, item, headers = {}) {
  return new Promise((done) => {
    const request = new XMLHttpRequest();
    const bar = document.createElement("progress");
    bar.max = 1;
    item.append(bar);
    request.upload.addEventListener("progress", (event) => { bar.value = event.loaded / event.total; });
    request.addEventListener("loadend", () => {
      bar.remove();
      done({ status: request.status, body: request.response });
    });
    request.open("POST", address);
    request.responseType = headers.Accept ? "json" : "text";
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    const body = new FormData();
    for (const field of fields) body.append(...field);
    request.send(body);
  });
}

const HEADERS = { "X-CSRF-Token": token, Accept: "application/json" };

function post(address, fields) {
  return fetch(address, { method: "POST", headers: HEADERS, body: new URLSearchParams(fields) }).catch(() => null);
}

/** Says once that files come through the pages after all. A browser does not tell a page why it may not reach a store. */
function detour(status) {
  way.textContent = status
    ? `The store at ${direct} refused a file (${status}), so it was sent through this site.`
    : `Files are sent through this site: the store at ${direct} is out of this browser's reach, or does not allow this page (CORS).`;
  way.hidden = false;
  if (!status) direct = "";
}

/** Straight into the bucket with a form that was signed for this file: its key, or "" when it must come another way. */
async function past(file, item) {
  const asked = await post("/api/v1/uploads", { name: file.name, size: file.size, type: file.type });
  if (!asked || !asked.ok) return "";
  const signed = await asked.json();
  const { status } = await send(signed.url, [...Object.entries(signed.fields), ["file", file, file.name]], item);
  if (status !== 201) {
    if (direct) detour(status);
    return "";
  }
  await post("/api/v1/uploads/stored", { key: signed.key }); // spares the wait for the store's own event
  return signed.key;
}

function follow(key, item) {
  tell(item, "wait", "being analysed");
  followed.set(key, item);
  look(1200);
}

async function next() {
  if (running >= AT_ONCE || !queue.length) return;
  running += 1;
  const { file, item } = queue.shift();
  tell(item, "wait", "uploading");
  const key = direct && file.type ? await past(file, item) : "";
  if (key) follow(key, item);
  else await through(file, item);
  running -= 1;
  next();
}

async function through(file, item) {
  const { status, body } = await send(form.action, [["files", file, file.name]], item, HEADERS);
  const one = status === 200 && Array.isArray(body) ? body[0] : null;
  if (!one) tell(item, "bad", "failed", (body && [body.message, body.number].filter(Boolean).join(" Number ")) || "The connection broke: choose it again.");
  else if (one.reason) tell(item, "bad", "refused", one.reason);
  else follow(one.key, item);
}

let looking = false;
async function look(wait) {
  if (looking || !followed.size) return;
  looking = true;
  await new Promise((done) => window.setTimeout(done, wait));
  const keys = [...followed.keys()].slice(0, 50);
  const answer = await fetch(`/upload/outcomes?${new URLSearchParams(keys.map((key) => ["key", key]))}`).catch(() => null);
  if (answer && answer.ok) (await answer.json()).forEach(found);
  looking = false;
  look(Math.min(wait * 1.3, 8000));
}

function found(one) {
  const item = followed.get(one.key);
  if (!item) return;
  const bad = one.outcome === "refused" || one.outcome === "failed";
  tell(item, bad ? "bad" : ENDED.has(one.outcome) ? "good" : "wait", NAMES[one.outcome] || one.outcome, one.reason);
  const name = item.querySelector(".path");
  if (one.record && !name.querySelector("a")) {
    const link = document.createElement("a");
    link.href = `/images/${one.record}`;
    link.textContent = name.textContent;
    name.replaceChildren(link);
  }
  if (one.record && !bad) document.getElementById("after").hidden = false;
  if (ENDED.has(one.outcome)) followed.delete(one.key);
}

function add(files) {
  const limit = Number(form.dataset.bytes);
  for (const file of files) {
    const item = line(file.name);
    if (file.size > limit) tell(item, "bad", "refused", `It has ${Math.ceil(file.size / 2 ** 20)} MB, at most ${Math.floor(limit / 2 ** 20)} MB are taken: make it smaller.`);
    else if (file.size === 0) tell(item, "bad", "refused", "It is empty: choose the file again.");
    else {
      tell(item, "wait", "waits");
      queue.push({ file, item });
    }
  }
  for (let place = 0; place < AT_ONCE; place += 1) next();
}

document.getElementById("send").hidden = true;
form.addEventListener("submit", (event) => event.preventDefault());
picker.addEventListener("change", () => {
  add(picker.files);
  picker.value = "";
});
for (const kind of ["dragenter", "dragover"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    form.classList.add("is-over");
  });
}
document.addEventListener("dragleave", (event) => event.relatedTarget === null && form.classList.remove("is-over"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  form.classList.remove("is-over");
  add(event.dataTransfer.files);
});
document.addEventListener("paste", (event) => event.clipboardData.files.length && add(event.clipboardData.files));
list.querySelectorAll("[data-upload].is-wait").forEach((item) => followed.set(item.dataset.upload, item));
look(1200);

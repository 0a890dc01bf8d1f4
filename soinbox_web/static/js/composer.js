// The composer saves itself within a second of typing, attaches what is picked or dropped, and asks nothing twice.

const form = document.querySelector("form[data-autosave]");
const state = () => document.getElementById("draft-state");
const DELAY = 700;
form.querySelector("[data-attach]").hidden = true; // picking is enough
let timer = 0;
let saving = null;
let leaving = false;

async function save() {
  timer = 0;
  state().textContent = `${form.dataset.saving}…`;
  const fields = new FormData(form);
  fields.delete("files");
  fields.set("do", "save");
  saving = fetch(form.action, {
    method: "POST",
    body: fields,
    headers: { "HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "p#draft-state" },
    keepalive: leaving,
  });
  try {
    const answer = await saving;
    if (!answer.ok) throw new Error(String(answer.status));
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("draft-state");
    if (fresh) state().replaceWith(fresh);
  } catch (error) {
    if (error instanceof TypeError && !leaving) document.dispatchEvent(new Event("unanswered"));
    state().textContent = form.dataset.unsaved;
    if (!leaving) timer = setTimeout(save, 3000);
  }
  saving = null;
}

function later() {
  clearTimeout(timer);
  timer = setTimeout(save, DELAY);
}

function attach() {
  const field = form.querySelector("input[type=file]");
  const kept = [...form.querySelectorAll("[data-size]")].reduce((sum, each) => sum + Number(each.dataset.size), 0);
  const total = [...field.files].reduce((sum, file) => sum + file.size, kept);
  const error = document.getElementById("files-error");
  error.hidden = total <= Number(form.dataset.limit);
  error.textContent = error.hidden ? "" : form.dataset.tooBig;
  if (error.hidden) form.requestSubmit(form.querySelector("[data-attach]"));
  else field.value = "";
}

let asking = 0;

// The list offers whole values: what stands before the last comma stays.
function suggest(field) {
  clearTimeout(asking);
  const at = Math.max(field.value.lastIndexOf(","), field.value.lastIndexOf(";")) + 1;
  const [before, word] = [field.value.slice(0, at), field.value.slice(at).trim()];
  if (word.length < 2 || word.endsWith(">")) return;
  asking = setTimeout(async () => {
    const answer = await fetch(`${field.dataset.people}?${new URLSearchParams({ q: word })}`);
    if (!answer.ok) return;
    const found = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("people");
    for (const option of found.children) option.value = before ? `${before} ${option.value}` : option.value;
    document.getElementById("people").replaceChildren(...found.children);
  }, 150);
}

form.addEventListener("input", (event) => {
  if (event.target.dataset.people) suggest(event.target);
  if (event.target.type === "file") attach();
  else later();
});

form.addEventListener("submit", () => clearTimeout(timer));

addEventListener("pagehide", () => {
  leaving = true;
  if (timer) save();
});

form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit(form.querySelector("[value=send]"));
});

const drop = form.querySelector(".composer-files");
for (const name of ["dragenter", "dragover"]) {
  form.addEventListener(name, (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    drop.classList.add("dropping");
  });
}
form.addEventListener("dragleave", (event) => form.contains(event.relatedTarget) || drop.classList.remove("dropping"));
form.addEventListener("drop", (event) => {
  if (!event.dataTransfer?.files.length) return;
  event.preventDefault();
  form.querySelector("input[type=file]").files = event.dataTransfer.files;
  attach();
});

const body = document.getElementById("body");
if (document.activeElement === body && body.value === body.defaultValue) body.setSelectionRange(0, 0);

// Mail: ticks are counted, the open row is marked at once, keys walk through the list, deleting asks, undo bars end.

const ticked = () => [...document.querySelectorAll(".row-check input:checked")];

function count() {
  const number = ticked().length;
  const many = document.querySelector(".selection-many");
  if (many) {
    many.hidden = number < 2;
    document.getElementById("message-pane").toggleAttribute("data-behind", number > 1);
    const words = many.querySelector("[data-selected-words]");
    words.textContent = words.dataset.selectedWords.replace("{count}", number);
  }
  const all = document.querySelector("[data-select-all]");
  if (!all) return;
  const boxes = document.querySelectorAll(".row-check input");
  all.checked = number > 0 && number === boxes.length;
  all.indeterminate = number > 0 && number < boxes.length;
  const label = document.querySelector("[data-selected-count]");
  label.dataset.words ??= label.textContent;
  label.textContent = number ? `${label.dataset.words}: ${number}` : label.dataset.words;
}

let asked = ""; // the message that was clicked and has not come yet
let asking = ""; // and the page that it is to stand on

// A list that was asked for before the message was open comes back without its mark.
function markOpen() {
  const shown = document.getElementById("message-pane").dataset.key;
  if (shown === asked) asked = "";
  const openKey = asked || shown;
  const row = [...document.querySelectorAll(".row")].find((each) => each.querySelector("input").value === openKey);
  if (!row || row.classList.contains("open")) return;
  for (const other of document.querySelectorAll(".row.open")) {
    other.classList.remove("open");
    other.querySelector(".row-link").removeAttribute("aria-current");
  }
  row.classList.add("open");
  row.querySelector(".row-link").setAttribute("aria-current", "true");
}

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-select-all]")) {
    for (const box of document.querySelectorAll(".row-check input")) box.checked = event.target.checked;
  }
  if (event.target.matches("[data-select-all], .row-check input")) count();
});

document.addEventListener("click", (event) => {
  const link = event.target.closest(".row-link");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  asking = link.href;
  asked = new URL(asking).searchParams.get("message");
  markOpen();
});

// The list is asked for as it is beside the message that was clicked, which it keeps.
document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  if (asked && ctx.target?.id === "message-list") ctx.request.headers["HX-Current-URL"] = asking;
});

// A message that did not come is not open.
document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  const key = new URL(ctx.request.action, location).searchParams.get("message");
  if (ctx.status === "swapped" || !asked || key !== asked) return;
  asked = "";
  for (const row of document.querySelectorAll(".row.open")) {
    row.classList.remove("open");
    row.querySelector(".row-link").removeAttribute("aria-current");
  }
  markOpen();
});

function walk(step) {
  const links = [...document.querySelectorAll(".row-link")];
  const at = links.findIndex((link) => link === document.activeElement || link.getAttribute("aria-current") === "true");
  const next = links[Math.min(Math.max(at + step, 0), links.length - 1)];
  next?.focus();
  return next;
}

const toolbar = (kind) => document.querySelector(`#message-pane .toolbar a[href*="kind=${kind}&"]`);
const KEYS = {
  j: () => walk(1)?.click(),
  k: () => walk(-1)?.click(),
  r: () => toolbar("reply")?.click(),
  a: () => toolbar("reply_all")?.click(),
  f: () => toolbar("forward")?.click(),
  "/": () => document.querySelector(".list-search input[type=search]")?.focus(),
  "?": () => document.getElementById("keys").showModal(),
  Delete: () => document.querySelector(ticked().length ? ".bulk-bar [value=delete]" : ".toolbar [value=delete]")?.click(),
  ArrowDown: () => walk(1),
  ArrowUp: () => walk(-1),
};

document.addEventListener("keydown", (event) => {
  const { target } = event;
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (target.matches("input:not([type=checkbox]), select, textarea") || document.querySelector("dialog[open], .menu[open]")) return;
  const inRows = target.closest?.(".rows");
  if (event.key.startsWith("Arrow") && !inRows && target !== document.body) return;
  if (inRows && event.key === "x") target.closest(".row").querySelector("input").click();
  else if (KEYS[event.key]) KEYS[event.key]();
  else return;
  event.preventDefault();
});

// Deleting asks in a dialog here; without JavaScript the question is a page.
document.addEventListener(
  "submit",
  (event) => {
    const { target: form, submitter } = event;
    if (!submitter?.dataset.ask || form.elements.confirmed) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const dialog = document.getElementById("ask-delete");
    const number = form.id === "bulk" ? ticked().length : 1;
    for (const words of dialog.querySelectorAll("[data-one]")) {
      words.textContent = number > 1 ? words.dataset.many.replace("{count}", number) : words.dataset.one;
    }
    dialog.querySelector("[data-final]").hidden = submitter.dataset.ask !== "final";
    dialog.querySelector("[data-kept]").hidden = submitter.dataset.ask === "final";
    dialog.returnValue = "";
    dialog.onclose = () => {
      if (dialog.returnValue !== "yes") return;
      const agreed = Object.assign(document.createElement("input"), { type: "hidden", name: "confirmed", value: "1" });
      form.append(agreed);
      form.requestSubmit(submitter);
      setTimeout(() => agreed.remove());
    };
    dialog.showModal();
  },
  true,
);

function settle() {
  markOpen();
  count();
}

document.addEventListener("htmx:after:swap", settle);
settle();

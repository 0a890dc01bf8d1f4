// Mail: ticks are counted, the open row is marked at once, keys walk through the list, deleting asks, undo bars end.

const ticked = () => [...document.querySelectorAll(".row-check input:checked")];

function count() {
  const number = ticked().length;
  const many = document.querySelector(".selection-many");
  if (many) {
    many.hidden = number < 2;
    for (const other of many.parentElement.children) if (other !== many) other.toggleAttribute("data-behind", number > 1);
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
  asked = new URL(link.href).searchParams.get("message");
  markOpen();
});

function walk(step) {
  const links = [...document.querySelectorAll(".row-link")];
  const at = links.findIndex((link) => link === document.activeElement || link.getAttribute("aria-current") === "true");
  const next = links[Math.min(Math.max(at + step, 0), links.length - 1)];
  next?.focus();
  return next;
}

const KEYS = {
  j: () => walk(1)?.click(),
  k: () => walk(-1)?.click(),
  r: () => document.querySelector("#message-pane .toolbar a")?.click(),
  "/": () => document.querySelector(".list-search input[type=search]")?.focus(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) return;
  const inRows = event.target.closest?.(".rows");
  if (inRows && (event.key === "ArrowDown" || event.key === "ArrowUp")) walk(event.key === "ArrowDown" ? 1 : -1);
  else if (inRows && event.key === "x") event.target.closest(".row").querySelector("input").click();
  else if (KEYS[event.key]) KEYS[event.key]();
  else return;
  event.preventDefault();
});

function settle() {
  markOpen();
  count();
}

document.addEventListener("htmx:after:swap", settle);
settle();

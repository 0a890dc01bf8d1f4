// Menus made of <details>: Escape and a click elsewhere close them, arrows walk through; the navigator folds without a reload.

const open = () => [...document.querySelectorAll("details.menu[open]")];

document.addEventListener("click", (event) => {
  for (const menu of open()) if (!menu.contains(event.target)) menu.open = false;
});

// What was chosen is done: a menu goes when one of its entries opens another page or comes back as it is.
document.addEventListener("click", (event) => {
  const entry = event.target.closest("details.menu .menu-item");
  if (entry) setTimeout(() => { entry.closest("details.menu").open = false; });
});

document.addEventListener("focusin", (event) => {
  for (const menu of open()) if (!menu.contains(event.target)) menu.open = false;
});

document.addEventListener("keydown", (event) => {
  const menu = open().at(-1);
  if (!menu) return;
  if (event.key === "Escape") {
    menu.open = false;
    menu.querySelector("summary").focus();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const items = [...menu.querySelectorAll(".menu-item")].filter((item) => item.offsetParent);
    const step = event.key === "ArrowDown" ? 1 : -1;
    const at = items.indexOf(document.activeElement);
    items[(at + step + items.length + (at < 0 && step < 0 ? 1 : 0)) % items.length]?.focus();
    event.preventDefault();
  }
});

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-navigator]")) return;
  event.preventDefault();
  document.documentElement.classList.toggle("narrow");
  fetch(event.target.action, { method: "POST", body: new FormData(event.target), redirect: "manual" });
});

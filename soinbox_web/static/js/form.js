// Forms: the first wrong field has the focus, a form goes once, the browser's time zone is the first suggestion.

export function prepare(root) {
  const wrong = root.querySelector(".field.invalid :is(input, select, textarea), [aria-invalid='true']");
  if (wrong) wrong.focus({ preventScroll: false });
  for (const field of root.querySelectorAll("[data-browser-zone]")) {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if (field.tagName === "INPUT") field.value = zone;
    else if (!field.value && [...field.options].some((option) => option.value === zone)) field.value = zone;
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
  setTimeout(() => delete form.dataset.sent, 4000);
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).value);
  button.dataset.copied = "yes";
});

prepare(document);
document.addEventListener("htmx:after:swap", (event) => event.target instanceof Element && prepare(event.target));

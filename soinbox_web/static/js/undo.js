// An offer to undo goes away when its time is over.

function watch(root) {
  for (const offer of root.querySelectorAll("[data-until]")) {
    if (offer.dataset.watched) continue;
    offer.dataset.watched = "yes";
    setTimeout(() => offer.remove(), Number(offer.dataset.until));
  }
}

watch(document);
document.addEventListener("htmx:after:swap", () => watch(document));

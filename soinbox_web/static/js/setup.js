// Set-up: another security means another port, unless the port was typed; a problem stands in sight of its field.

document.addEventListener("change", (event) => {
  const select = event.target.closest("[data-port-field]");
  if (!select) return;
  const ports = JSON.parse(select.dataset.ports);
  const port = document.getElementById(select.dataset.portField);
  if (port && (port.value === "" || Object.values(ports).includes(Number(port.value)))) port.value = ports[select.value];
});

function showProblem() {
  document.querySelector("#advanced-settings #problem")?.scrollIntoView({ block: "start" });
}

document.addEventListener("htmx:after:swap", () => setTimeout(showProblem));
showProblem();

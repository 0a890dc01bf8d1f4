// Set-up: another security means another port, unless the port was typed; a problem stands in sight of its field.

document.addEventListener("change", (event) => {
  const select = event.target.closest("[data-port-field]");
  if (!select) return;
  const ports = JSON.parse(select.dataset.ports);
  const port = document.getElementById(select.dataset.portField);
  if (port && (port.value === "" || Object.values(ports).includes(Number(port.value)))) port.value = ports[select.value];
});

document.addEventListener("click", (event) => {
  const chip = event.target.closest("button[name='fill']");
  if (!chip) return;
  event.preventDefault();
  const [side, ...values] = JSON.parse(chip.value);
  const fields = ["host", "port", "security", "username"].map((name) => document.getElementById(`${side}_${name}`));
  const changed = fields.filter((field, at) => field.value !== String(values[at]));
  fields.forEach((field, at) => { field.value = values[at]; });
  const same = document.getElementById("smtp_same");
  const imapName = document.getElementById("imap_username");
  if (side === "smtp" && fields[3].value !== imapName.value) same.checked = false;
  (changed[0] || fields[0]).focus();
});

function showProblem() {
  document.querySelector("#advanced-settings #problem")?.scrollIntoView({ block: "start" });
}

document.addEventListener("htmx:after:swap", () => setTimeout(showProblem));
showProblem();

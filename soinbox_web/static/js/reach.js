// A server that cannot be reached, or knows this person no longer, is told in a bar; it goes when the stream is back.

const bar = document.getElementById("reach");
const live = document.getElementById("live");
const PATIENCE = 5000; // for so long a stream may be gone
const SILENCE = 30_000; // a stream that lives says so every 12 s
const FROM_A_PROXY = [502, 503, 504];

let seen = Date.now(); // until then the page was as the server had it
let connection = null; // the stream while it is open
let patience = 0;
let silence = 0;
let leaving = 0;

function show(kind) {
  document.documentElement.classList.toggle("unreachable", kind !== "");
  for (const each of bar.children) {
    const words = each.querySelector("[data-words]");
    if (words && each.hidden) {
      const time = new Date(seen).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: bar.dataset.zone });
      words.textContent = words.dataset.words.replace("{time}", time);
    }
    each.hidden = each.dataset.reach !== kind;
  }
}

function signedOut() {
  const link = bar.querySelector("[data-reach=signed-out] a");
  link.search = new URLSearchParams({ next: location.pathname + location.search });
  show("signed-out");
}

function waitForTheStream() {
  if (!patience) patience = setTimeout(() => document.hidden || unanswered(), PATIENCE);
}

function alive(stream) {
  clearTimeout(patience);
  clearTimeout(silence);
  [connection, seen, patience] = [stream, Date.now(), 0];
  silence = setTimeout(() => document.hidden || unanswered(), SILENCE);
  if (document.documentElement.classList.contains("unreachable")) show("");
}

function broken(until = seen) {
  clearTimeout(silence);
  const stream = connection;
  [connection, seen] = [null, until];
  waitForTheStream();
  return stream;
}

// A stream that did not notice is begun anew, so that the bar can go.
function unanswered() {
  if (!leaving && bar.querySelector("[data-reach=signed-out]").hidden) show("gone");
  broken()?.reader?.cancel();
}

function install() {
  document.addEventListener("htmx:sse:after:connection", ({ detail }) => alive(detail.connection));
  document.addEventListener("htmx:sse:before:message", ({ detail }) => alive(detail.connection));
  document.addEventListener("htmx:sse:before:connection", ({ detail }) => {
    if (detail.connection.attempt && !document.hidden) broken(connection ? Date.now() : seen);
  });
  document.addEventListener("htmx:sse:error", ({ detail }) => detail.status === 401 && signedOut());

  document.addEventListener("htmx:before:response", (event) => {
    const { sourceElement, response } = event.detail.ctx;
    const ours = response.headers.get("vary")?.includes("HX-Target");
    if (response.status === 401) signedOut();
    else if (FROM_A_PROXY.includes(response.status) && !ours) unanswered();
    else return;
    event.preventDefault();
    if (sourceElement === live) setTimeout(() => htmx.trigger(live, "again"), PATIENCE);
  });

  document.addEventListener("htmx:error", ({ detail: { ctx } }) => {
    if (!ctx || ctx.response) return;
    unanswered();
    if (ctx.sourceElement === live) setTimeout(() => htmx.trigger(live, "again"), PATIENCE);
  });

  document.addEventListener("unanswered", unanswered);
  addEventListener("offline", waitForTheStream);
  document.addEventListener("visibilitychange", () => document.hidden || broken());

  // What a page asks when it is left is broken off, which says nothing about the server.
  addEventListener("beforeunload", () => {
    clearTimeout(leaving);
    leaving = setTimeout(() => { leaving = 0; }, 3000);
  });
}

if (bar) install();

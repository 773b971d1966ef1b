// Shows what /health says. No framework, no inline style or script: the page runs under a strict Content-Security-Policy.
"use strict";

const EVERY_MS = 10000;
const PATIENCE_MS = 5000;
const verdict = document.getElementById("verdict");
const rows = document.getElementById("rows");

function cell(text, className) {
  const td = document.createElement("td");
  td.textContent = text;
  if (className) td.className = className;
  return td;
}

function row(name, service) {
  const tr = document.createElement("tr");
  const took = service.response_time_ms;
  tr.append(
    cell(name),
    cell(service.healthy ? "healthy" : "not healthy", service.healthy ? "good" : "bad"),
    cell(typeof took === "number" ? `${took.toFixed(1)} ms` : "–"),
  );
  return tr;
}

async function look() {
  try {
    const answer = await fetch("/health", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
    if (answer.status === 429) return; // too many tabs: the next look will do
    const health = await answer.json();
    if (!health.services) throw new Error("no services");
    verdict.textContent = health.overall_healthy ? "All is well." : "Something is wrong: see below.";
    verdict.className = health.overall_healthy ? "good" : "bad";
    rows.replaceChildren(...Object.entries(health.services).map(([name, service]) => row(name, service)));
  } catch {
    verdict.textContent = "The API does not answer.";
    verdict.className = "bad";
  }
}

look();
setInterval(() => { if (!document.hidden) look(); }, EVERY_MS);

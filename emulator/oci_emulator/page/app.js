"use strict";

// Everything that others have named is set as text, never as markup.
const WAIT_SECONDS = 2;
const element = (id) => document.getElementById(id);
let selected = new URLSearchParams(location.hash.slice(1)).get("run");
let lastEntry = 0;
let seconds = 0;

function make(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  Object.assign(node, properties);
  node.append(...children);
  return node;
}

function facts(list, entries) {
  list.replaceChildren(...entries.filter(([, value]) => value !== null && value !== "").map(
    ([name, value]) => make("div", {}, make("dt", { textContent: name }), make("dd", {}, value))));
}

function state(name) {
  return make("span", { className: `state ${name}`, textContent: name });
}

function time(text) {
  return text ? text.slice(0, 19).replace("T", " ") : "";
}

function took(run) {
  if (!run.timeStarted) return "";
  const end = run.timeFinished ? Date.parse(run.timeFinished) / 1000 : seconds;
  const all = Math.max(0, end - Date.parse(run.timeStarted) / 1000);
  if (all < 60) return `${all.toFixed(1)} s`;
  const minutes = Math.floor(all / 60);
  return minutes < 60 ? `${minutes} min ${Math.floor(all % 60)} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function runRow(run) {
  const button = make("button", { className: "run", type: "button", textContent: run.displayName, title: run.id });
  button.addEventListener("click", () => select(run.id));
  const row = make("tr", {}, make("td", {}, button), make("td", {}, state(run.lifecycleState)),
    make("td", { textContent: run.jobName }), make("td", { textContent: time(run.timeAccepted) }),
    make("td", { textContent: took(run) }));
  row.dataset.id = run.id;
  if (run.id === selected) row.setAttribute("aria-current", "true");
  return row;
}

function jobRow(job) {
  return make("tr", {}, make("td", { textContent: job.displayName, title: job.id }),
    make("td", {}, state(job.lifecycleState)), make("td", { textContent: job.shapeName }),
    make("td", { textContent: time(job.timeCreated) }));
}

// What has the focus keeps it, though its row is another one now.
function replaceRows(body, rows) {
  const focused = document.activeElement?.closest("tr")?.dataset.id;
  body.replaceChildren(...rows);
  if (focused) body.querySelector(`tr[data-id="${CSS.escape(focused)}"] button`)?.focus();
}

function showOverview(overview) {
  seconds = overview.seconds;
  facts(element("facts"), [["Endpoint", location.origin], ["Config file", overview.config],
    ["Clock", `${time(overview.now)}${overview.rate === 1 ? "" : ` × ${overview.rate}`}`],
    ["Runs are", overview.mode === "process" ? "processes" : "simulated"], ["Profile", overview.profile]]);
  element("counts").replaceChildren(...Object.entries(overview.counts).map(
    ([name, number]) => make("li", { textContent: `${number} ${name}` })));
  replaceRows(element("runs"), overview.runs.map(runRow));
  element("jobs").replaceChildren(...overview.jobs.map(jobRow));
  element("no-runs").hidden = overview.runs.length > 0;
}

function chart(name, points) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 100 100");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  const [first, last] = [points[0][0], points.at(-1)[0]];
  const top = Math.max(1, ...points.map(([, value]) => value));
  const line = document.createElementNS(svg.namespaceURI, "polyline");
  line.setAttribute("points", points.map(([at, value]) =>
    `${last > first ? (at - first) / (last - first) * 100 : 100},${100 - value / top * 100}`).join(" "));
  const base = document.createElementNS(svg.namespaceURI, "line");
  Object.entries({ x1: 0, x2: 100, y1: 100, y2: 100 }).forEach(([key, value]) => base.setAttribute(key, value));
  svg.append(base, line);
  const newest = `${points.at(-1)[1].toFixed(1)} %`;
  svg.setAttribute("aria-label", `${name}, now ${newest}`);
  return make("figure", {}, svg, make("figcaption", { textContent: `${name} ${newest}` }));
}

async function get(path) {
  const answer = await fetch(`/_emulator/${path}`);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

async function showDetail() {
  const id = selected;
  element("detail").hidden = !id;
  if (!id) return;
  const name = encodeURIComponent(id);
  let run;
  try {
    run = (await get(`runs/${name}`)).body;
  } catch {
    select(null);
    return;
  }
  const [log, metrics] = await Promise.all([get(`runs/${name}/log?after=${lastEntry}`), get(`runs/${name}/metrics`)]);
  if (id !== selected) return;
  element("detail-title").textContent = run.displayName;
  facts(element("run-facts"), [["State", state(run.lifecycleState)], ["Details", run.lifecycleDetails],
    ["OCID", run.id], ["Started", time(run.timeStarted)], ["Finished", time(run.timeFinished)],
    ["Nodes", (run.nodeGroupDetailsList ?? []).map((group) => `${group.name}: ${group.lifecycleState}`).join(", ")]]);
  element("charts").replaceChildren(...Object.entries(metrics).map(([metric, points]) => chart(metric, points)));
  const pane = element("log");
  const atEnd = pane.scrollTop + pane.clientHeight >= pane.scrollHeight - 8;
  for (const entry of log.entries) {
    pane.append(`${entry.message}\n`);
    lastEntry = entry.seq;
  }
  if (atEnd) pane.scrollTop = pane.scrollHeight;
  element("no-log").hidden = pane.textContent !== "";
  pane.hidden = pane.textContent === "";
}

function select(id) {
  selected = id;
  lastEntry = 0;
  element("log").textContent = "";
  history.replaceState(null, "", id ? `#run=${encodeURIComponent(id)}` : "#");
  for (const row of element("runs").rows) {
    if (row.dataset.id === id) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
  showDetail().catch(lost);
}

function lost() {
  element("connection").textContent = "The emulator does not answer.";
  element("connection").className = "lost";
}

async function follow() {
  let version = "";
  for (;;) {
    try {
      const chosen = element("state").value;
      const overview = await get(`overview?wait=${version ? WAIT_SECONDS : 0}&since=${version}&lifecycleState=${chosen}`);
      version = overview.version;
      if (chosen !== element("state").value) version = "";
      showOverview(overview);
      await showDetail();
      element("connection").textContent = "";
      element("connection").className = "";
    } catch {
      lost();
      version = "";
      await new Promise((resolve) => { setTimeout(resolve, WAIT_SECONDS * 1000); });
    }
  }
}

element("state").addEventListener("change", () => {
  get(`overview?wait=0&since=&lifecycleState=${element("state").value}`).then(showOverview, lost);
});
follow();

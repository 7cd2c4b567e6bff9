// The list of runs: filters, pages, what is done with one or with several.

const PAGE = 25;

/// `before` of the pages that were left, newest first.
const passedPages = [];
const chosenRuns = new Set();
let pageBefore = null;
let pageNext = null;
let listedRuns = [];
/// Only the newest question's answer is shown.
let listing = 0;

function startHistory() {
  const list = $("runs");
  if (!list) return;
  const asked = new URLSearchParams(location.search);
  for (const field of $("filter").elements) if (asked.has(field.name)) field.value = asked.get(field.name);
  const filtered = calmly(250, () => {
    passedPages.length = 0;
    pageBefore = null;
    keepFilter();
    loadRuns();
  });
  $("filter").addEventListener("input", filtered);
  $("filter").addEventListener("submit", (event) => event.preventDefault());
  $("older").addEventListener("click", () => turnPage(() => passedPages.push(pageBefore), () => pageNext));
  $("newer").addEventListener("click", () => turnPage(() => {}, () => passedPages.pop() ?? null));
  $("compare").addEventListener("click", () => location.assign(`/compare?ids=${[...chosenRuns].sort((a, b) => a - b).join(",")}`));
  $("delete-chosen")?.addEventListener("click", () => removeRuns([...chosenRuns]));
  $("delete-old")?.addEventListener("click", askOld);
  loadRuns();
  whileSeen(3000, loadRuns);
}

function turnPage(leave, to) {
  leave();
  pageBefore = to();
  loadRuns();
}

/// In the address, so that it can be kept and passed on.
function keepFilter() {
  const asked = filterOfList();
  const query = asked.toString();
  window.history.replaceState(null, "", query ? `/?${query}` : "/");
}

function filterOfList() {
  const asked = new URLSearchParams();
  for (const { name, value } of $("filter").elements) if (name && value.trim()) asked.set(name, value.trim());
  return asked;
}

async function loadRuns() {
  const asked = filterOfList();
  asked.set("limit", PAGE);
  if (pageBefore !== null) asked.set("before", pageBefore);
  const number = ++listing;
  try {
    const answer = await get(`/runs?${asked}`);
    if (number !== listing) return;
    listedRuns = listed(answer, "runs");
    pageNext = answer.next ?? null;
    show($("history-refused"), "");
    drawRuns();
  } catch (refusal) {
    show($("history-refused"), refusal.said ? refusal.said() : String(refusal));
  }
}

function drawRuns() {
  // Whoever is about to press something in it keeps it.
  const held = document.activeElement?.closest?.("#runs tr")?.dataset.id;
  const part = document.activeElement?.dataset?.part;
  const filled = listedRuns.map(runLine);
  const isFiltered = filterOfList().toString() !== "";
  const nothing = isFiltered ? "No run fits the filter." : "No runs yet. The first one that is started here stands here.";
  fill($("runs").tBodies[0], listedRuns.length ? filled : make("tr", {}, make("td", { colspan: "18", class: "aside" }, nothing)));
  if (held && part) $("runs").querySelector(`tr[data-id="${held}"] [data-part="${part}"]`)?.focus();
  $("older").disabled = pageNext === null;
  $("newer").disabled = passedPages.length === 0;
  showChosen();
  showRunning();
}

function runLine(run) {
  const choose = make("input", { type: "checkbox", "aria-label": `Choose run ${run.id}`, "data-part": "choose" });
  choose.checked = chosenRuns.has(run.id);
  choose.addEventListener("change", () => {
    chosenRuns[choose.checked ? "add" : "delete"](run.id);
    showChosen();
  });
  const more = make("button", { type: "button", class: "plain", "aria-haspopup": "dialog", "aria-label": `What to do with run ${run.id}`, "data-part": "more" }, "…");
  more.addEventListener("click", () => openRun(run));
  const n = (text) => make("td", { class: "n" }, text);
  return make(
    "tr",
    { "data-id": String(run.id), title: run.note || null },
    make("td", { class: "first" }, choose, more),
    make("th", { scope: "row" }, runName(run)),
    make("td", {}, badge(run.status)),
    make("td", { class: "whole" }, when(run.started_at)),
    make("td", {}, run.started_by || DASH),
    n(count(run.connections)),
    n(perSecond(run.rate_per_s)),
    n(seconds(run.duration_s)),
    n(count(run.scheduled)),
    n(count(run.good)),
    make("td", { class: run.errors ? "n bad" : "n" }, count(run.errors)),
    n(perSecond(run.good_per_s)),
    n(percent(run.efficiency)),
    n(micros(run.mean_us)),
    n(micros(run.p95_us)),
    make("td", {}, run.grade ? badge(run.grade) : DASH),
    make("td", {}, run.verdict || DASH),
    make("td", {}, run.plan_name || DASH),
  );
}

function runName(run) {
  const name = make("a", { href: `/runs/${run.id}`, "data-part": "open" }, `${run.id}${run.label ? ` ${run.label}` : ""}`);
  const kind = run.kind && run.kind !== "run" ? make("span", { class: "tag" }, run.kind) : null;
  const baseline = run.is_baseline ? make("span", { class: "tag" }, "baseline") : null;
  return [name, " ", kind, baseline, make("span", { class: "target", title: run.target }, run.target || "")];
}

function showChosen() {
  const many = chosenRuns.size;
  $("compare").disabled = many < 2 || many > 5;
  if ($("delete-chosen")) $("delete-chosen").disabled = many === 0;
  say($("chosen"), many === 0 ? "Choose two to five to compare." : `${many} chosen`);
}

function showRunning() {
  const run = passedPages.length === 0 && listedRuns.find((run) => run.status === "running" || run.status === "pending");
  const place = $("running");
  place.hidden = !run;
  if (run && place.dataset.run !== String(run.id)) {
    place.dataset.run = run.id;
    const what = run.label || run.target;
    fill(place, make("p", {}, badge("running"), ` Run ${run.id} is going on: `, make("span", {}, what), " ", make("a", { class: "button", href: `/runs/${run.id}` }, "Watch")));
  }
  if (!run) delete place.dataset.run;
}

function openRun(run) {
  const dialog = $("of-run");
  say($("of-run-title"), `Run ${run.id}${run.label ? ` ${run.label}` : ""}`);
  say($("of-run-says"), run.note || run.target || "");
  $("of-run-open").href = `/runs/${run.id}`;
  $("of-run-trend").href = `/trend?run=${run.id}`;
  const acts = {
    again: () => location.assign(`/?again=${run.id}#new`),
    about: () => askAbout(run).then(loadRuns),
    baseline: () => changeRun(run, { baseline: true }),
    delete: () => removeRuns([run.id]),
  };
  for (const button of dialog.querySelectorAll("[data-do]")) {
    button.onclick = () => {
      dialog.close();
      acts[button.dataset.do]();
    };
  }
  dialog.showModal();
}

async function changeRun(run, change) {
  try {
    await ask("PATCH", `/runs/${run.id}`, change);
    await loadRuns();
  } catch (refusal) {
    show($("history-refused"), refusal.said());
  }
}

async function removeRuns(ids) {
  try {
    if (!(await askDelete(ids))) return;
    for (const id of ids) chosenRuns.delete(id);
    aloud(ids.length === 1 ? `Run ${ids[0]} is deleted.` : `${ids.length} runs are deleted.`);
    await loadRuns();
  } catch (refusal) {
    show($("history-refused"), refusal.said());
  }
}

function askOld() {
  answered($("old"), async () => {
    const days = Number($("old-days").value);
    const answer = await ask("POST", "/runs/delete", { older_than_days: days });
    const many = answer?.deleted;
    aloud(isNumber(many) ? `${many} runs are deleted.` : "They are deleted.");
    await loadRuns();
  });
}


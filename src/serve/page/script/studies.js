// What is said of several runs, as the program's own report says it.

async function startCompare() {
  const ids = (new URLSearchParams(location.search).get("ids") || "").split(",").filter((id) => /^\d+$/.test(id));
  const links = ids.map((id, at) => [at ? ", " : "", make("a", { href: `/runs/${id}` }, `run ${id}`)]);
  fill($("study-of"), "Runs compared: ", ...links, ". The first is what the others are held against.");
  if (ids.length < 2 || ids.length > 5) return complainOfStudy("Choose two to five runs in the history.");
  await showStudy("compare", `ids=${ids.join(",")}`);
}

async function startTrend() {
  const id = new URLSearchParams(location.search).get("run") || "";
  if (!/^\d+$/.test(id)) return complainOfStudy("Open a run, and its trend from there.");
  fill($("study-of"), "The trend of the plan of ", make("a", { href: `/runs/${id}` }, `run ${id}`), " on its host.");
  await showStudy("trend", `run=${id}`);
}

/// The program's own page of it; of a trend without one, its figures.
async function showStudy(name, query) {
  try {
    const parts = await pageOfStudy(name, query);
    const json = make("a", { href: `${API}/${name}?${query}`, download: `${name}.json` }, "Download as JSON");
    fill($("study"), parts, make("p", { class: "aside" }, json));
  } catch (refusal) {
    complainOfStudy(refusal.said ? refusal.said() : String(refusal));
  } finally {
    $("study").setAttribute("aria-busy", "false");
  }
}

function complainOfStudy(text) {
  $("study").setAttribute("aria-busy", "false");
  fill($("study"), make("p", { class: "warning", role: "alert" }, text));
}

async function pageOfStudy(name, query) {
  try {
    return drawn(await get(`/${name}/page?${query}`), "main");
  } catch (refusal) {
    if (name !== "trend" || refusal.status !== 404) throw refusal;
    return trendAsTables(await get(`/${name}?${query}`));
  }
}

function trendAsTables(trend) {
  const linked = (run) => make("a", { href: `/runs/${run.id}` }, `${run.id} ${run.label || ""}`);
  const runs = trend.runs.map((run) => [linked(run), when(run.started_at), micros(run.p95_us), perSecond(run.good_per_s), percent(run.error_share), isNumber(run.server_us_per_request) ? micros(run.server_us_per_request) : DASH]);
  const step = (figure) => figure.steps.map((step) => `${inUnit(step.before, figure.unit)} to ${inUnit(step.after, figure.unit)} at run ${step.run} (p = ${step.p})`);
  const figures = trend.figures.map((figure) => [figure.name.replaceAll("_", " "), figure.course, inUnit(figure.median, figure.unit), step(figure).join("; ")]);
  return [
    make("section", {}, make("h2", {}, "Changes"), plainTable("Changes", ["Figure", "Course", "# Median", "Steps"], figures), make("p", { class: "aside" }, `A change is marked where ${trend.test.name} finds one at ${percent(trend.test.alpha)}.`)),
    make("section", {}, make("h2", {}, "Runs"), plainTable("Runs", ["Run", "When", "# 95%ile", "# Good", "# Errors", "# Server time"], runs)),
  ];
}


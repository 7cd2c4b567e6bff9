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

/// The program's own page of it.
async function showStudy(name, query) {
  try {
    const parts = drawn(await get(`/${name}/page?${query}`), "main");
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

// What is said of a run in words: failures, warnings, the log, and what can be kept of it.

const nothing = (text) => make("p", { class: "aside" }, text);

function plainTable(caption, heads, lines) {
  const head = heads.map((title) => make("th", { scope: "col", class: title.startsWith("#") && "n" }, title));
  const line = (cells) => make("tr", {}, cells.map((cell, at) => make("td", { class: heads[at].startsWith("#") && "n" }, cell)));
  const table = make("table", {}, make("caption", { class: "unseen" }, caption), make("thead", {}, make("tr", {}, head)), make("tbody", {}, lines.map(line)));
  return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption }, table);
}

/// While it goes on: how many. Which, the document says at its end.
function failuresSoFar(course) {
  const { rejected, failed, dropped } = course.sum;
  const byName = course.names.flatMap((row) => (row.failures || []).map((seen) => [row.name, seen.kind, count(seen.count)]));
  const kinds = [["answered, but not as expected", rejected], ["failed", failed], ["due, but never sent", dropped]];
  const lines = kinds.filter(([, many]) => many > 0).map(([name, many]) => [name, count(many)]);
  if (lines.length === 0) return [nothing("No failures so far.")];
  const parts = [plainTable("Failures so far", ["Failure", "# Requests"], lines)];
  if (byName.length) parts.push(plainTable("Failures by name", ["Name", "Kind", "# Requests"], byName));
  return parts;
}

function failuresOf(document) {
  const side = (kind) => document.failure_sides?.[kind] || "target";
  const all = { ...document.failures, ...document.rejections };
  const lines = Object.entries(all).filter(([, many]) => many > 0).sort((a, b) => b[1] - a[1]).map(([kind, many]) => [kind, side(kind), count(many)]);
  for (const [kind, many] of Object.entries(document.drops || {})) if (many > 0) lines.push([kind, "never sent", count(many)]);
  const tried = Object.entries(document.connections?.failures || {}).filter(([, many]) => many > 0);
  const parts = [];
  if (lines.length) parts.push(plainTable("Failures", ["Failure", "Side", "# Requests"], lines));
  if (tried.length) parts.push(make("h3", {}, "Connections"), plainTable("Connections that failed", ["Failure", "Side", "# Attempts"], tried.map(([kind, many]) => [kind, side(kind), count(many)])));
  const byName = (document.names || []).flatMap((row) => (row.failures || []).map((seen) => [row.name, seen.kind, count(seen.count), seconds(seen.first_s), seconds(seen.last_s)]));
  if (byName.length) parts.push(make("h3", {}, "Whose they were"), plainTable("Failures by name", ["Name", "Kind", "# Requests", "First", "Last"], byName));
  const examples = (document.failure_examples || []).map(exampleOf);
  if (examples.length) parts.push(make("h3", {}, "Examples"), ...examples);
  return parts.length ? parts : [nothing("No request failed.")];
}

/// What was sent and what came, as far as the document keeps it.
function exampleOf(example) {
  const shown = Object.entries(example).filter(([, value]) => value !== null && value !== "" && !(Array.isArray(value) && value.length === 0));
  const text = (value) => (typeof value === "object" ? JSON.stringify(value) : String(value));
  const rows = shown.flatMap(([key, value]) => [make("dt", {}, key.replaceAll("_", " ")), make("dd", {}, make("code", {}, text(value)))]);
  return make("div", { class: "example" }, make("dl", { class: "facts" }, rows));
}

const warningOf = ({ text, hint }) => make("div", { class: "warning" }, make("p", {}, text), hint && make("p", { class: "hint" }, hint));

function warningsSoFar(course) {
  return course.warnings.length ? course.warnings.map(warningOf) : [nothing("No warnings so far.")];
}

function ruleOf(rule) {
  const value = isNumber(rule.value_us) ? micros(rule.value_us) : inUnit(rule.value, rule.unit);
  return [badge(rule.ok ? "passed" : "failed"), make("code", {}, rule.expr), `${rule.lower_bound ? "≥ " : ""}${value}`];
}

function gradeOf(mark) {
  const name = mark.of ? `${mark.measure} of ${mark.of}` : mark.measure;
  return [badge(mark.grade), name, `${mark.lower_bound ? "≥ " : ""}${inUnit(mark.value, mark.unit)}`];
}

function warningsOf(document) {
  const parts = [];
  if (document.verdict) parts.push(make("h3", {}, "Verdict"), make("p", {}, badge(document.verdict.limit), " ", document.verdict.why || ""));
  const rules = (document.thresholds || []).map(ruleOf);
  if (rules.length) parts.push(make("h3", {}, "Thresholds"), plainTable("Thresholds", ["", "Rule", "Value"], rules));
  const grades = (document.rating?.measures || []).map(gradeOf);
  if (grades.length) parts.push(make("h3", {}, `Grades: ${document.rating.set}`), plainTable("Grades", ["", "Measure", "Value"], grades));
  const warnings = document.warnings || [];
  parts.push(make("h3", {}, "Warnings"), ...(warnings.length ? warnings.map(warningOf) : [nothing("None.")]));
  const advice = document.advice || [];
  const adviceOf = ({ evidence, cause, remedy }) => warningOf({ text: evidence, hint: [cause, remedy].filter(Boolean).join("; ") });
  if (advice.length) parts.push(make("h3", {}, "Advice"), ...advice.map(adviceOf));
  if (document.audit && !document.audit.ok) parts.unshift(warningOf({ text: "The audit failed: these figures contradict each other.", hint: "Please report it with the JSON." }));
  return parts;
}

/// Who did what, and what the run said.
function logOf(run, course) {
  const lines = [
    ...(run.events || []).map((event) => [when(event.at), event.who || "", event.what]),
    ...course.logged.map((line) => [isNumber(line.t_s) ? seconds(line.t_s) : "", "", line.text]),
  ];
  return lines.length ? plainTable("Log", ["When", "Who", "What"], lines) : nothing("Nothing was noted.");
}

/// What a form of a report is called, and what it is for.
const FORMS = {
  html: ["HTML", "the whole report, one file to pass around"],
  json: ["JSON", "the result document, histograms included"],
  md: ["Markdown", "for an issue or a pull request"],
  checklist: ["Checklist", "for those who deploy"],
  png: ["PNG", "the charts as a picture"],
  svg: ["SVG", "the charts, at any size"],
  "csv-stats": ["CSV: statistics", "as Locust has it"],
  "csv-failures": ["CSV: failures", "as Locust has it"],
  "csv-history": ["CSV: history", "as Locust has it"],
  "csv-exceptions": ["CSV: exceptions", "as Locust has it"],
  hgrm: ["hgrm", "the distribution, for HdrHistogram's plotter"],
  ndjson: ["NDJSON", "a line an interval"],
  xml: ["JUnit XML", "the thresholds as tests, for a pipeline"],
};

/// `forms`: those that there are of this run's report.
function downloads(id, forms) {
  if (forms.length === 0) return nothing("There is no report of this run.");
  const line = ({ format, file }) => {
    const [title, says] = FORMS[format] || [format, ""];
    return make("li", {}, make("a", { href: `${API}/runs/${id}/report/${format}`, download: file }, title), make("span", { class: "hint" }, says));
  };
  return make("ul", { class: "downloads" }, forms.map(line));
}


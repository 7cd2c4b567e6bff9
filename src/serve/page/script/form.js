// The form of a new test: what may be chosen, what it comes to, and the button.

/// What the panel offers, once it is known.
const offer = { targets: [], plans: [], presets: [] };

/// Only the newest question's answer is shown.
let asking = 0;

async function startForm() {
  const form = $("job");
  if (!form) return;
  form.addEventListener("submit", startTest);
  const preview = calmly(350, showBefore);
  form.addEventListener("input", preview);
  form.addEventListener("change", preview);
  $("job-target").addEventListener("change", showTarget);
  $("job-plan").addEventListener("change", choosePlan);
  $("job-preset").addEventListener("change", choosePreset);
  $("before-copy").addEventListener("click", copyCommand);
  await Promise.all([loadTargets(), loadPlans(), loadLimits()]);
  showTarget();
  choosePlan();
  await again(new URLSearchParams(location.search).get("again"));
  showBefore();
}

async function loadTargets() {
  const answer = await get("/targets").catch(() => []);
  offer.targets = listed(answer, "targets");
  const options = offer.targets.map((target) => {
    const mark = target.protected ? " (protected)" : "";
    return make("option", { value: target.name }, `${target.name}: ${target.url}${mark}`);
  });
  fill($("job-target"), options, make("option", { value: OTHER_URL }, "a URL ..."));
}

async function loadPlans() {
  const [plans, presets] = await Promise.all([get("/plans").catch(() => []), get("/presets").catch(() => [])]);
  offer.presets = listed(presets, "presets");
  offer.plans = listed(plans, "plans");
  const option = (plan) => make("option", { value: plan.name, disabled: plan.is_usable === false, title: plan.description }, plan.name);
  const group = (label, all) => (all.length ? make("optgroup", { label }, all.map(option)) : null);
  const ready = offer.presets.filter((preset) => !offer.plans.some((plan) => plan.name === preset.name));
  $("job-plan").append(...[group("Plans of this panel", offer.plans), group("Ready plans", ready)].filter(Boolean));
  $("job-preset").append(...offer.presets.map((preset) => make("option", { value: preset.name }, presetName(preset))));
}

function presetName(preset) {
  const parts = [
    isNumber(preset.connections) && `${preset.connections} workers`,
    isNumber(preset.rps) && perSecond(preset.rps),
    isNumber(preset.duration_s) && seconds(preset.duration_s),
    preset.stages,
  ].filter(Boolean);
  return parts.length ? `${preset.name}: ${parts.join(", ")}` : preset.name;
}

async function loadLimits() {
  const limits = await get("/limits").catch(() => null);
  if (!limits) return;
  const duration = limits.duration_s ?? limits.max_duration_s;
  $("job-connections").max = limits.workers;
  $("job-rps").max = limits.rps;
  if (isNumber(duration)) $("job-duration").max = duration;
  const length = isNumber(duration) ? ` and ${seconds(duration)}` : "";
  say($("job-limits"), `At most ${count(limits.workers)} workers, ${perSecond(limits.rps)}${length}. Without a rate, each worker sends again when it is answered.`);
}

function showTarget() {
  const value = $("job-target").value;
  const chosen = offer.targets.find((target) => target.name === value);
  $("job-url-field").hidden = value !== OTHER_URL;
  $("job-confirm-field").hidden = !chosen?.protected;
}

/// Shows what the plan says of itself, and a field for each of its variables.
function choosePlan() {
  const name = $("job-plan").value;
  const plan = [...offer.plans, ...offer.presets].find((plan) => plan.name === name);
  say($("job-plan-says"), plan?.description || "");
  const variables = Array.isArray(plan?.variables) ? plan.variables : [];
  fill($("job-variables"), variables.map(variableField));
  for (const id of ["job-connections", "job-rps", "job-duration"]) {
    $(id).placeholder = plan ? "as the plan has it" : "";
  }
  $("job-rps").placeholder ||= "closed loop";
}

function variableField(variable) {
  const id = `variable-${variable.name}`;
  const given = variable.default === undefined || variable.default === null ? "" : String(variable.default);
  // What is secret is not shown while it is typed, and by no browser offered again.
  const isSecret = variable.is_secret ?? /key|token|secret|password/i.test(variable.name);
  const field = make("input", {
    id,
    name: variable.name,
    type: isSecret ? "password" : "text",
    placeholder: given,
    autocomplete: isSecret ? "new-password" : "off",
    "aria-describedby": variable.help && `${id}-says`,
  });
  const help = variable.help && make("span", { class: "hint", id: `${id}-says` }, variable.help);
  return make("p", { class: "field", "data-field": `vars.${variable.name}` }, make("label", { for: id }, variable.name), field, help);
}

function choosePreset() {
  const preset = offer.presets.find((preset) => preset.name === $("job-preset").value);
  $("job-plan").value = preset ? preset.plan || preset.name : "";
  choosePlan();
  const put = (id, value, without) => ($(id).value = preset ? (value ?? "") : without);
  put("job-connections", preset?.connections, 10);
  put("job-rps", preset?.rps, 100);
  put("job-duration", preset?.duration_s, 60);
}

/// The form of an earlier run.
async function again(id) {
  if (!id) return;
  try {
    fillForm(jobOfRun(await get(`/runs/${id}`)), choosePlan);
    showTarget();
    $("new").scrollIntoView();
    aloud(`The form has the figures of run ${id}.`);
  } catch (refusal) {
    refuse(refusal);
  }
}

/// What would be done: asked of the panel, which knows.
async function showBefore() {
  const number = ++asking;
  const job = jobOfForm();
  if (!job.target) return;
  try {
    const before = await ask("POST", "/runs/preview", job);
    if (number !== asking) return;
    accept();
    say($("before-sentence"), before.sentence || "");
    show($("before-caps"), before.caps || "");
    say($("before-words"), before.command || "");
    $("before-command").hidden = !before.command;
    showDoctor(before.doctor?.rows || before.doctor || []);
  } catch (refusal) {
    if (number !== asking) return;
    say($("before-sentence"), "");
    show($("before-caps"), "");
    $("before-command").hidden = true;
    showDoctor([]);
    refuse(refusal);
  }
}

function showDoctor(rows) {
  $("before-doctor").hidden = rows.length === 0;
  const line = (row) => {
    const name = make("strong", {}, `${String(row.id || "").replaceAll("_", " ")}: `);
    const advice = row.advice && make("span", { class: "hint" }, row.advice);
    return make("li", {}, badge(row.state), make("span", {}, name, row.here || "", advice));
  };
  fill($("before-rows"), rows.map(line));
}

async function copyCommand() {
  await copy($("before-words").textContent);
  say($("before-copy"), "Copied");
  aloud("The command is in the clipboard.");
  setTimeout(() => say($("before-copy"), "Copy the command"), 2000);
}

async function startTest(event) {
  event.preventDefault();
  const button = $("start");
  button.disabled = true;
  asking++;
  try {
    const started = await ask("POST", "/runs", jobOfForm());
    location.assign(`/runs/${started.id}`);
  } catch (refusal) {
    refuse(refusal, true);
    button.disabled = false;
  }
}

function accept() {
  show($("job-refused"), "");
  for (const field of $("job").querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
}

/// Says it once, and marks the field that it is about; `go`: goes there too.
function refuse(refusal, go) {
  accept();
  const place = $("job-refused");
  show(place, refusal.said ? refusal.said() : String(refusal));
  if (refusal.status === 409 && refusal.run !== null) {
    place.append(" ", make("a", { href: `/runs/${refusal.run}` }, `Watch run ${refusal.run}`));
  }
  const all = [...$("job").querySelectorAll("[data-field]")];
  const about = all.filter((field) => field.dataset.field === refusal.field);
  const seen = about.find((field) => !field.hidden)?.querySelector("input,select,textarea");
  if (!seen) return;
  seen.setAttribute("aria-invalid", "true");
  if (go) {
    const folded = seen.closest("details");
    if (folded) folded.open = true;
    seen.focus();
  }
}


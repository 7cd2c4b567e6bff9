// What is asked for, as the API takes it, and the form that says it.

const OTHER_URL = "*";

const numberIn = (id) => ($(id).value.trim() === "" ? undefined : Number($(id).value));
const textIn = (id) => $(id).value.trim() || undefined;

/// The form as a job: what is left empty is left to the plan.
function jobOfForm() {
  const target = $("job-target").value === OTHER_URL ? $("job-url").value.trim() : $("job-target").value;
  const lines = $("job-thresholds").value.split("\n").map((line) => line.trim());
  const vars = {};
  for (const field of $("job-variables").querySelectorAll("input")) {
    if (field.value !== "") vars[field.name] = field.value;
  }
  const job = {
    verb: $("job-verb").value,
    target,
    plan: textIn("job-plan"),
    plan_text: textIn("job-plan-text"),
    vars,
    connections: numberIn("job-connections"),
    rps: numberIn("job-rps"),
    duration_s: numberIn("job-duration"),
    stages: textIn("job-stages"),
    arrivals: textIn("job-arrivals"),
    thresholds: lines.filter(Boolean),
    rating: textIn("job-rating"),
    label: textIn("job-label"),
    note: textIn("job-note"),
    confirm: $("job-confirm-field").hidden ? undefined : textIn("job-confirm"),
  };
  // A search finds its rate, and a ladder's steps are rates.
  if (job.verb === "ceiling") delete job.rps, delete job.stages;
  else if (job.verb === "ladder") delete job.rps;
  // A shape of its own has its rates and its length.
  else if (job.stages) delete job.rps, delete job.duration_s;
  return job;
}

/// A run as the job that it was. Of the command line's, what its row tells.
function jobOfRun(run) {
  if (run.job) return typeof run.job === "string" ? JSON.parse(run.job) : run.job;
  const seconds = run.duration_s ?? undefined;
  return { verb: "run", target: run.target, connections: run.connections, rps: run.rate_per_s ?? undefined, duration_s: seconds, label: run.label };
}

/// Fills the form; `choosePlan` shows the fields of a plan's variables first.
function fillForm(job, choosePlan) {
  const put = (id, value) => ($(id).value = value ?? "");
  const target = $("job-target");
  const isListed = [...target.options].some((option) => option.value === job.target);
  target.value = isListed ? job.target : OTHER_URL;
  put("job-url", isListed ? "" : job.target);
  put("job-plan", job.plan);
  choosePlan();
  for (const [name, value] of Object.entries(job.vars || {})) {
    const field = $("job-variables").querySelector(`input[name="${CSS.escape(name)}"]`);
    if (field) field.value = value;
  }
  put("job-verb", job.verb || "run");
  put("job-plan-text", job.plan_text);
  put("job-connections", job.connections);
  put("job-rps", job.rps);
  put("job-duration", job.duration_s);
  put("job-stages", job.stages);
  put("job-arrivals", job.arrivals);
  put("job-thresholds", (job.thresholds || []).join("\n"));
  put("job-rating", job.rating);
  put("job-label", job.label);
  put("job-note", job.note);
  const hasMore = job.stages || job.arrivals || job.plan_text || job.rating || job.thresholds?.length;
  $("job-more").open = Boolean(hasMore) || (job.verb || "run") !== "run";
}


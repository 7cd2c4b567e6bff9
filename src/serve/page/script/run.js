// One run: watched while it goes on, and read afterwards.

/// What the stream tells, by its names.
const LINES = ["interval", "gauges", "names", "phase", "warning", "edit", "log", "summary", "end"];

/// After a stream that the browser itself does not open again.
const RETRY_MS = 2000;

class RunPage {
  constructor(id) {
    this.id = id;
    this.run = null;
    this.document = null;
    this.source = null;
    this.course = new RunCourse();
    this.byName = new ByName($("panel-statistics"), $("panel-ratio"));
    this.charts = new Charts($("panel-charts"), id, () => this.course.intervals);
    this.tabs = tabs(document.querySelector("[role=tablist]"), (name) => this.shown(name));
    this.drawSoon = calmly(50, () => this.draw());
    fill($("panel-download"), nothing("The report is written when the run is over."));
    this.buttons();
  }

  async start() {
    try {
      await this.load();
    } catch (refusal) {
      say($("run-status"), "not there");
      return this.complain(refusal);
    }
    this.tabs.open(location.hash.slice(1)) || this.tabs.open(this.firstTab());
    if (this.isLive()) this.watch();
    whileSeen(1000, () => this.second());
  }

  /// The row, and once it is over the document.
  async load() {
    this.run = await get(`/runs/${this.id}`);
    if (!this.isLive()) {
      this.document = await get(`/runs/${this.id}/report/json`).catch(() => null);
      if (this.document?.intervals?.length) this.course.intervals = this.document.intervals;
      fill($("panel-download"), downloads(this.id, await get(`/runs/${this.id}/report`).catch(() => [])));
    }
    this.draw();
  }

  isLive() {
    const { is_live, status } = this.run;
    return is_live ?? (status === "running" || status === "pending");
  }

  /// It has a rate; a closed loop has users alone.
  isOpenLoop() {
    return isNumber(this.run.rate_per_s);
  }

  isStudy() {
    return this.run.kind && this.run.kind !== "run" && this.run.kind !== "soak";
  }

  /// A study says in words how far it is, and its report is its figures.
  firstTab() {
    if (!this.isStudy()) return "statistics";
    return this.isLive() ? "log" : "report";
  }

  watch() {
    this.course.clear();
    const source = new EventSource(`${API}/runs/${this.id}/events`);
    this.source = source;
    source.onopen = () => show($("connection"), "");
    for (const name of LINES) source.addEventListener(name, (event) => this.take(event));
    source.onerror = () => {
      show($("connection"), "Connection lost, trying again ...");
      if (source.readyState === EventSource.CLOSED && !this.course.end) setTimeout(() => this.watchAgain(), RETRY_MS);
    };
  }

  /// The panel may have been started anew, and the run be over.
  async watchAgain() {
    try {
      await this.load();
      show($("connection"), "");
      if (this.isLive()) this.watch();
    } catch {
      setTimeout(() => this.watchAgain(), RETRY_MS);
    }
  }

  take(event) {
    let line;
    try {
      line = JSON.parse(event.data);
    } catch {
      return;
    }
    this.course.take(event.lastEventId, { type: event.type, ...line });
    if (event.type === "end") this.over();
    else this.drawSoon();
  }

  async over() {
    this.source.close();
    show($("connection"), "");
    this.run.is_live = false;
    // The row is closed before the line is told; if not yet, a moment later.
    for (let tries = 0; tries < 20; tries++) {
      await this.load().catch(() => null);
      if (!["running", "pending"].includes(this.run.status)) break;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    aloud(`Run ${this.id} is ${this.run.status}.`);
    this.shown(this.tabs.current());
  }

  second() {
    if (!this.run || !this.isLive()) return;
    this.drawHead();
    if (this.tabs.current() === "charts") this.charts.draw();
  }

  /// A tab was opened.
  shown(name) {
    if (!this.run) return;
    if (name === "charts") this.charts.draw();
    if (name === "report") this.drawReport();
  }

  draw() {
    this.drawHead();
    const { course, document } = this;
    if (document?.requests) this.byName.show(namesOfDocument(document), true);
    else this.byName.show(course.names.length ? course.names.map(nameOfLine) : this.rowSoFar(), false);
    refill($("panel-failures"), document?.requests ? failuresOf(document) : failuresSoFar(course));
    refill($("panel-warnings"), document?.verdict ? warningsOf(document) : warningsSoFar(course));
    refill($("panel-log"), logOf(this.run, course));
  }

  /// All together, of the intervals, where no line by name was told.
  rowSoFar() {
    const { course } = this;
    const latest = course.latest();
    if (!latest) return [];
    const { scheduled, rejected, failed, dropped } = course.sum;
    const fails = rejected + failed + dropped;
    const failing = (latest.rejected + latest.failed + latest.dropped) / course.step();
    return [{ ...nameOfLine({ name: "Aggregated", requests: scheduled, fails, p50_us: latest.response_p50_us, p95_us: latest.response_p95_us, p99_us: latest.response_p99_us, max_us: latest.response_max_us, per_s: latest.sent / course.step(), fails_per_s: failing }) }];
  }

  drawHead() {
    const { run } = this;
    const status = $("run-status");
    say($("run-title"), run.label || `Run ${this.id}`);
    document.title = `${run.status}: ${run.label || `run ${this.id}`} - blast`;
    say($("run-kind"), [run.kind !== "run" && run.kind, run.plan_name, when(run.started_at), run.started_by && `by ${run.started_by}`, run.is_baseline && "baseline"].filter(Boolean).map((part) => ` · ${part}`).join(""));
    say($("run-target"), `${run.method ? `${run.method} ` : ""}${run.target || ""}`);
    say(status, run.status);
    status.className = `badge ${run.status}`;
    $("run-head").className = headClass(run);
    show($("run-reason"), run.reason || "");
    show($("run-note"), run.note || "");
    this.drawPhase();
    this.drawButtons();
    if (this.isLive()) this.drawLive();
    else this.drawStored();
  }

  drawPhase() {
    const { phase } = this.course;
    const bar = $("run-progress");
    bar.hidden = !this.isLive();
    if (!this.isLive()) {
      const parts = [this.run.grade && `grade ${this.run.grade}`, this.run.verdict && `limit: ${this.run.verdict}`];
      return say($("run-phase"), parts.filter(Boolean).join(", "));
    }
    const names = { connecting: "connecting", warmup: "warm-up", measure: "measuring", drain: "draining", done: "done" };
    const name = names[phase?.phase] || names[this.course.latest()?.phase] || "starting";
    const whole = this.run.duration_s ?? phase?.of_s;
    const done = this.course.measured();
    const left = isNumber(whole) && name === "measuring" ? `, ${seconds(Math.max(0, Math.ceil(whole - done)))} left` : "";
    say($("run-phase"), name + left);
    bar.value = isNumber(whole) && whole > 0 ? Math.min(1, done / whole) : 0;
  }

  drawLive() {
    const { course, run } = this;
    const latest = course.latest();
    const total = course.names.map(nameOfLine).find((row) => row.last);
    const step = course.step();
    const due = latest ? `of ${perSecond(latest.scheduled / step)} due` : "";
    tile("rate", latest ? perSecond(latest.sent / step) : DASH, this.isOpenLoop() ? due : "each when answered");
    tile("failing", percent(course.failing()), `${count(course.sum.rejected + course.sum.failed + course.sum.dropped)} of ${count(course.sum.scheduled)}`, course.failing() > 0.01 && "bad");
    tile("median", micros(total?.median ?? latest?.response_p50_us), total ? "so far" : "in the last second");
    tile("tail", micros(total?.p95 ?? latest?.response_p95_us), latest ? `99%ile ${micros(latest.response_p99_us)} in the last second` : "");
    tile("users", count(latest?.users ?? course.users ?? run.connections), latest ? `${count(latest.in_flight)} in flight` : "");
    if (!this.isOpenLoop()) return tile("efficiency", DASH, "no schedule");
    tile("efficiency", percent(course.efficiency()), "sent of what was due, so far", course.efficiency() < 0.9 && "doubtful");
  }

  drawStored() {
    const { run } = this;
    const rate = run.rate_per_s;
    tile("rate", perSecond(run.good_per_s), isNumber(rate) ? `good, of ${perSecond(rate)} asked` : "good answers");
    tile("failing", percent(run.error_share), `${count(run.errors)} of ${count(run.scheduled)}`, run.error_share > 0.01 && "bad");
    tile("median", micros(run.p50_us), `average ${micros(run.mean_us)}`);
    tile("tail", micros(run.p95_us), `99%ile ${micros(run.p99_us)}`);
    tile("users", count(run.connections), seconds(run.duration_s));
    tile("efficiency", percent(run.efficiency), isNumber(run.efficiency) ? "sent on schedule" : "no schedule", run.efficiency < 0.9 && "doubtful");
  }

  async drawReport() {
    const place = $("panel-report");
    if (this.isLive()) return fill(place, nothing("The report is written when the run is over."));
    if (place.dataset.drawn) return;
    try {
      fill(place, drawn(await get(`/runs/${this.id}/report/html`), "main"));
      place.dataset.drawn = "yes";
    } catch (refusal) {
      fill(place, nothing(refusal.said ? refusal.said() : String(refusal)));
    }
  }

  drawButtons() {
    const [may, live] = [isAdmin(), this.isLive()];
    $("stop").hidden = !may || !live;
    $("edit-open").hidden = !may || !live || this.run.kind !== "run";
    for (const id of ["again", "about-open"]) $(id).hidden = !may;
    for (const id of ["baseline", "delete"]) $(id).hidden = !may || live;
    $("baseline").hidden ||= this.run.is_baseline || this.run.status !== "completed";
    $("trend").hidden = live;
    $("trend").href = `/trend?run=${this.id}`;
  }

  buttons() {
    const act = (id, does) => $(id).addEventListener("click", () => does().catch((refusal) => this.complain(refusal)));
    act("stop", () => this.stop());
    act("edit-open", async () => this.edit());
    act("again", async () => location.assign(`/?again=${this.id}#new`));
    act("about-open", () => askAbout(this.run).then((change) => this.changed(change)));
    act("baseline", () => ask("PATCH", `/runs/${this.id}`, { baseline: true }).then(() => this.changed({ is_baseline: true })));
    act("delete", async () => {
      if (await askDelete([this.id])) location.assign("/#history");
    });
  }

  changed(change) {
    Object.assign(this.run, change);
    this.drawHead();
    aloud("Kept.");
  }

  async stop() {
    if (!(await confirmed(`Stop run ${this.id}?`, "What is in flight is waited for, and the full report is kept.", "Stop it"))) return;
    $("stop").disabled = true;
    try {
      await ask("POST", `/runs/${this.id}/stop`, {});
      aloud("Stopping.");
    } finally {
      $("stop").disabled = false;
    }
  }

  /// An open loop has a rate, a closed one has users.
  edit() {
    const isOpen = this.isOpenLoop();
    $("edit-rate-field").hidden = !isOpen;
    $("edit-users-field").hidden = isOpen;
    const latest = this.course.edits[this.course.edits.length - 1];
    $("edit-rate").value = latest?.rate_per_s ?? this.run.rate_per_s ?? "";
    $("edit-users").value = this.course.users ?? this.run.connections ?? "";
    answered($("edit"), async () => {
      const change = isOpen ? { rate_per_s: Number($("edit-rate").value) } : { users: Number($("edit-users").value) };
      await ask("PATCH", `/runs/${this.id}`, change);
      aloud("The load is changed.");
    });
  }

  complain(refusal) {
    show($("connection"), refusal.said ? refusal.said() : String(refusal));
  }
}

function headClass(run) {
  if (run.status === "failed") return "bad";
  if (run.status === "completed") return run.exit_code ? "doubtful" : "good";
  return run.status === "stopped" ? "doubtful" : "live";
}

function tile(name, figure, note, how) {
  say($(`tile-${name}`), figure);
  say($(`note-${name}`), note || "");
  $(`tile-${name}`).className = `figure ${how || ""}`;
}


// Figures by name: the table that users of Locust know, and the shares that were asked for and sent.

/// A row of a run that goes on, as its lines tell it.
function nameOfLine(row) {
  const fails = row.fails ?? (row.rejected || 0) + (row.failed || 0) + (row.dropped || 0);
  const requests = row.requests ?? row.sent ?? null;
  return {
    method: row.method || "",
    name: bareName(row.method, row.name, row.part),
    requests,
    fails: requests === null ? null : fails,
    median: row.p50_us ?? null,
    p95: row.p95_us ?? null,
    p99: row.p99_us ?? null,
    mean: row.mean_us ?? null,
    min: row.min_us ?? null,
    max: row.max_us ?? null,
    size: row.mean_bytes ?? row.mean_size ?? null,
    rate: row.per_s ?? null,
    failing: row.fails_per_s ?? null,
    asked: row.share_asked ?? null,
    sent: row.share_sent ?? null,
    exact: isNumber(row.good) && row.good + fails > 0 ? row.good / (row.good + fails) : null,
    last: row.name === "Aggregated",
  };
}

/// Without the method, which stands beside it; with the part that is in no figure of the whole.
function bareName(method, name, part) {
  const bare = method && name.startsWith(`${method} `) ? name.slice(method.length + 1) : name || "";
  return !part || part === "main" ? bare : `${bare} (${part})`;
}

/// A part of a document: its requests, its latency and its rate.
function nameOfPart(method, name, part, more) {
  const times = part.latency?.response || {};
  const asked = part.requests || {};
  const good = asked.good ?? null;
  const rate = part.rate?.sent_per_s ?? null;
  const share = asked.scheduled ? (asked.scheduled - good) / asked.scheduled : 0;
  return {
    method,
    name,
    requests: asked.scheduled ?? null,
    fails: good === null ? null : asked.scheduled - good,
    median: times.p50_us ?? null,
    p95: times.p95_us ?? null,
    p99: times.p99_us ?? null,
    mean: times.mean_us ?? null,
    min: times.min_us ?? null,
    max: times.max_us ?? null,
    size: null,
    rate,
    failing: rate === null ? null : rate * share,
    asked: part.share_asked ?? null,
    sent: part.share_sent ?? null,
    exact: times.exact_up_to ?? null,
    ...more,
  };
}

/// All of a finished run: a row for each name, and the whole last.
function namesOfDocument(document) {
  const rows = (document.names || []).map((row) => nameOfPart(row.method, bareName(row.method, row.name, row.part), row));
  const size = document.requests?.completed ? document.bytes.received / document.requests.completed : null;
  return [...rows, nameOfPart("", "Aggregated", document, { last: true, size })];
}

/// What errors leave unknown is a lower bound: they rank above every good answer.
const timeAt = (read, share) => (row) => {
  const us = read(row);
  return `${us !== null && row.exact !== null && share > row.exact ? "≥ " : ""}${micros(us)}`;
};

const STATISTICS = [
  { title: "Type", value: (row) => row.method, text: (row) => row.method },
  { title: "Name", value: (row) => row.name, text: (row) => row.name, head: true },
  { title: "# Requests", value: (row) => row.requests, text: (row) => count(row.requests), number: true },
  { title: "# Fails", value: (row) => row.fails, text: (row) => count(row.fails), number: true },
  { title: "Median", value: (row) => row.median, text: timeAt((row) => row.median, 0.5), number: true },
  { title: "95%ile", value: (row) => row.p95, text: timeAt((row) => row.p95, 0.95), number: true },
  { title: "99%ile", value: (row) => row.p99, text: timeAt((row) => row.p99, 0.99), number: true },
  { title: "Average", value: (row) => row.mean, text: timeAt((row) => row.mean, 1), number: true },
  { title: "Min", value: (row) => row.min, text: timeAt((row) => row.min, 0), number: true },
  { title: "Max", value: (row) => row.max, text: timeAt((row) => row.max, 1), number: true },
  { title: "Average size", value: (row) => row.size, text: (row) => bytes(row.size), number: true },
  { title: "Current RPS", value: (row) => row.rate, text: (row) => perSecond(row.rate), number: true },
  { title: "Current Failures/s", value: (row) => row.failing, text: (row) => perSecond(row.failing), number: true },
];

const RATIO = [
  { title: "Name", value: (row) => row.name, text: (row) => `${row.method} ${row.name}`.trim(), head: true },
  { title: "Asked", value: (row) => row.asked, text: (row) => percent(row.asked), number: true },
  { title: "Sent", value: (row) => row.sent, text: (row) => percent(row.sent), number: true },
  {
    title: "",
    value: (row) => row.sent,
    node: (row) => {
      const meter = make("meter", { min: "0", max: "1", "aria-label": `share of ${row.name}` });
      meter.value = row.sent || 0;
      return meter;
    },
  },
];

class ByName {
  constructor(statistics, ratio) {
    this.table = new Sorted(STATISTICS, null, "Statistics by name");
    this.shares = new Sorted(RATIO, null, "Shares by name");
    this.ratio = ratio;
    this.note = make("p", { class: "aside" });
    fill(statistics, this.table.element, this.note);
  }

  show(rows, isOver) {
    this.table.show(rows);
    const times = "Times count from when a request was due; what fails ranks above all good answers.";
    say(this.note, isOver ? `${times} Rates are of the whole measured time.` : times);
    const shared = rows.filter((row) => !row.last && row.sent !== null);
    this.shares.show(shared);
    if (shared.length && !this.shares.element.isConnected) fill(this.ratio, this.shares.element);
    if (!shared.length) fill(this.ratio, make("p", { class: "aside" }, "One request, so there is nothing to share out."));
  }
}


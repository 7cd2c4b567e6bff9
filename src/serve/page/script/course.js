// A run as far as its lines tell it: what the head is made of.

class RunCourse {
  constructor() {
    this.clear();
  }

  clear() {
    this.intervals = [];
    this.names = [];
    this.warnings = [];
    this.logged = [];
    this.edits = [];
    this.phase = null;
    this.users = null;
    this.end = null;
    this.seen = new Set();
    this.sum = { scheduled: 0, sent: 0, good: 0, rejected: 0, failed: 0, dropped: 0 };
    this.measuredFrom = 0;
  }

  /// One line. What comes a second time after a lost connection is known by its number.
  take(number, line) {
    if (number !== "" && this.seen.has(number)) return;
    this.seen.add(number);
    const takes = {
      interval: () => this.interval(line),
      names: () => (this.names = line.rows || []),
      phase: () => (this.phase = line),
      warning: () => this.warnings.push(line),
      log: () => this.logged.push({ text: line.text, t_s: line.t_s }),
      edit: () => this.edit(line),
      end: () => (this.end = line),
    };
    takes[line.type]?.();
  }

  interval(line) {
    this.intervals.push(line);
    if (line.phase === "warmup") this.measuredFrom = line.t_s;
    else for (const key of Object.keys(this.sum)) this.sum[key] += line[key] || 0;
  }

  edit(line) {
    this.edits.push(line);
    if (isNumber(line.users)) this.users = line.users;
    const to = isNumber(line.users) ? `${count(line.users)} users` : perSecond(line.rate_per_s);
    this.logged.push({ text: `${line.who || "somebody"} changed the load to ${to}`, t_s: line.t_s });
  }

  latest() {
    return this.intervals[this.intervals.length - 1] || null;
  }

  step() {
    const [one, other] = this.intervals.slice(-2);
    return one && other ? other.t_s - one.t_s : one?.t_s || 1;
  }

  /// Of all that was due so far: what came to nothing good.
  failing() {
    const { good, rejected, failed, dropped } = this.sum;
    const ended = good + rejected + failed + dropped;
    return ended ? (rejected + failed + dropped) / ended : null;
  }

  /// Of all that was due so far: what was sent.
  efficiency() {
    const { scheduled, sent } = this.sum;
    return scheduled ? Math.min(1, sent / scheduled) : null;
  }

  /// How much of measure is over, in s.
  measured() {
    const latest = this.latest();
    return latest ? Math.max(0, latest.t_s - this.measuredFrom) : 0;
  }
}


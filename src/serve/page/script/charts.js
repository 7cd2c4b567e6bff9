// The charts, drawn by the program as in its reports, once a second while a run goes on.

/// The frame of the lines in a picture of that width, as the program draws it.
const FRAME = { left: 58, right: 506, width: 520 };

/// The columns that a picture names, of an interval as the API gives it.
const COLUMN = {
  scheduled: (i) => count(i.scheduled),
  sent: (i) => count(i.sent),
  good: (i) => count(i.good),
  rejected: (i) => count(i.rejected),
  failed: (i) => count(i.failed),
  dropped: (i) => count(i.dropped),
  "in flight": (i) => count(i.in_flight),
  users: (i) => count(i.users),
  p50: (i) => micros(i.response_p50_us),
  p95: (i) => micros(i.response_p95_us),
  p99: (i) => micros(i.response_p99_us),
  max: (i) => micros(i.response_max_us),
  "service p99": (i) => micros(i.service_p99_us),
  "send lag p99": (i) => micros(i.send_lag_p99_us),
};

class Charts {
  constructor(place, id, intervals) {
    this.place = place;
    this.id = id;
    this.intervals = intervals;
    this.isAsked = false;
    this.note = make("div", { class: "hover" });
    this.note.hidden = true;
    document.body.append(this.note);
    place.addEventListener("pointermove", (event) => this.point(event));
    place.addEventListener("pointerleave", () => (this.note.hidden = true));
  }

  /// One question at a time: a slow answer is waited for.
  async draw() {
    if (this.isAsked) return;
    this.isAsked = true;
    try {
      const parts = drawn(await get(`/runs/${this.id}/charts`));
      if (parts.length) fill(this.place, parts);
      else fill(this.place, make("p", { class: "aside" }, "The first second is not over yet."));
    } catch (refusal) {
      // What was drawn stays; the next second asks again.
      if (!this.place.querySelector("svg")) fill(this.place, make("p", { class: "aside" }, String(refusal.message)));
    } finally {
      this.isAsked = false;
    }
  }

  /// The interval under the pointer.
  point(event) {
    const picture = event.target.closest("svg[data-columns]");
    const all = this.intervals();
    if (!picture || all.length === 0) return void (this.note.hidden = true);
    const box = picture.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * FRAME.width;
    if (x < FRAME.left || x > FRAME.right) return void (this.note.hidden = true);
    const [from, to] = [+picture.dataset.from, +picture.dataset.to];
    const t = from + ((x - FRAME.left) / (FRAME.right - FRAME.left)) * (to - from);
    const interval = all.find((interval) => interval.t_s >= t) || all[all.length - 1];
    const names = picture.dataset.columns.split(",").filter((name) => COLUMN[name]);
    const lines = names.map((name) => `${name} ${COLUMN[name](interval)}`);
    say(this.note, [`until ${seconds(interval.t_s)}`, ...lines].join("\n"));
    this.note.hidden = false;
    this.note.style.left = `${Math.min(event.pageX + 14, scrollX + innerWidth - this.note.offsetWidth - 8)}px`;
    this.note.style.top = `${event.pageY + 14}px`;
  }
}


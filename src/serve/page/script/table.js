// A table whose columns sort.

/// Columns: { title, value(row), text(row) or node(row), number, head }. Rows with `last` stay last.
class Sorted {
  constructor(columns, by, caption) {
    this.columns = columns;
    this.by = by;
    this.descending = false;
    this.rows = [];
    this.body = make("tbody");
    this.heads = columns.map((column, at) => {
      // A picture of the figure beside it.
      if (!column.title) return make("td");
      const button = make("button", { type: "button", class: "sort" }, column.title);
      button.addEventListener("click", () => this.sort(at));
      return make("th", { scope: "col", class: column.number && "n" }, button);
    });
    const table = make("table", {}, make("caption", { class: "unseen" }, caption), make("thead", {}, make("tr", {}, this.heads)), this.body);
    this.element = make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption }, table);
    this.mark();
  }

  sort(at) {
    this.descending = this.by === at ? !this.descending : Boolean(this.columns[at].number);
    this.by = at;
    this.mark();
    this.draw();
  }

  mark() {
    this.heads.forEach((head, at) => {
      const order = this.descending ? "descending" : "ascending";
      if (at === this.by) head.setAttribute("aria-sort", order);
      else head.removeAttribute("aria-sort");
    });
  }

  show(rows) {
    this.rows = rows;
    this.draw();
  }

  draw() {
    const value = (row) => this.columns[this.by]?.value(row) ?? null;
    const order = (a, b) => {
      const [one, other] = [value(a), value(b)];
      if (one === null || other === null) return (one === null) - (other === null);
      const by = typeof one === "string" ? one.localeCompare(other) : one - other;
      return this.descending ? -by : by;
    };
    const body = this.rows.filter((row) => !row.last);
    if (this.by !== null) body.sort(order);
    fill(this.body, [...body, ...this.rows.filter((row) => row.last)].map((row) => this.row(row)));
  }

  row(row) {
    const cell = (column) => {
      const name = column.head ? "th" : "td";
      const content = column.node ? column.node(row) : column.text(row);
      return make(name, { class: column.number ? "n" : column.class, scope: column.head && "row" }, content);
    };
    return make("tr", { class: row.last && "total" }, this.columns.map(cell));
  }
}


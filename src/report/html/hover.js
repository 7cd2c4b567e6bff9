// The interval under the pointer, from the table of intervals.
(() => {
  const table = document.getElementById("intervals");
  if (!table) return;
  const names = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
  const rows = [...table.tBodies[0].rows];
  const times = rows.map((row) => +row.dataset.t);
  const note = document.createElement("div");
  note.className = "hover";
  note.hidden = true;
  document.body.append(note);
  const left = 58, right = 506, width = 520;
  for (const svg of document.querySelectorAll("svg[data-columns]")) {
    const from = +svg.dataset.from, to = +svg.dataset.to;
    svg.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width) * width;
      if (x < left || x > right) return (note.hidden = true);
      const t = from + ((x - left) / (right - left)) * (to - from);
      let at = times.findIndex((end) => end >= t);
      if (at < 0) at = times.length - 1;
      const cells = rows[at].cells;
      const lines = svg.dataset.columns.split(",").map((name) => name + " " + cells[names.indexOf(name)].textContent);
      note.textContent = ["until " + cells[0].textContent, ...lines].join("\n");
      note.hidden = false;
      const beside = event.pageX + 14;
      note.style.left = Math.min(beside, scrollX + innerWidth - note.offsetWidth - 8) + "px";
      note.style.top = event.pageY + 14 + "px";
    });
    svg.addEventListener("pointerleave", () => (note.hidden = true));
  }
})();

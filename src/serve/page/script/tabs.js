// Tabs as the ARIA practices have them: one stop, arrow keys between them, Home and End.

function tabs(list, shown) {
  const all = [...list.querySelectorAll("[role=tab]")];
  const name = (tab) => tab.id.replace("tab-", "");
  const choose = (chosen, focus) => {
    for (const tab of all) {
      const is = tab === chosen;
      tab.setAttribute("aria-selected", String(is));
      tab.tabIndex = is ? 0 : -1;
      $(tab.getAttribute("aria-controls")).hidden = !is;
    }
    if (focus) chosen.focus();
    history.replaceState(null, "", `#${name(chosen)}`);
    // In itself alone: the page stays where it is.
    list.scrollLeft = chosen.offsetLeft - list.offsetLeft - 24;
    shown(name(chosen));
  };
  list.addEventListener("keydown", (event) => {
    const at = all.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    choose(all[(to + all.length) % all.length], true);
  });
  for (const tab of all) tab.addEventListener("click", () => choose(tab, false));
  const open = (wanted) => {
    const tab = all.find((tab) => name(tab) === wanted);
    if (tab) choose(tab, false);
    return Boolean(tab);
  };
  return { open, current: () => name(all.find((tab) => tab.getAttribute("aria-selected") === "true")) };
}


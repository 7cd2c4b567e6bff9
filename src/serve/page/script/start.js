// Where each page begins.

startSignOut();
const starts = {
  front: () => {
    startForm();
    startHistory();
  },
  run: () => new RunPage(Number($("run").dataset.run)).start(),
  compare: startCompare,
  trend: startTrend,
  login: startLogin,
};
starts[document.body.dataset.page]?.();

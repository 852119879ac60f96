// The memory that arms use.
function drawMemory(c) {
  const el = $('plot-memory'), list = c.arms.filter((a) => a.max_memory_used_mb !== null);
  if (!list.length) return nothing(el);
  const names = bootstrapsOf([...list].sort((a, b) => a.max_memory_used_mb - b.max_memory_used_mb)), width = Math.min(widthOf(el), 860);
  const dy = (a) => 8 * (packages.indexOf(a.package) - 1);
  el.replaceChildren(plot({
    width, height: names.length * 36 + 50, marginLeft: 14 + 6.8 * d3.max(names, (n) => n.length), marginRight: 30, marginTop: 8, marginBottom: 40,
    x: { label: `most used, MB (${where(list)})`, domain: [0, d3.max(list, (a) => a.max_memory_used_mb) * 1.05], ticks: narrow() ? 4 : 8, labelAnchor: 'center' },
    y: { domain: names, label: null, type: 'point', padding: 0.6 },
    marks: [
      Plot.gridX({ stroke: 'var(--rule)', strokeOpacity: 0.8, ticks: narrow() ? 4 : 8 }),
      Plot.ruleY(names, { stroke: 'var(--faint)' }),
      ...packages.concat('').map((k) => {
        const mine = list.filter((a) => a.package === k || (k === '' && !packages.includes(a.package)));
        return Plot.dot(mine, { x: 'max_memory_used_mb', y: 'bootstrap', symbol: mine.length ? symbol(mine[0]) : 'circle', r: 3.6, fill: mine.length ? colour(mine[0]) : 'none', dy: mine.length ? dy(mine[0]) : 0 });
      }),
      Plot.axisY({ tickSize: 0, label: null, fontSize: 12 }),
    ],
  }));
  legend('memory', packageItems(list, false));
}

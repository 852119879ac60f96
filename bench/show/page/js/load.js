// Latency and cold starts against time under load.
function drawLoad(c) {
  const el = $('plot-load'), list = c.arms.filter((a) => a.load);
  if (!list.length) return nothing(el);
  el.className = 'plot many';
  el.replaceChildren();
  const all = list.flatMap((a) => a.load), y = timeScale({ log: true }, all.map((p) => p.ms), `ms (${where(list)})`, 5);
  for (const a of list) {
    const box = panel(el, a.arm);
    box.append(plot({
      width: widthOf(box), height: 200, marginLeft: 42, marginRight: 12, marginTop: 22, marginBottom: 38,
      x: { domain: [0, d3.max(all, (p) => p.s)], label: 'seconds under load', ticks: 5, tickFormat: short, labelAnchor: 'center' },
      y,
      marks: [
        Plot.gridY({ stroke: 'var(--rule)', strokeOpacity: 0.8, ticks: y.ticks }),
        Plot.dot(a.load.filter((p) => !p.cold), { x: 's', y: 'ms', r: 1.6, fill: colour(a), fillOpacity: 0.45 }),
        Plot.dot(a.load.filter((p) => p.cold), { x: 's', y: 'ms', r: 4, stroke: colour(a), strokeWidth: 1.6 }),
      ],
    }));
  }
}

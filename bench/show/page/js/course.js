// Cold starts by round. The line is a running median of the points that are drawn.
function drawCourse(c) {
  const el = $('plot-course'), list = timed(c).filter((a) => a.dots.length);
  if (!list.length) return nothing(el);
  el.className = 'plot many';
  el.replaceChildren();
  const all = new Map(list.map((a) => [a, dots(a, c.clock).map((p, i) => ({ ...p, round: p.round || i + 1 }))]));
  const rounds = [1, d3.max([...all.values()].flat(), (p) => p.round)];
  for (const b of bootstrapsOf(list)) {
    const mine = list.filter((a) => a.bootstrap === b), points = mine.flatMap((a) => all.get(a));
    const box = panel(el, b);
    box.append(plot({
      width: widthOf(box), height: 200, marginLeft: 42, marginRight: 12, marginTop: 22, marginBottom: 38,
      x: { domain: rounds, label: 'round', ticks: 5, tickFormat: 'd', labelAnchor: 'center' },
      y: { ...timeScale(c, points.map((p) => p.ms), `ms (${where(mine)})`, 5) },
      marks: [
        Plot.gridY({ stroke: 'var(--rule)', strokeOpacity: 0.8, ticks: timeScale(c, points.map((p) => p.ms), '', 5).ticks }),
        Plot.dot(points, { x: 'round', y: 'ms', r: 1.6, fill: (p) => colour(p.arm), fillOpacity: 0.45 }),
        ...mine.map((a) => {
          const own = all.get(a);
          return Plot.line(own, Plot.windowY({ k: Math.max(3, Math.min(own.length, Math.round(own.length / 6))), reduce: 'median', anchor: 'middle' }, { x: 'round', y: 'ms', stroke: colour(a), strokeWidth: 2, strokeDasharray: dash(a) }));
        }),
      ],
    }));
  }
  legend('course', packageItems(list, true));
}

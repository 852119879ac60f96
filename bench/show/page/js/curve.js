// The empirical distribution of each arm. Above p95 the axis is logarithmic in the share that is slower: p99 is as far from p95 as p99.9 from p99.5.
const knee = 0.95, kneeAt = 0.55;

function drawCurve(c) {
  const el = $('plot-curve'), list = timed(c);
  if (!list.length) return nothing(el);
  const id = c.clock.id, most = d3.max(list, (a) => a.spread[id].count);
  const end = Math.max(0.995, 1 - 0.5 / most); // 100 % would be infinitely far up: the largest of n values is drawn at 1 - 0.5 / n
  const y = (p) => p <= knee ? p / knee * kneeAt : kneeAt + (1 - kneeAt) * Math.log((1 - knee) / (1 - Math.min(p, end))) / Math.log((1 - knee) / (1 - end));
  const ticks = [0, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999, 0.9999].filter((p) => p <= end);
  const values = list.flatMap((a) => [a.spread[id].x[0], a.spread[id].x.at(-1)]);
  const x = timeScale(c, values, timeLabel(c, list), 5);
  el.className = 'plot many';
  el.replaceChildren();
  for (const b of bootstrapsOf(list)) {
    const mine = list.filter((a) => a.bootstrap === b), others = list.filter((a) => a.bootstrap !== b);
    const box = panel(el, b), width = widthOf(box);
    const points = (a) => {
      const s = a.spread[id], start = [{ x: s.x[0], u: 0 }];
      return start.concat(s.x.map((ms, i) => ({ x: ms, p: (s.r ? s.r[i] : i + 1) / s.count, u: y(Math.min((s.r ? s.r[i] : i + 1) / s.count, 1 - 0.5 / s.count)) })));
    };
    const line = (a, options) => Plot.line(points(a), { x: 'x', y: 'u', curve: 'step-after', ...options });
    box.append(plot({
      width, height: 250, marginLeft: 44, marginRight: 14, marginTop: 10, marginBottom: 40,
      x: { ...x, grid: false, labelAnchor: 'center' },
      y: { domain: [0, 1], ticks: ticks.map(y), tickFormat: (u) => `p${+(100 * ticks.reduce((best, p) => Math.abs(y(p) - u) < Math.abs(y(best) - u) ? p : best)).toFixed(2)}`, label: null, tickSize: 0 },
      marks: [
        Plot.ruleY(ticks.map(y), { stroke: 'var(--faint)' }),
        Plot.ruleY([y(knee)], { stroke: 'var(--soft)', strokeDasharray: '2 3' }),
        ...others.map((a) => line(a, { stroke: 'var(--rule)', strokeWidth: 0.8, strokeOpacity: 0.55 })),
        ...mine.map((a) => line(a, { stroke: colour(a), strokeWidth: 2, strokeDasharray: dash(a) })),
      ],
    }));
  }
  legend('curve', packageItems(list, true).concat([[svg('<path d="M0 6H22" stroke="var(--soft)" stroke-opacity=".6"/>'), 'all other arms']]));
}

// What each factor does to INIT: ratios with their intervals on a logarithmic axis around 1.
function drawEffects(c) {
  const el = $('plot-effects'), rank = (e) => ['package', 'bootstrap', 'memory'].indexOf(e.factor);
  const list = data.effects.filter((f) => !c.by.source || c.by.source.has(f.source)).flatMap((f) => f.effects // bootstraps within a kind of package are many, and in the table
    .filter((e) => e.ratio > 0 && e.ratio_ci95[0] > 0 && !(e.factor === 'bootstrap' && e.within))
    .map((e) => ({ source: f.source, factor: e.factor, text: `${e.level} against ${e.than}${e.within ? `, in ${e.within}` : ''}`, ratio: e.ratio, ci: e.ratio_ci95, told: e.told_apart }))
    .sort((a, b) => rank(a) - rank(b)));
  if (!list.length) return nothing(el);
  const width = widthOf(el), small = narrow(), step = small ? 36 : 22, offset = small ? 7 : 0;
  const lo = Math.min(0.9, d3.min(list, (e) => e.ci[0])) / 1.03, hi = Math.max(1.1, d3.max(list, (e) => e.ci[1])) * 1.03;
  const rows = list.map((e, i) => ({ ...e, row: i, name: data.sources.length > 1 ? `${e.text} (${e.source})` : e.text }));
  const tone = (e) => e.told ? 'var(--accent)' : 'var(--soft)';
  const lab = new Set(list.map((e) => e.source)).has('lab');
  const x = { type: 'log', domain: [lo, hi], ticks: effectTicks(lo, hi, small ? 5 : 9), tickFormat: (t) => t === 1 ? '1' : `${+t.toFixed(2)}x`,
    label: `ratio of INIT (${lab ? (data.sources.length > 1 ? 'lab and AWS' : 'lab, not AWS') : 'AWS'}), log scale` };
  el.replaceChildren(plot({
    width, height: rows.length * step + 76, marginLeft: small ? 6 : Math.min(16 + 6.4 * d3.max(rows, (r) => r.name.length), width * 0.5), marginRight: 20, marginTop: 46, marginBottom: 30,
    x: { ...x, axis: null },
    y: { domain: rows.map((r) => r.row), axis: null, type: 'band', padding: 0 },
    marks: [
      ...axesX(x),
      Plot.ruleX([1], { stroke: 'var(--ink)', strokeWidth: 1 }),
      Plot.link(rows, { x1: (e) => e.ci[0], x2: (e) => e.ci[1], y1: 'row', y2: 'row', stroke: tone, strokeWidth: 2, dy: offset }),
      Plot.dot(rows, { x: 'ratio', y: 'row', fill: (e) => e.told ? 'var(--accent)' : 'var(--bg)', stroke: tone, strokeWidth: 1.6, r: 4, dy: offset }),
      small
        ? Plot.text(rows, { y: 'row', frameAnchor: 'left', text: 'name', textAnchor: 'start', dy: -9, dx: 2, fill: 'var(--ink)', stroke: 'var(--bg)', strokeWidth: 4, fontSize: 11 })
        : Plot.axisY({ tickSize: 0, label: null, tickFormat: (i) => rows[i].name, fontSize: 12 }),
      Plot.tip(rows, Plot.pointerY({ x: 'ratio', y: 'row', title: (e) => `${e.name}\n${e.ratio.toFixed(3)} [${e.ci[0].toFixed(3)}, ${e.ci[1].toFixed(3)}]`, fill: 'var(--bg)' })),
    ],
  }));
  legend('effects', [[svg('<circle cx="6" cy="6" r="4" fill="var(--accent)"/>', 12), 'told apart'], [svg('<circle cx="6" cy="6" r="4" fill="none" stroke="var(--soft)" stroke-width="1.6"/>', 12), 'cannot be told apart']]);
}

function effectTicks(lo, hi, most) {
  const wide = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100].filter((t) => t >= lo && t <= hi);
  if (wide.length > 4) return wide.length > most ? wide.filter((t) => Number.isInteger(Math.log10(t))) : wide;
  return [...new Set([...d3.ticks(lo, hi, most - 1), 1])].sort((a, b) => a - b);
}

// Power tuning: time and cost against memory, all functions in one picture, each axis from 0.
const data = { functions: JSON.parse($('data').textContent) };
data.source = data.functions[0].source;
data.currency = data.functions[0].currency;
for (const f of data.functions) {
  f.failed = f.byPowerValue.filter((v) => v.failed).map((v) => v.value);
  f.values = f.byPowerValue.filter((v) => !v.failed)
    .map((v) => ({ mb: v.value, ms: v.averageDuration ?? 0, ci: v.duration.p50Interval, cost: 1e6 * (v.averagePrice ?? 0) }));
}

function drawTuning() {
  const el = $('plot-tuning'), all = data.functions.flatMap((f) => f.values.map((v) => ({ ...v, f })));
  if (!all.length) return nothing(el, 'No power value was measured.');
  const several = data.functions.length > 1, tones = ['var(--zip)', 'var(--image)', 'var(--minimal)', 'var(--other)'];
  const time = (f) => tones[data.functions.indexOf(f) % tones.length], cost = (f) => several ? time(f) : 'var(--image)';
  const sizes = [...new Set(data.functions.flatMap((f) => [...f.values.map((v) => v.mb), ...f.failed]))].sort((a, b) => a - b);
  const ms = 1.12 * d3.max(all, (v) => v.ms) || 1, most = 1.12 * d3.max(all, (v) => v.cost) || 1; // with room above; an interval may reach beyond it
  const up = (v) => v.cost * ms / most, width = widthOf(el), height = Math.min(420, Math.max(280, width * 0.5));
  const marked = d3.groups(data.functions.flatMap((f) => f.marks), (m) => m.mb).map(([mb, of]) => ({ mb, text: [...new Set(of.map((m) => m.text))].join(', ') })).sort((a, b) => a.mb - b.mb);
  el.replaceChildren(plot({
    width, height, marginLeft: 52, marginRight: 52, marginTop: 34 + 12 * Math.min(2, marked.length), marginBottom: 42,
    x: { type: 'log', domain: [sizes[0] / 1.12, sizes.at(-1) * 1.12], ticks: thinned(sizes, width - 104), tickFormat: String, label: 'memory, MB (log scale)', labelAnchor: 'center' },
    y: { domain: [0, ms], ticks: 6, tickFormat: short, label: `time, ms (${data.source === 'lab' ? 'lab, not AWS' : 'AWS'})` },
    marks: [
      Plot.gridY({ stroke: 'var(--rule)', strokeOpacity: 0.8, ticks: 6 }),
      Plot.axisY(d3.ticks(0, most, 6).map((y) => y * ms / most), { anchor: 'right', tickFormat: (y) => short(+(y * most / ms).toPrecision(12)), label: `${data.currency} per million`, labelArrow: 'none' }),
      Plot.ruleX(marked, { x: 'mb', stroke: 'var(--soft)', strokeDasharray: '1 4' }),
      ...marked.map((m, i) => Plot.text([m], { x: 'mb', frameAnchor: 'top', dy: -4 - 12 * (i % 3), text: 'text', textAnchor: m.mb === sizes[0] ? 'start' : m.mb === sizes.at(-1) ? 'end' : 'middle', fill: 'var(--ink)' })),
      Plot.ruleX(all.filter((v) => v.ci), { x: 'mb', y1: (v) => v.ci[0], y2: (v) => Math.min(ms, v.ci[1]), stroke: (v) => time(v.f), strokeWidth: 5, strokeOpacity: 0.3 }),
      ...data.functions.flatMap((f) => [
        Plot.line(f.values, { x: 'mb', y: 'ms', stroke: time(f), strokeWidth: 2 }),
        Plot.line(f.values, { x: 'mb', y: up, stroke: cost(f), strokeWidth: 2, strokeDasharray: '6 3' }),
      ]),
      Plot.dot(all, { x: 'mb', y: 'ms', fill: (v) => time(v.f), r: 4 }),
      Plot.dot(all, { x: 'mb', y: up, symbol: 'square', fill: (v) => cost(v.f), r: 4 }),
      Plot.text([...new Set(data.functions.flatMap((f) => f.failed))], { x: (d) => d, frameAnchor: 'bottom', dy: -4, text: () => 'failed', fill: 'var(--soft)', rotate: -90, textAnchor: 'start' }),
      Plot.tip(all, Plot.pointer({ x: 'mb', y: 'ms', title: (v) => `${several ? `${v.f.title}\n` : ''}${v.mb} MB\n${number(v.ms)} ms${v.ci ? `, median [${number(v.ci[0])}, ${number(v.ci[1])}]` : ''}\n${v.cost.toFixed(3)} ${data.currency} per million`, fill: 'var(--bg)' })),
    ],
  }));
  const line = (tone, dashed) => svg(`<path d="M0 6H22" stroke="${tone}" stroke-width="2"${dashed ? ' stroke-dasharray="6 3"' : ''}/>${dashed ? `<rect x="7" y="2" width="8" height="8" fill="${tone}"/>` : `<circle cx="11" cy="6" r="4" fill="${tone}"/>`}`);
  legend('tuning', several
    ? [...data.functions.map((f) => [line(time(f)), f.title]), [line('currentColor'), 'time (left axis)'], [line('currentColor', true), 'cost (right axis)']]
    : [[line(time(data.functions[0])), 'time (left axis)'], [line(cost(data.functions[0]), true), 'cost (right axis)']]);
}

// thinned returns the sizes whose labels have room beside each other on a logarithmic axis.
function thinned(sizes, width) {
  const scale = width / (Math.log(sizes.at(-1) * 1.25 / sizes[0]) || 1);
  let last = -Infinity;
  return sizes.filter((mb) => {
    const at = scale * Math.log(mb);
    if (at - last < 38) return false;
    last = at;
    return true;
  });
}

pictures({ tuning: drawTuning });

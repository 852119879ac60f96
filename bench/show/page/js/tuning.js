// Power tuning: time and cost against memory, each axis from 0, a panel for each function on the same scales.
const data = JSON.parse($('data').textContent);

function drawTuning() {
  const el = $('plot-tuning'), all = data.functions.flatMap((f) => f.values);
  if (!all.length) return nothing(el, 'No power value could be measured.');
  const several = data.functions.length > 1;
  el.className = several ? 'plot pair' : 'plot';
  el.replaceChildren();
  const sizes = [...new Set(data.functions.flatMap((f) => [...f.values.map((v) => v.mb), ...f.failed]))].sort((a, b) => a - b);
  const ms = 1.05 * d3.max(all, (v) => Math.max(v.ms, v.ci ? v.ci[1] : 0)) || 1, most = 1.05 * d3.max(all, (v) => v.cost) || 1;
  const up = (v) => v * ms / most; // cost on the scale of time
  for (const f of data.functions) {
    const box = panel(el, several ? f.title : ''), width = widthOf(box);
    box.append(plot({
      width, height: Math.min(420, Math.max(260, width * 0.45)), marginLeft: 52, marginRight: 52, marginTop: 30, marginBottom: 42,
      x: { type: 'log', domain: [sizes[0] / 1.12, sizes.at(-1) * 1.12], ticks: thinned(sizes, width - 104), tickFormat: String, label: 'memory, MB (log scale)', labelAnchor: 'center' },
      y: { domain: [0, ms], ticks: 6, tickFormat: short, label: `time, ms (${data.source === 'lab' ? 'lab, not AWS' : 'AWS'})` },
      marks: [
        Plot.gridY({ stroke: 'var(--rule)', strokeOpacity: 0.8, ticks: 6 }),
        Plot.axisY(d3.ticks(0, most, 6).map(up), { anchor: 'right', tickFormat: (y) => short(+(y * most / ms).toPrecision(12)), label: `${data.currency} per million`, labelArrow: 'none' }),
        Plot.ruleX([f.best], { stroke: 'var(--soft)', strokeDasharray: '1 4' }),
        Plot.text([f.best], { x: (d) => d, frameAnchor: 'top', dy: -2, text: () => 'best', fill: 'var(--soft)' }),
        Plot.ruleX(f.values.filter((v) => v.ci), { x: 'mb', y1: (v) => v.ci[0], y2: (v) => v.ci[1], stroke: 'var(--zip)', strokeWidth: 5, strokeOpacity: 0.3 }),
        Plot.line(f.values, { x: 'mb', y: 'ms', stroke: 'var(--zip)', strokeWidth: 2 }),
        Plot.dot(f.values, { x: 'mb', y: 'ms', fill: 'var(--zip)', r: 4 }),
        Plot.line(f.values, { x: 'mb', y: (v) => up(v.cost), stroke: 'var(--image)', strokeWidth: 2, strokeDasharray: '6 3' }),
        Plot.dot(f.values, { x: 'mb', y: (v) => up(v.cost), symbol: 'square', fill: 'var(--image)', r: 4 }),
        Plot.text(f.failed, { x: (d) => d, frameAnchor: 'bottom', dy: -4, text: () => 'failed', fill: 'var(--soft)', rotate: -90, textAnchor: 'start' }),
      ],
    }));
  }
  legend('tuning', [
    [svg('<path d="M0 6H22" stroke="var(--zip)" stroke-width="2"/><circle cx="11" cy="6" r="4" fill="var(--zip)"/>'), 'time, left'],
    [svg('<path d="M0 6H22" stroke="var(--image)" stroke-width="2" stroke-dasharray="6 3"/><rect x="7" y="2" width="8" height="8" fill="var(--image)"/>'), 'cost, right'],
  ]);
  document.documentElement.dataset.drawn = 'true';
}

// thinned are the sizes whose labels have room beside each other on a logarithmic axis.
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

theme();
printing();
onWidth(drawTuning);
drawTuning();

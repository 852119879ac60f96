// A grid of medians, bootstraps by packages. Each of the seven steps of colour is the same ratio.
function drawGrid(c) {
  const el = $('plot-grid'), list = timed(c);
  if (!list.length) return nothing(el);
  const rows = bootstrapsOf(list);
  const order = (v) => { const k = packages.indexOf(v.split(/[@ ]/)[0]); return k < 0 ? 9 : k; };
  const columns = [...new Set(list.map((a) => a.variant))].sort((a, b) => order(a) - order(b) || a.localeCompare(b, 'en', { numeric: true }));
  const median = (a) => a.spread[c.clock.id].p50_ms;
  const lo = Math.log(d3.min(list, median)), hi = Math.log(d3.max(list, median));
  const level = (a) => hi > lo ? Math.min(6, Math.floor(7 * (Math.log(median(a)) - lo) / (hi - lo))) : 0;
  const cells = rows.flatMap((b) => columns.map((v) => ({ b, v, a: list.find((a) => a.bootstrap === b && a.variant === v) })));
  const why = (k) => data.notMeasured.find((n) => n.arm === `${k.b}/${k.v}` || n.arm === `${k.b}/${k.v.split(/[@ ]/)[0]}`)?.why;
  const width = widthOf(el), left = Math.min(14 + 6.8 * d3.max(rows, (r) => r.length), width * 0.34), most = columns.length * 150 + left + 10;
  const tight = (Math.min(width, most) - left - 40) / columns.length < 84, tilted = (Math.min(width, most) - left) / columns.length < 6.8 * d3.max(columns, (v) => v.length);
  el.replaceChildren(plot({
    width: Math.min(width, most), height: rows.length * 34 + (tilted ? 96 : 34), marginLeft: left, marginTop: tilted ? 92 : 28, marginRight: tilted ? 40 : 8, marginBottom: 6,
    x: { domain: columns, label: null, axis: 'top', tickSize: 0, padding: 0.03, tickRotate: tilted ? -40 : 0 }, y: { domain: rows, label: null, tickSize: 0, padding: 0.08 },
    marks: [
      Plot.cell(cells.filter((k) => k.a), { x: 'v', y: 'b', fill: (k) => `var(--h${level(k.a)})`, rx: 2 }),
      Plot.cell(cells.filter((k) => !k.a), { x: 'v', y: 'b', fill: 'none', stroke: 'var(--rule)', strokeDasharray: '3 3', rx: 2 }),
      Plot.text(cells.filter((k) => k.a), { x: 'v', y: 'b', text: (k) => number(median(k.a)), fill: (k) => `var(--i${level(k.a)})`, fontSize: tight ? 10.5 : 13 }),
      Plot.text(cells.filter((k) => !k.a), { x: 'v', y: 'b', text: (k) => tight ? '-' : why(k) ? 'not measured' : '-', fill: 'var(--soft)', fontSize: 11.5 }),
      Plot.tip(cells, Plot.pointer({ x: 'v', y: 'b', title: (k) => k.a ? `${k.a.arm} (${where([k.a])})\nmedian ${c.clock.name} ${number(median(k.a))} ms` : `${k.b}/${k.v}\n${why(k) ?? 'not among the arms that are shown'}`, fill: 'var(--bg)' })),
    ],
  }));
  const step = (i) => Math.exp(lo + (hi - lo) * i / 7);
  legend('grid', [[svg(d3.range(7).map((i) => `<rect x="${i * 16}" y="0" width="16" height="12" fill="var(--h${i})"/>`).join(''), 112), `${number(step(0))} to ${number(step(7))} ms, ${c.clock.name} (${where(list)})`]]);
}

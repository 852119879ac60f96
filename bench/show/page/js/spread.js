// The cold starts of each arm: points, bars from p10 to p90 and from p20 to p80, and the median with its interval.
function drawSpread(c) {
  const el = $('plot-spread'), list = timed(c);
  if (!list.length) return nothing(el);
  const id = c.clock.id, rows = list.map((a) => ({ a, s: a.spread[id], name: a.arm }));
  const points = list.flatMap((a, row) => dots(a, c.clock).map((p, i) => ({ ...p, name: a.arm, jitter: jitter(row, i) })));
  const published = c.baselines ? rows.flatMap((r) => data.baselines.filter((b) => b.clock === c.clock.name && b.arm === r.a.id && (b.p50_ms ?? b.average_ms) !== null)
    .map((b) => ({ name: r.name, p20: b.p20_ms, p80: b.p80_ms, center: b.p50_ms ?? b.average_ms, isMean: b.p50_ms === null }))) : [];
  const values = [...points.map((p) => p.ms), ...rows.flatMap((r) => [r.s.p10_ms, r.s.p90_ms]), ...published.flatMap((b) => [b.p20, b.p80, b.center])].filter((x) => x !== null);
  const width = widthOf(el), small = narrow(), step = small ? 40 : 28;
  const marginLeft = small ? 6 : 14 + 6.6 * d3.max(rows, (r) => r.name.length);
  const y = (r) => r.name;
  const offset = small ? 7 : 0; // on a narrow screen the names stand above the bars
  const at = (half) => ({ insetTop: step / 2 - half + offset, insetBottom: step / 2 - half - offset });
  const tone = (r) => colour(r.a), x = timeScale(c, values, timeLabel(c, list), small ? 5 : 10);
  const notes = d3.groups(published, y).map(([name, of]) => note(name, of, list.find((a) => a.arm === name).spread[id], x, width - marginLeft, small));
  el.replaceChildren(plot({
    width, height: rows.length * step + 76, marginLeft, marginRight: small ? 10 : 24, marginTop: 46, marginBottom: 30,
    x: { ...x, axis: null },
    y: { domain: rows.map(y), label: null, axis: null, padding: 0 },
    marks: [
      ...axesX(x),
      Plot.dot(points, { x: 'ms', y: 'name', dy: offset, fill: (p) => colour(p.arm), fillOpacity: 0.38, r: 1.7, ...shift(points) }),
      Plot.barX(published.filter((b) => b.p20 !== null && b.p80 !== null), { x1: 'p20', x2: 'p80', y, ...at(10), fill: 'none', stroke: 'var(--ink)', strokeDasharray: '3 2', strokeWidth: 1 }),
      Plot.tickX(published, { x: 'center', y, ...at(10), stroke: 'var(--ink)', strokeDasharray: '3 2', strokeWidth: 1.2 }),
      Plot.barX(rows, { x1: (r) => r.s.p10_ms, x2: (r) => r.s.p90_ms, y, ...at(1), fill: tone }),
      Plot.barX(rows, { x1: (r) => r.s.p20_ms, x2: (r) => r.s.p80_ms, y, ...at(5), fill: tone, rx: 1.5 }),
      Plot.barX(rows.filter((r) => r.s.p50_ci95_ms), { x1: (r) => r.s.p50_ci95_ms[0], x2: (r) => r.s.p50_ci95_ms[1], y, ...at(5), fill: 'var(--bg)', fillOpacity: 0.55 }),
      Plot.tickX(rows, { x: (r) => r.s.p50_ms, y, ...at(7.5), stroke: 'var(--bg)', strokeWidth: 5 }),
      Plot.tickX(rows, { x: (r) => r.s.p50_ms, y, ...at(7.5), stroke: 'var(--ink)', strokeWidth: 2 }),
      ...['start', 'end'].map((anchor) => Plot.text(notes.filter((n) => n.anchor === anchor), { x: 'x', y: 'name', dx: anchor === 'start' ? 6 : -6, dy: offset, text: 'text', textAnchor: anchor, fill: 'var(--soft)', stroke: 'var(--bg)', strokeWidth: 4, fontSize: 10.5 })),
      small
        ? Plot.text(rows, { y, frameAnchor: 'left', text: 'name', textAnchor: 'start', dy: -9, dx: 2, fill: 'var(--ink)', stroke: 'var(--bg)', strokeWidth: 4 })
        : Plot.axisY({ tickSize: 0, label: null, fontSize: 12 }),
      Plot.tip(rows, Plot.pointerY({ x: (r) => r.s.p50_ms, y, title: (r) => `${r.name} (${where([r.a])})\nmedian ${number(r.s.p50_ms)} ms${r.s.p50_ci95_ms ? ` [${number(r.s.p50_ci95_ms[0])}, ${number(r.s.p50_ci95_ms[1])}]` : ''}\np10 ${number(r.s.p10_ms)}, p20 ${number(r.s.p20_ms)}, p80 ${number(r.s.p80_ms)}, p90 ${number(r.s.p90_ms)}\n${r.s.count} cold starts`, fill: 'var(--bg)' })),
    ],
  }));
  legend('spread', packageItems(list, false).concat(published.length
    ? [[svg('<rect x="1" y="1" width="20" height="10" fill="none" stroke="currentColor" stroke-dasharray="3 2"/>'), 'published figures, AWS']] : []));
}

// note returns the text on published figures beside a row: right of the row's marks, or left of them if there is no room.
function note(name, of, s, scale, width, small) {
  const text = small ? 'AWS' : `published, AWS: ${of.map((b) => `${b.isMean ? 'mean' : 'median'} ${number(b.center)}`).join(', ')}`;
  const right = Math.max(s.p90_ms, d3.max(of, (b) => b.p80 ?? b.center)), left = Math.min(s.p10_ms, d3.min(of, (b) => b.p20 ?? b.center));
  const f = scale.type === 'log' ? Math.log : (v) => v, [lo, hi] = scale.domain.map(f);
  const fits = (f(right) - lo) / (hi - lo) * width + text.length * 5.8 < width;
  return fits ? { name, text, x: right, anchor: 'start' } : { name, text, x: left, anchor: 'end' };
}

// jitter spreads points over a row, the same way each time.
const jitter = (row, i) => ((i * 0.6180339887 + row * 0.414) % 1) - 0.5;

// shift moves each point within its row after scaling, because Plot cannot jitter.
function shift(points) {
  return { render: (index, scales, values, dimensions, context, next) => {
    const g = next(index, scales, values, dimensions, context);
    const circles = g.children;
    for (let k = 0; k < circles.length; k++) {
      const n = circles[k];
      n.setAttribute('cy', Number(n.getAttribute('cy')) + points[index[k]].jitter * 17);
    }
    return g;
  } };
}

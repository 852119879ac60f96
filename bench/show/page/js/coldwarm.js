// Cold against warm: a stacked bar of the parts of a cold start, and a mark for a warm invocation.
function drawColdWarm(c) {
  const el = $('plot-cold-warm');
  const list = c.arms.filter((a) => a.spread.init && a.first !== null).sort((a, b) => total(a) - total(b));
  if (!list.length) return nothing(el);
  const before = (a) => Math.max(0, a.residual_p50_ms ?? 0);
  const width = widthOf(el), small = narrow(), step = small ? 38 : 24, offset = small ? 7 : 0;
  const parts = list.flatMap((a) => {
    const edges = [0, before(a), before(a) + a.spread.init.p50_ms, before(a) + total(a)];
    return ['before INIT (caller only)', 'INIT', 'first Duration'].map((phase, i) => ({ name: a.arm, phase, from: edges[i], to: edges[i + 1] }));
  });
  const fills = { INIT: 'var(--p1)', 'first Duration': 'var(--p2)', 'before INIT (caller only)': 'var(--p3)' };
  const at = (half) => ({ insetTop: step / 2 - half + offset, insetBottom: step / 2 - half - offset });
  const warm = list.filter((a) => a.warm.p50_ms !== null);
  const x = { label: `medians, ms (${where(list)})`, ticks: small ? 4 : 8, tickFormat: short, domain: [0, d3.max(parts, (p) => p.to) * 1.02] };
  el.replaceChildren(plot({
    width, height: list.length * step + 72, marginLeft: small ? 6 : 14 + 6.6 * d3.max(list, (a) => a.arm.length), marginRight: 56, marginTop: 46, marginBottom: 26,
    x: { ...x, axis: null },
    y: { domain: list.map((a) => a.arm), axis: null, label: null, padding: 0 },
    marks: [
      ...axesX(x),
      Plot.barX(parts, { x1: 'from', x2: 'to', y: 'name', fill: (p) => fills[p.phase], ...at(7) }),
      Plot.tickX(warm, { x: (a) => a.warm.p50_ms, y: 'arm', ...at(10), stroke: 'var(--bg)', strokeWidth: 5 }),
      Plot.tickX(warm, { x: (a) => a.warm.p50_ms, y: 'arm', ...at(10), stroke: 'var(--image)', strokeWidth: 2.5 }),
      Plot.text(list, { x: (a) => before(a) + total(a), y: 'arm', text: (a) => number(before(a) + total(a)), textAnchor: 'start', dx: 6, dy: offset, fill: 'var(--soft)' }),
      small
        ? Plot.text(list, { y: 'arm', frameAnchor: 'left', text: 'arm', textAnchor: 'start', dy: -9, dx: 2, fill: 'var(--ink)', stroke: 'var(--bg)', strokeWidth: 4 })
        : Plot.axisY({ tickSize: 0, label: null, fontSize: 12 }),
    ],
  }));
  const swatch = (f) => svg(`<rect y="1" width="22" height="10" fill="${f}"/>`);
  legend('cold-warm', [...(list.some((a) => before(a) > 0) ? [[swatch('var(--p3)'), 'before INIT (only the caller sees it)']] : []),
    [swatch('var(--p1)'), 'INIT'], [swatch('var(--p2)'), 'first Duration'], [svg('<path d="M6 0V12" stroke="var(--image)" stroke-width="2.5"/>', 12), 'a warm invocation']]);
}

const total = (a) => a.spread.init.p50_ms + a.first;

// Time against the size of the package, and against the KiB read of it.
function drawSizes(c) {
  const el = $('plot-sizes'), list = timed(c);
  el.className = 'plot pair';
  el.replaceChildren();
  const panels = [['size_kib', 'package size'], ['init_read_kib', 'bytes read before GET /next']].filter(([key]) => list.some((a) => a[key] > 0));
  if (!panels.length) return nothing(el);
  const boxes = panels.map(([, label]) => panel(el, `${c.clock.name} against ${label}`)); // all boxes first, because the width of one depends on their number
  panels.forEach(([key, label], i) => {
    const mine = list.filter((a) => a[key] > 0), s = (a) => a.spread[c.clock.id];
    const box = boxes[i], width = widthOf(box), height = 380;
    const log = key === 'size_kib';
    const domain = log ? [d3.min(mine, (a) => a[key]) / 1.3, d3.max(mine, (a) => a[key]) * 1.5] : [0, d3.max(mine, (a) => a[key]) * 1.15];
    const options = {
      width, height, marginLeft: 46, marginRight: 12, marginTop: 28, marginBottom: 42,
      x: { type: log ? 'log' : 'linear', domain, ticks: sizeTicks(domain, log), tickFormat: kib, label: log ? `${label}, log scale` : label, labelAnchor: 'center' },
      y: { ...timeScale(c, mine.flatMap((a) => [s(a).p50_ms, ...(s(a).p50_ci95_ms ?? [])]), timeLabel(c, mine), 6) },
    };
    const place1 = plot({ ...options, marks: [Plot.dot(mine, { x: key, y: (a) => s(a).p50_ms })] }); // only for its scales
    const sx = place1.scale('x'), sy = place1.scale('y');
    const labels = place(mine.map((a) => ({ a, px: sx.apply(a[key]), py: sy.apply(s(a).p50_ms) })), options.marginLeft, width, height - 40, (p) => p.a.bootstrap);
    box.append(plot({ ...options, marks: [
      Plot.gridY({ stroke: 'var(--rule)', strokeOpacity: 0.8, ticks: options.y.ticks }),
      Plot.ruleX(mine.filter((a) => s(a).p50_ci95_ms), { x: key, y1: (a) => s(a).p50_ci95_ms[0], y2: (a) => s(a).p50_ci95_ms[1], stroke: colour, strokeOpacity: 0.6, strokeWidth: 1.5 }),
      ...[...new Set(mine.map((a) => a.package))].map((k) => Plot.dot(mine.filter((a) => a.package === k), { x: key, y: (a) => s(a).p50_ms, r: 4.5, symbol: symbol({ package: k }), fill: colour({ package: k }), stroke: 'var(--bg)', strokeWidth: 0.8 })),
      ...labels.map((l) => Plot.text([l.a], { x: key, y: (a) => s(a).p50_ms, text: () => l.text, dx: l.dx, dy: l.dy, textAnchor: l.anchor, fill: 'var(--soft)', stroke: 'var(--bg)', strokeWidth: 3, fontSize: 11 })),
      Plot.tip(mine, Plot.pointer({ x: key, y: (a) => s(a).p50_ms, title: (a) => `${a.arm} (${where([a])})\n${kib(a[key])}, median ${number(s(a).p50_ms)} ms`, fill: 'var(--bg)' })),
    ] }));
  });
  legend('sizes', packageItems(list, false));
}

// sizeTicks returns round ticks in KiB or MiB: powers of 2, 4, 8 or 16 on a logarithmic axis, equal steps on a linear one.
function sizeTicks([lo, hi], log) {
  if (!log) {
    const step = [64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768].find((s) => hi / s <= 8) ?? hi / 6;
    return d3.range(0, hi, step);
  }
  for (const base of [2, 4, 8, 16]) {
    const ticks = d3.range(Math.ceil(Math.log(lo) / Math.log(base)), Math.log(hi) / Math.log(base)).map((e) => base ** e);
    if (ticks.length <= 7 && ticks.length > 0) return ticks;
  }
  return logTicks([lo, hi], 6);
}

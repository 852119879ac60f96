// Cost against memory, and against the share of invocations that are cold starts.
function drawMemoryCost(c) {
  const el = $('plot-memory-cost'), list = c.arms.filter((a) => a.cold_usd_per_million !== null);
  if (!list.length) return nothing(el);
  el.className = 'plot many';
  el.replaceChildren();
  const top = d3.max(list, (a) => Math.max(a.cold_usd_per_million, a.warm_usd_per_million ?? 0));
  for (const b of bootstrapsOf(list)) {
    const mine = list.filter((a) => a.bootstrap === b), lines = d3.groups(mine, (a) => a.variant.replace(/@\d+/, ''));
    const box = panel(el, b), sizes = [...new Set(list.map(memory))].sort((x, y) => x - y);
    box.append(plot({
      width: widthOf(box), height: 210, marginLeft: 46, marginRight: 14, marginTop: 24, marginBottom: 38,
      x: { type: 'log', domain: [sizes[0] / 1.15, sizes.at(-1) * 1.15], ticks: sizes, tickFormat: String, label: 'memory, MB', labelAnchor: 'center' },
      y: { domain: [0, top * 1.05], ticks: 5, tickFormat: short, label: 'USD per million' },
      marks: [
        Plot.gridY({ stroke: 'var(--rule)', strokeOpacity: 0.8, ticks: 5 }),
        ...lines.flatMap(([, own]) => {
          const sorted = [...own].sort((x, y) => memory(x) - memory(y));
          return [
            Plot.line(sorted, { x: memory, y: 'cold_usd_per_million', stroke: colour(own[0]), strokeWidth: 2 }),
            Plot.dot(sorted, { x: memory, y: 'cold_usd_per_million', symbol: symbol(own[0]), fill: colour(own[0]), r: 4 }),
            Plot.line(sorted.filter((a) => a.warm_usd_per_million !== null), { x: memory, y: 'warm_usd_per_million', stroke: colour(own[0]), strokeWidth: 1.6, strokeDasharray: '2 3' }),
          ];
        }),
      ],
    }));
  }
  legend('memory-cost', packageItems(list, false).concat([[svg('<path d="M0 6H22" stroke="currentColor" stroke-width="2"/>'), 'all cold'], [svg('<path d="M0 6H22" stroke="currentColor" stroke-width="1.6" stroke-dasharray="2 3"/>'), 'all warm']]));
}

// drawShareCost gives a colour and a name in the legend to the arms that are the cheapest at some share. The others are grey.
function drawShareCost(c) {
  const el = $('plot-share-cost'), list = c.arms.filter((a) => a.cold_usd_per_million !== null && a.warm_usd_per_million !== null);
  if (!list.length) return nothing(el);
  const named = new Set(data.breakEven.flatMap((b) => [b.arm, b.than])), first = list.filter((a) => named.has(a.arm));
  const shares = d3.range(0, 61).map((i) => 10 ** (-4 + i / 15));
  const line = (a) => shares.map((s) => ({ s, usd: a.warm_usd_per_million + s * (a.cold_usd_per_million - a.warm_usd_per_million) }));
  const all = list.map((a) => ({ a, line: line(a) })), ends = all.flatMap((l) => [l.line[0].usd, l.line.at(-1).usd]);
  const steep = d3.max(ends) / d3.min(ends) > 8, width = Math.min(widthOf(el), 860), ticks = steep ? logTicks([d3.min(ends), d3.max(ends)], 6) : 6;
  const shades = ['var(--zip)', 'var(--image)', 'var(--minimal)', 'var(--other)'], shade = (a) => shades[first.indexOf(a) % shades.length];
  el.replaceChildren(plot({
    width, height: Math.max(260, Math.min(400, width * 0.5)), marginLeft: 50, marginRight: 16, marginTop: 28, marginBottom: 42,
    x: { type: 'log', domain: [1e-4, 1], ticks: [1e-4, 1e-3, 1e-2, 1e-1, 1], tickFormat: (s) => `${+(100 * s).toPrecision(2)} %`, label: 'cold starts, share of invocations', labelAnchor: 'center' },
    y: { type: steep ? 'log' : 'linear', domain: steep ? [d3.min(ends) / 1.05, d3.max(ends) * 1.05] : [0, d3.max(ends) * 1.05], ticks, tickFormat: short, label: `USD per million${steep ? ', log scale' : ''}` },
    marks: [
      Plot.gridY({ stroke: 'var(--rule)', strokeOpacity: 0.8, ticks }),
      ...all.filter((l) => !first.includes(l.a)).map((l) => Plot.line(l.line, { x: 's', y: 'usd', stroke: 'var(--rule)', strokeWidth: 1 })),
      ...all.filter((l) => first.includes(l.a)).map((l) => Plot.line(l.line, { x: 's', y: 'usd', stroke: shade(l.a), strokeWidth: 2.2, strokeDasharray: dash(l.a) })),
    ],
  }));
  legend('share-cost', first.map((a) => [svg(`<path d="M0 6H22" stroke="${shade(a)}" stroke-width="2.2"/>`), a.arm]).concat(
    list.length > first.length ? [[svg('<path d="M0 6H22" stroke="var(--soft)" stroke-opacity=".6"/>'), 'all other arms']] : []));
}

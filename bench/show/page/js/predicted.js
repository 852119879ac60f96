// Published INIT against predicted, with the line on which they are equal.
function drawPredicted() {
  const el = $('plot-predicted'), list = data.checks;
  const width = Math.min(widthOf(el), 720), height = Math.min(width, 460), small = narrow();
  const all = list.flatMap((d) => [d.published, d.predicted, ...(d.interval ?? [])]).filter((x) => x > 0);
  const domain = [d3.min(all) / 1.12, d3.max(all) * 1.12], ticks = logTicks(domain, small ? 5 : 8);
  const name = (d) => `${d.name} ${d.image ? 'image' : 'ZIP'} (${d.architecture})`;
  const scale = (label) => ({ type: 'log', domain, ticks, tickFormat: short, label });
  const options = { width, height, marginLeft: 46, marginRight: 12, marginTop: 28, marginBottom: 42,
    x: { ...scale('predicted INIT on AWS, ms, log scale'), labelAnchor: 'center' }, y: scale('published INIT on AWS, ms, log scale') };
  const ask = plot({ ...options, marks: [Plot.dot(list, { x: 'predicted', y: 'published' })] }); // to ask its scales
  const sx = ask.scale('x'), sy = ask.scale('y');
  const labels = small ? [] : place(list.map((d) => ({ d, px: sx.apply(d.predicted), py: sy.apply(d.published) })), width, height - 40, (p) => name(p.d));
  const tone = (d) => d.fitted ? 'var(--soft)' : 'var(--accent)';
  el.replaceChildren(plot({ ...options, marks: [
    Plot.gridX({ stroke: 'var(--rule)', strokeOpacity: 0.8, ticks }), Plot.gridY({ stroke: 'var(--rule)', strokeOpacity: 0.8, ticks }),
    Plot.line([domain[0], domain[1]], { x: (d) => d, y: (d) => d, stroke: 'var(--ink)', strokeWidth: 1 }),
    Plot.link(list.filter((d) => d.interval), { x1: (d) => Math.max(domain[0], d.interval[0]), x2: (d) => d.interval[1], y1: 'published', y2: 'published', stroke: tone, strokeOpacity: 0.6, strokeWidth: 1.5 }),
    Plot.dot(list, { x: 'predicted', y: 'published', r: 4.5, symbol: (d) => d.image ? 'square' : 'circle', fill: tone, stroke: 'var(--bg)', strokeWidth: 0.8 }),
    ...labels.map((l) => Plot.text([l.d], { x: 'predicted', y: 'published', text: () => l.text, dx: l.dx, dy: l.dy, textAnchor: l.anchor, fill: 'var(--soft)', stroke: 'var(--bg)', strokeWidth: 3, fontSize: 11 })),
    Plot.tip(list, Plot.pointer({ x: 'predicted', y: 'published', title: (d) => `${name(d)}\npublished ${number(d.published)} ms, predicted ${number(d.predicted)}`, fill: 'var(--bg)' })),
  ] }));
  legend('predicted', [[svg(marks.circle('var(--accent)'), 12), 'ZIP, not used in the fit'], [svg(marks.square('var(--accent)'), 12), 'image, its own pair left out'], [svg(marks.circle('var(--soft)'), 12), 'used in the fit, left out here']]);
}

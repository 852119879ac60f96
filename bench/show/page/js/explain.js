// A treemap of what was read of a file, by the code that needed it. Areas are KiB.
const data = JSON.parse($('data').textContent);

function drawTreemap(id) {
  const el = $(`plot-${id}`), width = widthOf(el), height = Math.round(Math.max(320, Math.min(520, width * 0.5)));
  const all = d3.sum(data[id], (o) => o.read_kib), tree = (t) => ({ ...t, children: t.parts?.length > 1 && t.read_kib > all / 100 ? t.parts.map(tree) : undefined }); // a small area is not divided
  const root = d3.hierarchy({ children: data[id].map(tree) }).sum((d) => d.children ? 0 : d.read_kib).sort((a, b) => b.value - a.value);
  if (!root.value) return nothing(el, 'Nothing of this file was read.');
  d3.treemap().size([width, height]).paddingInner(1).paddingTop((n) => n.depth === 1 && n.children ? 17 : 0)(root);
  const drawing = d3.create('svg').attr('width', width).attr('height', height).attr('viewBox', `0 0 ${width} ${height}`);
  root.children.forEach((owner, i) => {
    for (const n of owner.descendants()) {
      if (n.depth > 2) continue;
      const w = n.x1 - n.x0, h = n.y1 - n.y0;
      if (w < 1 || h < 1) continue;
      const g = drawing.append('g').attr('transform', `translate(${n.x0},${n.y0})`);
      g.append('rect').attr('width', w).attr('height', h).attr('fill', `var(--q${i % 7 + 1})`).attr('fill-opacity', n.depth === 1 ? 1 : 0.72).attr('stroke', 'var(--bg)');
      g.append('title').text(`${n.depth === 2 ? `${owner.data.name}\n` : ''}${n.data.name}: ${n.data.read_kib} KiB read, ${n.data.touched_kib} KiB of them wanted${n.data.hint ? `\n${n.data.hint}` : ''}`);
      const text = fit(n.data.name, w - 8, n.depth === 1 ? 6.9 : 6.2);
      if (text && h > 15) g.append('text').attr('x', 4).attr('y', 12.5).attr('fill', '#16191d').attr('font-weight', n.depth === 1 ? 650 : 400).attr('font-size', n.depth === 1 ? 12 : 11).text(text);
    }
  });
  el.replaceChildren(drawing.node());
}

// fit returns a name, or as much of the end of its path as fits a width. It cuts no word.
function fit(name, width, letter) {
  const parts = name.split(/(?<=\/|::| for |[a-z0-9)]\.)/);
  for (let i = 0; i < parts.length; i++) {
    const text = parts.slice(i).join('');
    if (/[a-z]{3}/i.test(text) && text.length * letter <= width) return text;
  }
  return '';
}

pictures(Object.fromEntries(Object.keys(data).map((id) => [id, () => drawTreemap(id)])));

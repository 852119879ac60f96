// The first picture, by the chosen clock. It has at most heroArms arms: all, or the best of each bootstrap, or the fastest.
const heroArms = 9;

function drawHero(c) {
  const el = $('plot-hero'), every = timed(c), box = $('hero');
  // The lab mounts an image as it mounts a ZIP, so the arms of one kind of package stand for all arms.
  const kind = every.some((a) => a.source === 'lab') ? packages.find((k) => every.some((a) => a.package === k)) : undefined;
  const all = kind && every.length > heroArms ? every.filter((a) => a.package === kind) : every, best = all.filter((a, i) => all.findIndex((b) => b.bootstrap === a.bootstrap) === i);
  const each = all.length > heroArms && best.length > 1, list = (each ? best : all).slice(0, heroArms);
  box.hidden = false;
  $('h-hero').textContent = !c.clock ? '' : all.length === 1 ? `One arm by ${c.clock.name}` : `${each ? `The best of each bootstrap${best.length > heroArms ? `, ${heroArms} of ${best.length},` : ''}` :
    list.length < all.length ? `The fastest ${list.length} of ${all.length} arms` : `${all.length} arms`} by ${c.clock.name}${all.length < every.length ? `, as ${kind}` : ''}`;
  if (!list.length) return nothing(el);
  const rows = list.map((a) => ({ a, s: a.spread[c.clock.id], name: a.arm })), step = 36, width = widthOf(el), above = width < 520;
  const x = timeScale(c, rows.flatMap((r) => [r.s.p10_ms, r.s.p90_ms]), timeLabel(c, list), above ? 5 : 7), tone = (r) => colour(r.a), y = 'name', offset = above ? 7 : 0;
  const at = (half) => ({ insetTop: step / 2 - half + offset, insetBottom: step / 2 - half - offset });
  el.replaceChildren(plot({
    width, height: rows.length * step + 50, marginLeft: above ? 6 : 14 + 6.8 * d3.max(rows, (r) => r.name.length), marginRight: 70, marginTop: 6, marginBottom: 44,
    x: { ...x, labelAnchor: 'center' }, y: { domain: rows.map((r) => r.name), axis: null, label: null, padding: 0 },
    marks: [
      Plot.gridX({ stroke: 'var(--rule)', strokeOpacity: 0.8, ticks: x.ticks }),
      Plot.barX(rows, { x1: (r) => r.s.p10_ms, x2: (r) => r.s.p90_ms, y, ...at(1), fill: tone }),
      Plot.barX(rows, { x1: (r) => r.s.p20_ms, x2: (r) => r.s.p80_ms, y, ...at(6), fill: tone, rx: 2 }),
      Plot.barX(rows.filter((r) => r.s.p50_ci95_ms), { x1: (r) => r.s.p50_ci95_ms[0], x2: (r) => r.s.p50_ci95_ms[1], y, ...at(6), fill: 'var(--bg)', fillOpacity: 0.55 }),
      Plot.tickX(rows, { x: (r) => r.s.p50_ms, y, ...at(9), stroke: 'var(--bg)', strokeWidth: 5 }),
      Plot.tickX(rows, { x: (r) => r.s.p50_ms, y, ...at(9), stroke: 'var(--ink)', strokeWidth: 2 }),
      Plot.text(rows, { y, frameAnchor: 'right', text: (r) => `${number(r.s.p50_ms)} ms`, textAnchor: 'start', dx: 8, dy: offset, fill: 'var(--ink)', fontWeight: 600 }),
      above
        ? Plot.text(rows, { y, frameAnchor: 'left', text: 'name', textAnchor: 'start', dy: -9, dx: 2, fill: 'var(--ink)', stroke: 'var(--bg)', strokeWidth: 4 })
        : Plot.axisY({ tickSize: 0, label: null, fontSize: 12.5 }),
    ],
  }));
  legend('hero', packageItems(list, false));
}

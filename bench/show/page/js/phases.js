// The phases of INIT and of events, by the bootstrap's own clock. Each stage has a panel with its own scale, and each arm a stacked bar.
const phaseFills = ['var(--p3)', 'var(--q1)', 'var(--q2)', 'var(--q3)', 'var(--q4)', 'var(--q5)', 'var(--q6)', 'var(--q7)'];

function drawPhases(c) {
  const el = $('plot-phases'), list = c.arms.filter((a) => a.phases);
  if (!list.length) return nothing(el);
  const stages = ['INIT', 'first event', 'warm event'].filter((s) => list.some((a) => a.phases.some((p) => p.stage === s)));
  const boxes = (el.className = 'plot pair', el.replaceChildren(), stages.map((s) => panel(el, s === 'INIT' ? s : `The ${s}`)));
  const small = narrow(), step = small ? 42 : 32, offset = small ? 7 : 0;
  stages.forEach((stage, i) => {
    const of = (a) => a.phases.filter((p) => p.stage === stage);
    const sum = (a) => d3.sum(of(a), (p) => p.p50_ms);
    const mine = list.filter((a) => of(a).length).sort((a, b) => sum(a) - sum(b));
    const names = [...new Set([...mine].sort((a, b) => of(b).length - of(a).length).flatMap((a) => of(a).map((p) => p.name)))];
    const fill = (name) => name === 'outside' ? phaseFills[0] : phaseFills[1 + names.filter((n) => n !== 'outside').indexOf(name) % (phaseFills.length - 1)];
    const parts = mine.flatMap((a) => {
      let from = 0;
      return names.map((name) => of(a).find((p) => p.name === name)).filter(Boolean).map((p) => ({ ...p, arm: a.arm, from, to: (from += p.p50_ms) }));
    });
    const most = d3.max(parts, (p) => p.to), x = { label: `medians, ms (${where(mine)})`, ticks: 5, tickFormat: short, domain: [0, most * 1.02] };
    const at = { insetTop: step / 2 - 8 + offset, insetBottom: step / 2 - 8 - offset };
    const box = boxes[i];
    box.append(keys(names.map((n) => [svg(`<rect y="1" width="12" height="10" rx="1.5" fill="${fill(n)}"/>`, 12), n])));
    box.append(plot({
      width: widthOf(box), height: mine.length * step + 72, marginLeft: small ? 6 : 14 + 6.6 * d3.max(mine, (a) => a.arm.length), marginRight: 46, marginTop: 44, marginBottom: 26,
      x: { ...x, axis: null }, y: { domain: mine.map((a) => a.arm), axis: null, label: null, padding: 0 },
      marks: [
        ...axesX(x),
        Plot.barX(parts, { x1: 'from', x2: 'to', y: 'arm', fill: (p) => fill(p.name), stroke: 'var(--bg)', strokeWidth: 0.75, ...at }),
        Plot.text(mine, { x: sum, y: 'arm', text: (a) => number(sum(a)), textAnchor: 'start', dx: 6, dy: offset, fill: 'var(--soft)' }),
        small
          ? Plot.text(mine, { y: 'arm', frameAnchor: 'left', text: 'arm', textAnchor: 'start', dy: -10, dx: 2, fill: 'var(--ink)', stroke: 'var(--bg)', strokeWidth: 4 })
          : Plot.axisY({ tickSize: 0, label: null, fontSize: 12 }),
        Plot.tip(parts, Plot.pointer({ x: (p) => (p.from + p.to) / 2, y: 'arm', title: (p) => `${p.arm} (${where(mine)})\n${p.name} ${p.p50_ms.toFixed(3)} ms`, fill: 'var(--bg)' })),
      ],
    }));
  });
}

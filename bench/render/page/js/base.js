// The data, what is chosen of it, and what all pictures share.
const data = JSON.parse(document.getElementById('data').textContent);
const arms = data.arms;
const $ = (id) => document.getElementById(id);
const form = document.querySelector('#filters form');

const packages = ['zip', 'image', 'image-minimal'];
const colours = { zip: 'var(--zip)', image: 'var(--image)', 'image-minimal': 'var(--minimal)' };
const symbols = { zip: 'circle', image: 'square', 'image-minimal': 'triangle' };
const colour = (a) => colours[a.package] || 'var(--other)';
const symbol = (a) => symbols[a.package] || 'diamond';
const memories = [...new Set(arms.map((a) => a.memory))].sort((a, b) => a - b);
const dashes = ['none', '5 2', '2 2', '8 2 2 2', '1 3', '10 3'];
const dash = (a) => dashes[memories.indexOf(a.memory) % dashes.length];

// chosen is the state of the form; without filters in the page everything is.
function chosen() {
  const set = (name) => {
    const boxes = form.querySelectorAll(`input[name="${name}"]`);
    return boxes.length ? new Set([...boxes].filter((b) => b.checked).map((b) => b.value)) : null;
  };
  const one = (name, otherwise) => form.querySelector(`input[name="${name}"]:checked`)?.value ?? otherwise;
  const by = { bootstrap: set('bootstrap'), package: set('package'), memory: set('memory'), source: set('source') };
  const clock = data.clocks.find((c) => c.id === one('clock')) ?? data.clocks[0];
  return {
    by, clock,
    log: one('scale', 'linear') === 'log',
    baselines: one('baselines', '') === 'on',
    arms: arms.filter((a) => (!by.bootstrap || by.bootstrap.has(a.bootstrap)) && (!by.package || by.package.has(a.package || 'unknown')) &&
      (!by.memory || by.memory.has(String(a.memory))) && (!by.source || by.source.has(a.source))),
  };
}

// timed are the chosen arms that have cold starts by the chosen clock, fastest median first.
const timed = (c) => c.clock ? c.arms.filter((a) => a.spread[c.clock.id]).sort((a, b) => a.spread[c.clock.id].p50 - b.spread[c.clock.id].p50) : [];
const bootstrapsOf = (list) => [...new Set(list.map((a) => a.bootstrap))];

// dots are single cold starts of an arm by a clock: {round, ms}.
function dots(a, clock) {
  const d = a.dots;
  return d.init.map((init, i) => ({
    arm: a, round: d.round[i], ms: clock.id === 'init' ? init : clock.id === 'total' ? init + d.first[i] : d.wait ? d.wait[i] : null,
  })).filter((p) => p.ms !== null && p.ms !== undefined);
}

// where stands in every axis of time: a lab figure must not pass for another.
function where(list) {
  const sources = new Set(list.map((a) => a.source));
  return sources.has('lab') ? (sources.size > 1 ? 'lab and AWS' : 'lab, not AWS') : 'AWS';
}
const timeLabel = (c, list) => `${c.clock.name}, ms (${where(list)})`;

function number(x) {
  if (x === null || x === undefined) return '-';
  const a = Math.abs(x);
  return a >= 1000 ? x.toFixed(0) : a >= 100 ? x.toFixed(1) : x.toFixed(2);
}
// short is a number of an axis.
const short = (x) => x >= 1000 ? d3.format('.3~s')(x) : d3.format('.4~r')(x);
const kib = (x) => x >= 1024 ? `${d3.format('.3~r')(x / 1024)} MiB` : `${d3.format('.3~r')(x)} KiB`;

// logTicks are 1, 2 and 5 of each decade, thinned to fit.
function logTicks(domain, most) {
  const [lo, hi] = domain;
  for (const steps of [[1, 2, 3, 5, 7], [1, 2, 5], [1, 3], [1]]) {
    const ticks = [];
    for (let e = Math.floor(Math.log10(lo)); e <= Math.ceil(Math.log10(hi)); e++) for (const s of steps) {
      const t = Number((s * 10 ** e).toPrecision(3));
      if (t >= lo && t <= hi) ticks.push(t);
    }
    if (ticks.length <= most) return ticks.length > 1 ? ticks : d3.ticks(lo, hi, most);
  }
  return d3.ticks(Math.log10(lo), Math.log10(hi), most).map((e) => 10 ** e);
}

// timeScale is the x or y scale of times.
function timeScale(c, values, label, most) {
  const lo = d3.min(values), hi = d3.max(values);
  if (!c.log || !(lo > 0)) return { label, domain: [0, hi * 1.02], ticks: most, tickFormat: short };
  const domain = [lo / 1.08, hi * 1.08];
  return { label: `${label}, log scale`, type: 'log', domain, ticks: logTicks(domain, most), tickFormat: short };
}

// axis is the ticks of a scale. On a logarithmic one Plot would leave out the text of ticks that are far from a power of ten.
const axis = (s) => s.type === 'log' && Array.isArray(s.ticks) ? { ticks: s.ticks, text: (t) => s.tickFormat(t) } : { ticks: s.ticks, tickFormat: s.tickFormat };

// plot draws with the axes of x and y as their scales say.
function plot(options) {
  const one = (s) => ({ ...axis(s), label: s.label ?? null, labelAnchor: s.labelAnchor, labelArrow: 'none', tickSize: s.tickSize ?? 6 });
  const axes = [];
  if (options.x.ticks && options.x.axis !== null) axes.push(Plot.axisX(one(options.x)));
  if (options.y.ticks && options.y.axis !== null) axes.push(Plot.axisY(one(options.y)));
  const quiet = (s) => s.ticks ? { ...s, axis: null } : s;
  const drawing = Plot.plot({ ...options, x: quiet(options.x), y: quiet(options.y), marks: [...axes, ...options.marks] });
  for (const g of drawing.querySelectorAll('[aria-label]')) g.removeAttribute('aria-label'); // the picture is one image, named by its element
  return drawing;
}

// axes of time stand above and below a tall picture; the label stands above.
const axesX = (x) => [
  Plot.axisX({ ...axis(x), anchor: 'top', label: x.label, labelAnchor: 'right', labelOffset: 36, labelArrow: 'none' }),
  Plot.axisX({ ...axis(x), anchor: 'bottom', label: null }),
  Plot.gridX({ stroke: 'var(--rule)', strokeOpacity: 0.8, ticks: x.ticks }),
];

const narrow = () => document.documentElement.clientWidth < 640;
const widthOf = (el) => Math.max(240, Math.floor(el.clientWidth || 700));

// panel adds a small picture with a heading to a grid of them.
function panel(parent, title) {
  const el = document.createElement('div');
  el.className = 'panel';
  if (title) el.appendChild(document.createElement('h4')).textContent = title;
  parent.appendChild(el);
  return el;
}

function nothing(el, why) {
  const p = document.createElement('p');
  p.className = 'absent';
  p.textContent = why || 'None of the arms that are shown has figures for this picture.';
  el.replaceChildren(p);
}

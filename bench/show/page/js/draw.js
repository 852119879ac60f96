// What the pictures of all pages share: numbers, ticks, axes, panels.
const $ = (id) => document.getElementById(id);

function number(x) {
  if (x === null || x === undefined) return '-';
  const a = Math.abs(x);
  return a >= 1000 ? x.toFixed(0) : a >= 100 ? x.toFixed(1) : x.toFixed(2);
}
// short formats a number of an axis.
const short = (x) => x >= 1000 ? d3.format('.3~s')(x) : d3.format('.4~r')(x);
const kib = (x) => x >= 1024 ? `${d3.format('.3~r')(x / 1024)} MiB` : `${d3.format('.3~r')(x)} KiB`;

// logTicks returns ticks such as 1, 2 and 5 of each decade, but not more than most.
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

// timeScale returns the scale of an axis of times. A logarithmic scale ends with a tick, if one is near.
function timeScale(c, values, label, most) {
  const lo = d3.min(values), hi = d3.max(values);
  if (!c.log || !(lo > 0)) return { label, domain: [0, hi * 1.02], ticks: most, tickFormat: short };
  const next = [1, 2, 3, 5, 7, 10].map((s) => s * 10 ** Math.floor(Math.log10(hi))).find((t) => t >= hi);
  const domain = [lo / 1.08, Math.min(hi * 1.5, next * 1.02)], ticks = logTicks(domain, most);
  if (ticks.at(-1) < hi / 1.4) ticks.push(next); // else the largest values would lie far beyond the last tick
  return { label: `${label}, log scale`, type: 'log', domain: [domain[0], Math.max(domain[1], ticks.at(-1) * 1.02)], ticks, tickFormat: short };
}

// axis returns the ticks of a scale. On a logarithmic scale Plot would label only ticks near a power of ten.
const axis = (s) => s.type === 'log' && Array.isArray(s.ticks) ? { ticks: s.ticks, text: (t) => s.tickFormat(t) } : { ticks: s.ticks, tickFormat: s.tickFormat };

// plot draws a picture, with the axes that the scales of x and y ask for.
function plot(options) {
  const one = (s) => ({ ...axis(s), label: s.label ?? null, labelAnchor: s.labelAnchor, labelArrow: 'none', tickSize: s.tickSize ?? 6 });
  const axes = [];
  if (options.x.ticks && options.x.axis !== null) axes.push(Plot.axisX(one(options.x)));
  if (options.y.ticks && options.y.axis !== null) axes.push(Plot.axisY(one(options.y)));
  const quiet = (s) => s.ticks ? { ...s, axis: null } : s;
  const drawing = Plot.plot({ ...options, x: quiet(options.x), y: quiet(options.y), marks: [...axes, ...options.marks] });
  for (const g of drawing.querySelectorAll('[aria-label]')) g.removeAttribute('aria-label'); // to a screen reader the picture is one image, and its element has the name
  return drawing;
}

// axesX returns axes of time above and below a tall picture, and a grid. The label is above.
const axesX = (x) => [
  Plot.axisX({ ...axis(x), anchor: 'top', label: x.label, labelAnchor: 'right', labelOffset: 36, labelArrow: 'none' }),
  Plot.axisX({ ...axis(x), anchor: 'bottom', label: null }),
  Plot.gridX({ stroke: 'var(--rule)', strokeOpacity: 0.8, ticks: x.ticks }),
];

const narrow = () => document.documentElement.clientWidth < 640;
const widthOf = (el) => Math.max(240, Math.floor(el.clientWidth || 700));

// panel adds a box with a heading, for one of several small pictures.
function panel(parent, title) {
  const el = document.createElement('div');
  el.className = 'panel';
  if (title) el.appendChild(document.createElement('h3')).textContent = title;
  parent.appendChild(el);
  return el;
}

function nothing(el, why) {
  const p = document.createElement('p');
  p.className = 'absent';
  p.textContent = why || 'The arms that are shown have no figures for this picture.';
  el.replaceChildren(p);
}

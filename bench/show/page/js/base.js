// The data, the choice of arms, and what the pictures of a report share.
const data = JSON.parse(document.getElementById('data').textContent);
const arms = data.arms;
const form = document.querySelector('#filters form');

const packages = ['zip', 'image', 'image-minimal'];
const colours = { zip: 'var(--zip)', image: 'var(--image)', 'image-minimal': 'var(--minimal)' };
const symbols = { zip: 'circle', image: 'square', 'image-minimal': 'triangle' };
const colour = (a) => colours[a.package] || 'var(--other)';
const symbol = (a) => symbols[a.package] || 'diamond';
const memory = (a) => a.memory_size_mb ?? 0;
const memories = [...new Set(arms.map(memory))].sort((a, b) => a - b);
const dashes = ['none', '5 2', '2 2', '8 2 2 2', '1 3', '10 3'];
const dash = (a) => dashes[memories.indexOf(memory(a)) % dashes.length];

// chosen returns the state of the form. A property without filters excludes no arm.
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
      (!by.memory || by.memory.has(String(memory(a)))) && (!by.source || by.source.has(a.source))),
  };
}

// timed returns the chosen arms that have cold starts by the chosen clock, fastest median first.
const timed = (c) => c.clock ? c.arms.filter((a) => a.spread[c.clock.id]).sort((a, b) => a.spread[c.clock.id].p50_ms - b.spread[c.clock.id].p50_ms) : [];
const bootstrapsOf = (list) => [...new Set(list.map((a) => a.bootstrap))];

// dots returns the single cold starts of an arm by a clock: {arm, round, ms}.
function dots(a, clock) {
  return a.dots.map((d) => ({ arm: a, round: d.round ?? 0, ms: clock.id === 'init' ? d.init_ms : clock.id === 'total' ? d.init_ms + d.first_ms : d.wait_ms ?? null })).filter((p) => p.ms !== null);
}

// where names the source on every axis of time, so that nobody takes a lab figure for an AWS figure.
function where(list) {
  const sources = new Set(list.map((a) => a.source));
  return sources.has('lab') ? (sources.size > 1 ? 'lab and AWS' : 'lab, not AWS') : 'AWS';
}
const timeLabel = (c, list) => `${c.clock.name}, ms (${where(list)})`;


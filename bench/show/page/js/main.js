// The filters. The page's address holds every choice that differs from the page as it opens, so that a view can be shared.

// addFilters adds a box for each value of a property in which arms differ.
function addFilters() {
  const rank = (v) => packages.includes(v) ? packages.indexOf(v) : packages.length;
  const element = (tag, properties) => Object.assign(document.createElement(tag), properties);
  for (const [name, legend, of] of [['source', 'Source', (a) => a.source], ['memory', 'Memory, MB', (a) => String(memory(a))],
    ['package', 'Package', (a) => a.package || 'unknown'], ['bootstrap', 'Bootstrap', (a) => a.bootstrap]]) {
    const values = [...new Set(arms.map(of))].sort((x, y) => rank(x) - rank(y) || x - y || (x < y ? -1 : 1));
    if (values.length < 2) continue;
    const set = element('fieldset');
    set.append(element('legend', { textContent: legend }), ...values.map((value) => {
      const chip = element('label', { className: 'chip' });
      chip.append(element('input', { type: 'checkbox', name, value, defaultChecked: true }), element('span', { textContent: value }));
      return chip;
    }));
    form.prepend(set);
  }
}

function filterTables(c) {
  const shown = new Set(c.arms.map((a) => arms.indexOf(a)));
  for (const tr of document.querySelectorAll('tr[data-arm]')) tr.hidden = !shown.has(Number(tr.dataset.arm));
  for (const t of document.querySelectorAll('[data-clock]')) {
    t.hidden = c.clock && t.dataset.clock !== c.clock.id;
    if (t.nextElementSibling?.matches('.copy')) t.nextElementSibling.hidden = t.hidden;
  }
  $('shown').textContent = `${c.arms.length} of ${arms.length} arms`;
}

// firstScale opens the page with a logarithmic axis if times spread over about a decade, because a linear axis would be unreadable.
function firstScale() {
  const init = arms.map((a) => a.spread[data.clocks[0]?.id]).filter(Boolean);
  const wide = init.length && d3.max(init, (s) => s.p90_ms) > 8 * d3.min(init, (s) => s.p10_ms);
  const input = form.querySelector(`input[name="scale"][value="${wide ? 'log' : 'linear'}"]`);
  input.checked = input.defaultChecked = true;
  if (wide) form.querySelector('input[name="scale"][value="linear"]').defaultChecked = false;
}

const differing = () => [...form.elements].filter((e) => e.name && e.checked !== e.defaultChecked);

// toAddress writes the choices into the address, as name=value of each input. A value begins with "!" if its box was unchecked.
function toAddress() {
  const view = differing().filter((e) => e.type !== 'radio' || e.checked).map((e) => `${e.name}=${e.checked ? '' : '!'}${encodeURIComponent(e.value)}`).join('&');
  if (view || location.hash) history.replaceState(null, '', `#${view}`);
}

function fromAddress() {
  for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
    const input = [...form.elements].find((e) => e.name === name && e.value === value.replace(/^!/, ''));
    if (input) input.checked = !value.startsWith('!');
  }
  if (differing().some((e) => e.name !== 'scale')) $('filters').open = true;
}

$('filters').hidden = arms.length < 2;
addFilters();
firstScale();
fromAddress();
const redraw = pictures({
  hero: drawHero, spread: drawSpread, curve: drawCurve, 'cold-warm': drawColdWarm, phases: drawPhases, grid: drawGrid, sizes: drawSizes, course: drawCourse,
  load: drawLoad, memory: drawMemory, 'memory-cost': drawMemoryCost, 'share-cost': drawShareCost,
}, chosen);
const changed = () => { filterTables(chosen()); toAddress(); redraw(); };
filterTables(chosen());
form.addEventListener('change', changed);
form.addEventListener('reset', () => setTimeout(changed));
form.addEventListener('submit', (e) => e.preventDefault());

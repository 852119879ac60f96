// Filters, and what of them the address holds, so that a view can be shared.
function filterTables(c) {
  const shown = new Set(c.arms.map((a) => arms.indexOf(a)));
  for (const tr of document.querySelectorAll('tr[data-arm]')) tr.hidden = !shown.has(Number(tr.dataset.arm));
  for (const t of document.querySelectorAll('[data-clock]')) {
    t.hidden = c.clock && t.dataset.clock !== c.clock.id;
    if (t.nextElementSibling?.matches('.copy')) t.nextElementSibling.hidden = t.hidden;
  }
  $('shown').textContent = `${c.arms.length} of ${arms.length} arms`;
}

// A spread of a decade or more cannot be read on a linear axis: there the page opens with the other one.
function firstScale() {
  const init = arms.map((a) => a.spread[data.clocks[0]?.id]).filter(Boolean);
  const wide = init.length && d3.max(init, (s) => s.p90_ms) > 8 * d3.min(init, (s) => s.p10_ms);
  const input = form.querySelector(`input[name="scale"][value="${wide ? 'log' : 'linear'}"]`);
  input.checked = input.defaultChecked = true;
  if (wide) form.querySelector('input[name="scale"][value="linear"]').defaultChecked = false;
}

const differing = () => [...form.elements].filter((e) => e.name && e.checked !== e.defaultChecked);

// toAddress notes what is not as the page opens: boxes by name and value, "!" for what was taken out.
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

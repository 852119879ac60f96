// Drawing and filters.
const draw = {
  hero: drawHero, spread: drawSpread, curve: drawCurve, 'cold-warm': drawColdWarm, phases: drawPhases, grid: drawGrid, sizes: drawSizes, predicted: drawPredicted, effects: drawEffects, course: drawCourse,
  memory: drawMemory, 'memory-cost': drawMemoryCost, 'share-cost': drawShareCost,
};

// turn lets go of a drawing that a later choice has overtaken.
let turn = 0;

// drawAll draws one picture after the other and lets the page answer in between.
async function drawAll() {
  const mine = ++turn, c = chosen();
  delete document.documentElement.dataset.drawn;
  filterTables(c);
  for (const [id, f] of Object.entries(draw)) {
    if (!$(`plot-${id}`)) continue; // the page says why
    try {
      f(c);
    } catch (e) { // one picture that cannot be drawn must not cost the others
      nothing($(`plot-${id}`), `This picture could not be drawn (${e.message}); the table holds its figures.`);
      console.error(e);
    }
    await new Promise((done) => setTimeout(done));
    if (mine !== turn) return;
  }
  document.documentElement.dataset.drawn = 'true';
  performance.mark('drawn');
}

function filterTables(c) {
  const shown = new Set(c.arms.map((a) => arms.indexOf(a)));
  for (const tr of document.querySelectorAll('tr[data-arm]')) tr.hidden = !shown.has(Number(tr.dataset.arm));
  for (const t of document.querySelectorAll('[data-clock]')) t.hidden = c.clock && t.dataset.clock !== c.clock.id;
  $('shown').textContent = `${c.arms.length} of ${arms.length} arms`;
}

// A spread of a decade or more cannot be read on a linear axis: there the page opens with the other one.
function firstScale() {
  const init = arms.map((a) => a.spread[data.clocks[0]?.id]).filter(Boolean);
  const wide = init.length && d3.max(init, (s) => s.p90) > 8 * d3.min(init, (s) => s.p10);
  const input = form.querySelector(`input[name="scale"][value="${wide ? 'log' : 'linear'}"]`);
  input.checked = input.defaultChecked = true;
  if (wide) form.querySelector('input[name="scale"][value="linear"]').defaultChecked = false;
}

$('filters').hidden = false;
if (narrow()) $('filters').open = false;
firstScale();
theme();
printing();
form.addEventListener('change', drawAll);
form.addEventListener('reset', () => setTimeout(drawAll));
form.addEventListener('submit', (e) => e.preventDefault());
onWidth(drawAll);
drawAll();

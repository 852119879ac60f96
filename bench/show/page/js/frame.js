// Theme, printing, resizing.
function theme() {
  const button = $('theme'), root = document.documentElement, system = matchMedia('(prefers-color-scheme: dark)');
  const dark = () => root.dataset.theme ? root.dataset.theme === 'dark' : system.matches;
  const name = () => { button.textContent = dark() ? 'Light theme' : 'Dark theme'; };
  button.hidden = false;
  button.addEventListener('click', () => { root.dataset.theme = dark() ? 'light' : 'dark'; name(); });
  system.addEventListener('change', name);
  name();
}

// pictures draws the page's pictures, with a function for each element. It first draws the pictures that can be seen. It draws each other
// picture when its part is opened, or before printing. It returns a function that draws all pictures again.
function pictures(functions, state = () => undefined) {
  const stale = new Set();
  const draw = (id) => {
    stale.delete(id);
    try {
      functions[id](state());
    } catch (e) { // if one picture cannot be drawn, the others still are
      nothing($(`plot-${id}`), `This picture could not be drawn (${e.message}); the table holds its figures.`);
      console.error(e);
    }
  };
  const seen = (id) => !$(`plot-${id}`).closest('details:not([open])');
  let turn = 0; // a later call stops an earlier one
  const pending = async () => {
    const mine = ++turn;
    delete document.documentElement.dataset.drawn;
    for (const id of [...stale].filter(seen)) { // between two pictures the page reacts to clicks
      draw(id);
      await new Promise((done) => setTimeout(done));
      if (mine !== turn) return;
    }
    document.documentElement.dataset.drawn = 'true';
    performance.mark('drawn');
  };
  const all = () => {
    for (const id of Object.keys(functions)) if ($(`plot-${id}`)) stale.add(id);
    return pending();
  };
  document.addEventListener('toggle', (e) => { if (e.target.open && stale.size) pending(); }, true);
  let closed = [];
  addEventListener('beforeprint', () => {
    closed = [...document.querySelectorAll('details:not([open])')];
    for (const d of closed) d.open = true;
    for (const id of [...stale]) draw(id);
  });
  addEventListener('afterprint', () => { for (const d of closed) d.open = false; });
  let last = document.documentElement.clientWidth, waiting;
  addEventListener('resize', () => {
    if (document.documentElement.clientWidth === last || matchMedia('print').matches) return; // printing keeps the pictures
    clearTimeout(waiting);
    waiting = setTimeout(() => { last = document.documentElement.clientWidth; all(); }, 150);
  });
  theme();
  tables();
  all();
  return all;
}


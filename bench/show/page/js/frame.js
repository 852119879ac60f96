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

// On paper every table is open.
function printing() {
  let closed = [];
  addEventListener('beforeprint', () => {
    closed = [...document.querySelectorAll('details:not([open])')];
    for (const d of closed) d.open = true;
  });
  addEventListener('afterprint', () => { for (const d of closed) d.open = false; });
}

// onWidth calls draw when the window has got another width; a picture of a page being printed stays.
function onWidth(draw) {
  let last = document.documentElement.clientWidth, waiting;
  addEventListener('resize', () => {
    if (document.documentElement.clientWidth === last || matchMedia('print').matches) return;
    clearTimeout(waiting);
    waiting = setTimeout(() => { last = document.documentElement.clientWidth; draw(); }, 150);
  });
}


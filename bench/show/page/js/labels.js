// Legends, and labels that do not cover each other.

const svg = (inner, w = 22, h = 12) => `<svg width="${w}" height="${h}" viewBox="0 0 ${w} ${h}" aria-hidden="true">${inner}</svg>`;
const marks = {
  circle: (f) => `<circle cx="6" cy="6" r="4.5" fill="${f}"/>`,
  square: (f) => `<rect x="2" y="2" width="8" height="8" fill="${f}"/>`,
  triangle: (f) => `<path d="M6 1L11 10H1Z" fill="${f}"/>`,
  diamond: (f) => `<path d="M6 1L11 6L6 11L1 6Z" fill="${f}"/>`,
};

const legend = (id, items) => fillKeys($(`legend-${id}`), items);

// keys returns the legend of one panel.
function keys(items) {
  const el = document.createElement('div');
  el.className = 'legend';
  el.setAttribute('aria-hidden', 'true');
  return fillKeys(el, items);
}

function fillKeys(el, items) {
  el.replaceChildren(...items.map(([mark, text]) => {
    const span = document.createElement('span');
    span.innerHTML = mark; // only markup of these scripts; text from records is appended as text
    span.append(text);
    return span;
  }));
  return el;
}

// packageItems returns a legend of the arms' kinds of package. If lines is set, the legend has their memory sizes, too.
function packageItems(list, lines) {
  const kinds = [...new Set(list.map((a) => a.package))].sort((a, b) => packages.indexOf(a) - packages.indexOf(b));
  const items = kinds.map((k) => {
    const a = { package: k };
    return [lines ? svg(`<path d="M0 6H22" stroke="${colour(a)}" stroke-width="2.5"/>`) : svg(marks[symbol(a)](colour(a)), 12), k || 'unknown package'];
  });
  const sizes = [...new Set(list.map(memory))].sort((a, b) => a - b);
  if (lines && sizes.length > 1) {
    for (const m of sizes) items.push([svg(`<path d="M0 6H22" stroke="currentColor" stroke-width="1.5" stroke-dasharray="${dash({ memory_size_mb: m })}"/>`), `${m} MB`]);
  }
  return items;
}

// place puts labels beside points, so that they cover neither points nor each other. A label without room is left out.
function place(points, left, width, height, textOf) {
  const taken = points.map((p) => [p.px - 5, p.py - 5, p.px + 5, p.py + 5]);
  const free = (b) => b[0] >= left && b[2] <= width && b[1] >= 0 && b[3] <= height && !taken.some((t) => b[0] < t[2] && b[2] > t[0] && b[1] < t[3] && b[3] > t[1]);
  const out = [];
  for (const p of points) {
    const text = textOf(p), w = text.length * 6.2 + 2;
    for (const [dx, dy, anchor] of [[8, 0, 'start'], [-8, 0, 'end'], [0, -12, 'middle'], [0, 12, 'middle'], [8, -11, 'start'], [8, 11, 'start'], [-8, -11, 'end'], [-8, 11, 'end']]) {
      const x = p.px + dx - (anchor === 'end' ? w : anchor === 'middle' ? w / 2 : 0);
      const box = [x, p.py + dy - 6, x + w, p.py + dy + 6];
      if (!free(box)) continue;
      taken.push(box);
      out.push({ ...p, text, dx, dy, anchor });
      break;
    }
  }
  return out;
}

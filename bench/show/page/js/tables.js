// Tables: a click on a head sorts a table; a button copies it as CSV.
function tables() {
  for (const table of document.querySelectorAll('main table')) {
    if (table.tBodies[0].rows.length > 1) [...table.tHead.rows[0].cells].forEach((th, column) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'sort';
      button.append(...th.childNodes);
      th.append(button);
      button.addEventListener('click', () => sort(table, th, column));
    });
    if (!navigator.clipboard) continue; // the page came from a server without TLS
    const copy = document.createElement('button');
    copy.type = 'button';
    copy.className = 'copy';
    copy.textContent = 'Copy as CSV';
    copy.addEventListener('click', async () => {
      try {
        await navigator.clipboard.writeText(csv(table));
        copy.textContent = 'Copied';
      } catch {
        copy.textContent = 'Copying is not allowed here';
      }
      setTimeout(() => { copy.textContent = 'Copy as CSV'; }, 1500);
    });
    table.closest('.scroll').after(copy);
  }
}

// sort sorts upwards at the first click, and reverses the order at each further click. Empty cells stay at the end.
function sort(table, th, column) {
  const up = th.ariaSort !== 'ascending', body = table.tBodies[0];
  const rows = [...body.rows].map((tr) => {
    const text = tr.cells[column]?.textContent.trim() ?? '', figure = /^[~<>+]*\s*(-?[\d.]+)/.exec(text);
    return { tr, text, figure: column && figure ? Number(figure[1]) : null, none: text === '' || text === '-' };
  });
  const figures = rows.some((r) => r.figure !== null);
  rows.sort((a, b) => a.none - b.none || (figures ? (a.figure ?? Infinity) - (b.figure ?? Infinity) : a.text.localeCompare(b.text, 'en', { numeric: true })) * (up ? 1 : -1));
  body.append(...rows.map((r) => r.tr));
  for (const other of table.tHead.rows[0].cells) other.ariaSort = other === th ? (up ? 'ascending' : 'descending') : null;
}

// csv returns the rows that are shown, in their order.
function csv(table) {
  const quoted = (cell) => { const text = cell.textContent.trim().replace(/\s+/g, ' '); return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text; };
  return [...table.rows].filter((tr) => !tr.hidden).map((tr) => [...tr.cells].map(quoted).join(',')).join('\n') + '\n';
}


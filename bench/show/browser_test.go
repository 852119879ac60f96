package show

import (
	"context"
	"encoding/csv"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/tools/pagetest"
)

// open opens a report.
func open(t *testing.T, browser context.Context, rep *report.Report, width int64, scheme string) *tab {
	t.Helper()
	return &tab{pagetest.Open(t, browser, []byte(drawHTML(t, rep)), width, scheme)}
}

// tab is a report's page.
type tab struct{ *pagetest.Tab }

func eval[T any](p *tab, script string) T { return pagetest.Eval[T](p.Tab, script) }

// choose clicks a control of the filters and waits for the pictures.
func (p *tab) choose(name, value string) {
	p.Run(fmt.Sprintf(`document.querySelector('#filters').open = true; document.querySelector('input[name="%s"][value="%s"]').click()`, name, value))
	p.Drawn()
}

// openAll opens all closed parts of the page, and waits for their pictures.
func (p *tab) openAll() {
	p.Run(`for (const d of document.querySelectorAll('details:not([open])')) d.open = true`)
	p.Until(`[...document.querySelectorAll('.plot')].every((e) => e.firstChild) && document.documentElement.dataset.drawn === 'true'`)
}

const shownRows = `[...document.querySelectorAll('#table-init tbody tr')].filter((r) => !r.hidden).length`

// TestInABrowser opens one browser, and shares one page between most of its parts, because both take seconds to open.
func TestInABrowser(t *testing.T) {
	browser := pagetest.Chromium(t)
	usual := packaging(t)
	t.Run("widths and themes", func(t *testing.T) { widthsAndThemes(t, browser) })
	t.Run("a hundred thousand records", func(t *testing.T) { aHundredThousandRecords(t, browser) })
	t.Run("load", func(t *testing.T) { loadInABrowser(t, browser) })
	page := open(t, browser, usual, 1440, "light")

	t.Run("filters", func(t *testing.T) {
		p := page
		p.For(t)
		all := len(usual.Arms)
		if n := eval[int](p, shownRows); n != all {
			t.Fatalf("%d rows of %d arms", n, all)
		}
		before := eval[int](p, `document.querySelectorAll('#plot-spread circle').length`)
		p.choose("package", "image")
		if n, want := eval[int](p, shownRows), 15; n != want {
			t.Errorf("without images: %d rows, want %d", n, want)
		}
		if s := eval[string](p, `document.getElementById('shown').textContent`); s != "15 of 23 arms" {
			t.Errorf("without images the page says %q", s)
		}
		if n := eval[int](p, `document.querySelectorAll('#plot-spread circle').length`); n >= before || n == 0 {
			t.Errorf("without images: %d points, want fewer than the %d before, and more than 0", n, before)
		}
		p.choose("bootstrap", "rawtcp")
		if n := eval[int](p, shownRows); n != 13 {
			t.Errorf("without rawtcp: %d rows, want 13", n)
		}
		for _, k := range []string{"zip", "image-minimal"} {
			p.choose("package", k)
		}
		if n := eval[int](p, `document.querySelectorAll('#plot-spread .absent').length`); n != 1 {
			t.Error("no arm is left and the picture does not say so")
		}
		p.Run(`document.querySelector('#filters button[type=reset]').click()`)
		p.Until(shownRows + " === 23")
		p.Drawn()
		p.choose("clock", "wait")
		if s := eval[string](p, `[...document.querySelectorAll('#spread .scroll')].filter((e) => !e.hidden).map((e) => e.querySelector('table').id).join()`); s != "table-spread-wait" {
			t.Errorf("tables of the caller's wait: %s", s)
		}
		p.choose("scale", "log")
		p.Run(`document.querySelector('#filters button[type=reset]').click()`)
		p.Until(shownRows + " === 23")
	})

	t.Run("a view can be shared", func(t *testing.T) {
		p := page
		p.For(t)
		p.choose("package", "image")
		if s := eval[string](p, `location.hash`); s != "#package=!image" {
			t.Errorf("the address holds %q", s)
		}
		p.Do(chromedp.Reload())
		p.Until(shownRows + " === 15")
		p.Drawn()
		p.choose("package", "image")
		if s := eval[string](p, `location.hash + document.querySelectorAll('#filters input:not(:checked)[type=checkbox]').length`); s != "0" {
			t.Errorf("after the filter was undone, the rest of the address and the number of closed filters are %q, want 0", s)
		}
	})

	t.Run("tables are sorted and copied", func(t *testing.T) {
		p := page
		p.For(t)
		first := func() string {
			return eval[string](p, `document.querySelector('#table-init tbody tr').textContent.trim()`)
		}
		click := func(column int) {
			p.Run(fmt.Sprintf(`document.querySelectorAll('#table-init thead button')[%d].click()`, column))
		}
		was := first()
		click(11) // max
		slow := eval[[]float64](p, `[...document.querySelectorAll('#table-init tbody tr')].map((r) => Number(r.cells[11].textContent))`)
		if !slices.IsSorted(slow) || len(slow) != 23 {
			t.Errorf("sorted by max: %v", slow)
		}
		click(11)
		if s := eval[string](p, `document.querySelectorAll('#table-init thead th')[11].ariaSort`); s != "descending" || first() == was {
			t.Errorf("sorted again: %s, %s", s, first())
		}
		p.Run(`Object.defineProperty(navigator, 'clipboard', { value: { writeText: async (text) => { window.copied = text; } } }); document.querySelector('#init button.copy').click()`)
		rows, err := csv.NewReader(strings.NewReader(eval[string](p, `window.copied`))).ReadAll()
		if err != nil || len(rows) != 24 || rows[0][5] != "p50 [95 % CI]" {
			t.Errorf("copied: %v, %d rows", err, len(rows))
		}
	})

	t.Run("keyboard", func(t *testing.T) {
		p := page
		p.For(t)
		p.Do(chromedp.Focus(chromedp.CSS(`#filters input[name="package"][value="zip"]`), chromedp.NodeReady), chromedp.KeyEvent(" "))
		p.Until(shownRows + " === 15")
		if !eval[bool](p, `[...document.querySelectorAll('.scroll, summary, a, button, input')].every((e) => e.tabIndex >= 0)`) {
			t.Error("something cannot be reached by keyboard")
		}
	})

	t.Run("themes", func(t *testing.T) {
		p := open(t, browser, usual, 1440, "dark")
		background := func() string { return eval[string](p, `getComputedStyle(document.body).backgroundColor`) }
		if b := background(); b != "rgb(20, 23, 27)" {
			t.Errorf("the dark theme's background is %s", b)
		}
		p.Do(chromedp.Click(chromedp.ID("theme")))
		if b := background(); b != "rgb(255, 255, 255)" {
			t.Errorf("after a click on the theme button the background is %s", b)
		}
	})

	t.Run("paper", func(t *testing.T) {
		p := page
		p.For(t)
		p.Run(`addEventListener('beforeprint', () => { window.closedOnPaper = document.querySelectorAll('details:not([open])').length + [...document.querySelectorAll('.plot')].filter((e) => !e.querySelector('svg')).length; })`)
		data, err := chromedp.Run(p, chromedp.PrintToPDF(chromedp.PDFPrintBackground(), chromedp.PDFPaper(chromedp.PaperA4)))
		if err != nil || len(data) < 10_000 {
			t.Errorf("%d bytes of PDF, %v", len(data), err)
		}
		if n := eval[int](p, `window.closedOnPaper ?? -1`); n != 0 {
			t.Errorf("on paper, %d parts are closed or have no picture", n)
		}
	})

	t.Run("nothing but warm samples, text that looks like markup", func(t *testing.T) {
		p := open(t, browser, least(t), 360, "light")
		if s := eval[string](p, `document.querySelector('main > .absent').textContent`); !strings.Contains(s, "Cold starts of each arm (no cold start was measured)") || strings.Count(s, "(") < 5 {
			t.Errorf("the list of parts that are not shown: %s", s)
		}
	})

	t.Run("sources side by side", func(t *testing.T) {
		rep := mixed(t)
		p := open(t, browser, rep, 1440, "light")
		p.choose("source", "aws")
		if s := eval[string](p, `document.querySelector('#plot-spread').textContent`); !strings.Contains(s, "lab, not AWS") {
			t.Error("an axis of lab figures does not say so")
		}
	})
}

// mixed returns one report of lab and AWS records.
func mixed(t *testing.T) *report.Report {
	t.Helper()
	var records strings.Builder
	for i := range 24 {
		for _, s := range []record.Source{record.Lab, record.AWS} {
			fmt.Fprintf(&records, `{"schema":1,"source":"%s","arm":"rawtcp/zip","bootstrap":"rawtcp","package":"zip","memorySizeMB":1024,"start":"cold","round":%d,`+
				`"initDurationMs":%d.5,"durationMs":2,"clientDurationMs":40,"requestId":"%[1]s%[2]d"}`+"\n", s, i+1, 20+i%7)
		}
	}
	rep, err := report.Stream(strings.NewReader(records.String()), "test", report.Options{MixSources: true})
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// widthsAndThemes opens a page as wide as a telephone, a tablet and a desktop. Nothing is wider than the window, every
// picture is drawn and has its table, and axe-core finds no fault. The dark theme changes only contrasts, so axe-core
// checks only those there.
func widthsAndThemes(t *testing.T, browser context.Context) {
	const contrasts = "runOnly: ['color-contrast'],"
	for _, c := range []struct {
		width  int64
		scheme string
		axe    bool
		only   string
	}{{360, "light", true, ""}, {768, "light", false, ""}, {1440, "light", true, ""}, {1440, "dark", true, contrasts}} {
		p := open(t, browser, few(t), c.width, c.scheme)
		if n := eval[int](p, `document.querySelectorAll('main > section').length`); n < 5 || n > 6 {
			t.Errorf("%d px: %d sections are open, want 5 or 6", c.width, n)
		}
		p.openAll()
		bad := eval[[]string](p, `[...document.querySelectorAll('.plot')].filter((e) => e.id !== 'plot-hero').map((e) => e.closest('section, details.part')).filter((e) =>
			!e.querySelector('.plot svg') || !e.querySelector('table tbody tr') || !e.querySelector('h2')).map((e) => e.id)`)
		if len(bad) > 0 {
			t.Errorf("%d px, %s: parts without a picture, a table or a heading: %v", c.width, c.scheme, bad)
		}
		if n := eval[int](p, `document.querySelectorAll('.plot svg').length`); n < 15 {
			t.Errorf("%d px, %s: %d pictures, want 15 or more", c.width, c.scheme, n)
		}
		if wider := p.Wider(); len(wider) > 0 {
			t.Errorf("wider than the window of %d px: %v", c.width, wider)
		}
		if bad := eval[[]string](p, `[...document.querySelectorAll('.plot svg[class]')].filter((s) => s.getBoundingClientRect().right > innerWidth + 1).map((s) => s.closest('.plot').id)`); len(bad) > 0 {
			t.Errorf("pictures wider than %d px: %v", c.width, bad)
		}
		if c.axe {
			for _, v := range p.Axe(filepath.Join("..", ".."), c.only) {
				t.Errorf("%d px, %s: %s", c.width, c.scheme, v)
			}
		}
	}
}

// aHundredThousandRecords checks the size and the text of such a page. It only logs how long the page takes.
func aHundredThousandRecords(t *testing.T, browser context.Context) {
	rep := many(t)
	if rep.Records < 100_000 {
		t.Fatalf("%d records", rep.Records)
	}
	html := drawHTML(t, rep)
	if len(html) > 1_500_000 {
		t.Errorf("the page has %d bytes, want at most 1,500,000", len(html))
	}
	if !strings.Contains(html, "Points are a random choice of at most 160 cold starts of an arm") {
		t.Error("the page does not say that it shows a random choice of points")
	}
	p := open(t, browser, rep, 1440, "light")
	timing := eval[map[string]float64](p, `({drawn: performance.getEntriesByName('drawn')[0].startTime, interactive: performance.getEntriesByType('navigation')[0].domInteractive})`)
	t.Logf("%d records, %d bytes: interactive after %.0f ms, all pictures drawn after %.0f ms", rep.Records, len(html), timing["interactive"], timing["drawn"])
}

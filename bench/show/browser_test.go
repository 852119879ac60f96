package show

import (
	"context"
	"fmt"
	"path/filepath"
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

const shownRows = `[...document.querySelectorAll('#table-init tbody tr')].filter((r) => !r.hidden).length`

// TestInABrowser has one browser for all pages, and one page for all that can be seen on it: both take seconds to start.
func TestInABrowser(t *testing.T) {
	browser := pagetest.Chromium(t)
	usual := packaging(t)
	t.Run("widths and themes", func(t *testing.T) { widthsAndThemes(t, browser) })
	t.Run("a hundred thousand records", func(t *testing.T) { aHundredThousandRecords(t, browser) })
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
			t.Error(s)
		}
		if n := eval[int](p, `document.querySelectorAll('#plot-spread circle').length`); n >= before || n == 0 {
			t.Errorf("%d points, %d before", n, before)
		}
		p.choose("bootstrap", "rawtcp")
		if n := eval[int](p, shownRows); n != 13 {
			t.Errorf("without rawtcp: %d rows", n)
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
		if s := eval[string](p, `[...document.querySelectorAll('#fig-spread .scroll')].filter((e) => !e.hidden).map((e) => e.querySelector('table').id).join()`); s != "table-spread-wait" {
			t.Errorf("tables of the caller's wait: %s", s)
		}
		p.choose("scale", "log")
		p.Run(`document.querySelector('#filters button[type=reset]').click()`)
		p.Until(shownRows + " === 23")
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
			t.Errorf("dark: %s", b)
		}
		p.Do(chromedp.Click(chromedp.ID("theme")))
		if b := background(); b != "rgb(255, 255, 255)" {
			t.Errorf("the button: %s", b)
		}
	})

	t.Run("paper", func(t *testing.T) {
		p := page
		p.For(t)
		p.Run(`addEventListener('beforeprint', () => { window.closedOnPaper = document.querySelectorAll('details:not([open])').length; })`)
		data, err := chromedp.Run(p, chromedp.PrintToPDF(chromedp.PDFPrintBackground(), chromedp.PDFPaper(chromedp.PaperA4)))
		if err != nil || len(data) < 10_000 {
			t.Errorf("%d bytes of PDF, %v", len(data), err)
		}
		if n := eval[int](p, `window.closedOnPaper ?? -1`); n != 0 {
			t.Errorf("%d tables are closed on paper", n)
		}
	})

	t.Run("nothing but warm samples, text that looks like markup", func(t *testing.T) {
		p := open(t, browser, least(t), 360, "light")
		if n := eval[int](p, `document.querySelectorAll('figure .absent').length`); n < 5 {
			t.Errorf("%d pictures say why they are absent", n)
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

// mixed is lab and AWS in one report.
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

// widthsAndThemes looks at a telephone, a tablet and a desktop: nothing is wider than the window, every picture is drawn and has its table, and
// axe-core's rules hold; what a theme can change is its contrasts.
func widthsAndThemes(t *testing.T, browser context.Context) {
	const contrasts = "runOnly: ['color-contrast'],"
	for _, c := range []struct {
		width  int64
		scheme string
		axe    bool
		only   string
	}{{360, "light", true, ""}, {768, "light", false, ""}, {1440, "light", true, ""}, {1440, "dark", true, contrasts}} {
		p := open(t, browser, few(t), c.width, c.scheme)
		bad := eval[[]string](p, `[...document.querySelectorAll('figure')].filter((f) =>
			!f.querySelector('.absent') && !f.querySelector('.plot svg') || !f.querySelector('table tbody tr') || !f.querySelector('figcaption h3')).map((f) => f.id)`)
		if len(bad) > 0 {
			t.Errorf("%d px, %s: without picture or table: %v", c.width, c.scheme, bad)
		}
		if n := eval[int](p, `document.querySelectorAll('.plot svg').length`); n < 15 {
			t.Errorf("%d px, %s: %d pictures", c.width, c.scheme, n)
		}
		p.Run(`for (const d of document.querySelectorAll('details')) d.open = true`)
		if wider := p.Wider(); len(wider) > 0 {
			t.Errorf("at %d px: %v", c.width, wider)
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

// aHundredThousandRecords is about what such a page holds; how long it took is logged.
func aHundredThousandRecords(t *testing.T, browser context.Context) {
	rep := many(t)
	if rep.Records < 100_000 {
		t.Fatalf("%d records", rep.Records)
	}
	html := drawHTML(t, rep)
	if len(html) > 1_500_000 {
		t.Errorf("%d bytes", len(html))
	}
	if !strings.Contains(html, "Points are a random choice of at most 160 cold starts of an arm") {
		t.Error("the page does not say that it holds a choice")
	}
	p := open(t, browser, rep, 1440, "light")
	timing := eval[map[string]float64](p, `({drawn: performance.getEntriesByName('drawn')[0].startTime, interactive: performance.getEntriesByType('navigation')[0].domInteractive})`)
	t.Logf("%d records, %d bytes: interactive after %.0f ms, all pictures drawn after %.0f ms", rep.Records, len(html), timing["interactive"], timing["drawn"])
}

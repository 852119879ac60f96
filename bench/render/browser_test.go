package render

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report"
)

// chromium starts a browser with a profile of its own. Where there is none, CI fails and others are told.
func chromium(t *testing.T) context.Context {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		const missing = "no Chromium: pages are not tried in a browser; apt-get install chromium"
		if os.Getenv("CI") == "true" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("starting %s: %v", path, err)
	}
	return ctx
}

// tab is a page, and what went wrong in it.
type tab struct {
	context.Context
	t *testing.T

	mu       sync.Mutex
	troubles []string
	requests []string
}

// open opens a report in a window of that width and theme, and waits until all its pictures are drawn.
func open(t *testing.T, browser context.Context, rep *report.Report, width int64, scheme string) *tab {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(path, []byte(drawHTML(t, rep)), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	p := &tab{Context: ctx, t: t}
	if err := chromedp.Listen(ctx, p.listen); err != nil {
		t.Fatal(err)
	}
	send(p, network.Enable, network.EnableParams{})
	send(p, log.Enable, cdp.Empty{})
	send(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
	p.do(chromedp.EmulateViewport(width, 900), chromedp.Navigate("file://"+path))
	p.drawn()
	t.Cleanup(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, s := range p.troubles {
			t.Errorf("the page complains: %s", s)
		}
		if len(p.requests) != 1 {
			t.Errorf("requests: %q, want the file alone", p.requests)
		}
	})
	return p
}

func (p *tab) listen(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		p.requests = append(p.requests, e.Request.URL)
	case *log.EventEntryAdded:
		p.troubles = append(p.troubles, e.Entry.Text)
	case *runtime.EventExceptionThrown:
		p.troubles = append(p.troubles, fmt.Sprintf("%+v", e.ExceptionDetails))
	case *runtime.EventConsoleAPICalled:
		for _, a := range e.Args {
			p.troubles = append(p.troubles, string(a.Value)+a.Description)
		}
	}
}

// limit is what one step may take on a busy machine.
const limit = time.Minute

func (p *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p, limit)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatal(err)
	}
}

func send[P, R any](p *tab, command cdp.Command[P, R], params P) {
	p.t.Helper()
	if _, err := chromedp.Call(p, command, params); err != nil {
		p.t.Fatal(err)
	}
}

func eval[T any](p *tab, script string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p, limit)
	defer cancel()
	out, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatal(err)
	}
	return out
}

// until waits for a condition.
func (p *tab) until(condition string) {
	p.t.Helper()
	p.do(chromedp.Poll[chromedp.Void](condition))
}

// drawn waits until all pictures are.
func (p *tab) drawn() {
	p.t.Helper()
	p.until(`document.documentElement.dataset.drawn === "true"`)
}

// run runs statements.
func (p *tab) run(script string) {
	p.t.Helper()
	eval[bool](p, "{"+script+"}; true")
}

// choose clicks a control of the filters and waits for the pictures.
func (p *tab) choose(name, value string) {
	p.t.Helper()
	p.run(fmt.Sprintf(`document.querySelector('#filters').open = true; document.querySelector('input[name="%s"][value="%s"]').click()`, name, value))
	p.drawn()
}

const shownRows = `[...document.querySelectorAll('#table-init tbody tr')].filter((r) => !r.hidden).length`

func TestPageInABrowser(t *testing.T) {
	browser := chromium(t)
	usual := packaging(t)

	t.Run("every picture is drawn and has its table", func(t *testing.T) {
		p := open(t, browser, few(t), 1440, "light")
		bad := eval[[]string](p, `[...document.querySelectorAll('figure')].filter((f) =>
			!f.querySelector('.absent') && !f.querySelector('.plot svg') || !f.querySelector('table tbody tr') || !f.querySelector('figcaption h3')).map((f) => f.id)`)
		if len(bad) > 0 {
			t.Errorf("without picture or table: %v", bad)
		}
		if n := eval[int](p, `document.querySelectorAll('.plot svg').length`); n < 15 {
			t.Errorf("%d pictures", n)
		}
	})

	t.Run("filters", func(t *testing.T) {
		p := open(t, browser, usual, 1440, "light")
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
		p.run(`document.querySelector('#filters button[type=reset]').click()`)
		p.until(shownRows + " === 23")
		p.drawn()
		p.choose("clock", "wait")
		if s := eval[string](p, `[...document.querySelectorAll('#fig-spread .scroll')].filter((e) => !e.hidden).map((e) => e.querySelector('table').id).join()`); s != "table-spread-wait" {
			t.Errorf("tables of the caller's wait: %s", s)
		}
		p.choose("scale", "log")
	})

	t.Run("keyboard", func(t *testing.T) {
		p := open(t, browser, usual, 1440, "light")
		p.do(chromedp.Focus(chromedp.CSS(`#filters input[name="package"][value="zip"]`), chromedp.NodeReady), chromedp.KeyEvent(" "))
		p.until(shownRows + " === 15")
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
		p.do(chromedp.Click(chromedp.ID("theme")))
		if b := background(); b != "rgb(255, 255, 255)" {
			t.Errorf("the button: %s", b)
		}
	})

	t.Run("paper", func(t *testing.T) {
		p := open(t, browser, usual, 1440, "light")
		p.run(`addEventListener('beforeprint', () => { window.closedOnPaper = document.querySelectorAll('details:not([open])').length; })`)
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

// TestNoHorizontalScrolling looks at a telephone, a tablet and a desktop.
func TestNoHorizontalScrolling(t *testing.T) {
	browser := chromium(t)
	for _, width := range []int64{360, 768, 1440} {
		p := open(t, browser, few(t), width, "light")
		p.run(`for (const d of document.querySelectorAll('details')) d.open = true`)
		if w := eval[int64](p, `Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)`); w > width {
			t.Errorf("%d px wide at %d px: %v", w, width, eval[[]string](p, fmt.Sprintf(`[...document.querySelectorAll('body *')].filter((e) =>
				!e.closest('.scroll') && !e.closest('svg') && e.getBoundingClientRect().right > %d).map((e) => e.tagName + '#' + e.id + '.' + e.className)`, width)))
		}
		if bad := eval[[]string](p, `[...document.querySelectorAll('.plot svg[class]')].filter((s) => s.getBoundingClientRect().right > innerWidth + 1).map((s) => s.closest('.plot').id)`); len(bad) > 0 {
			t.Errorf("pictures wider than %d px: %v", width, bad)
		}
	}
}

// TestAccessibility holds the page against axe-core's rules; what a theme can change is its contrasts.
func TestAccessibility(t *testing.T) {
	axe, err := os.ReadFile(filepath.Join("..", "..", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatalf("npm ci first (make setup does): %v", err)
	}
	browser := chromium(t)
	for _, c := range []struct {
		width  int64
		scheme string
		only   string
	}{{1440, "light", ""}, {1440, "dark", "runOnly: ['color-contrast'],"}, {360, "light", ""}} {
		p := open(t, browser, few(t), c.width, c.scheme)
		p.run(`for (const d of document.querySelectorAll('details')) d.open = true`)
		p.run(string(axe))
		for _, v := range eval[[]string](p, `axe.run(document, {`+c.only+` resultTypes: ['violations']}).then((r) => r.violations.map((v) =>
			v.id + ': ' + v.help + ' - ' + v.nodes.length + ' x ' + v.nodes.slice(0, 2).map((n) => n.html.slice(0, 160) + ' (' + n.failureSummary.replace(/\s+/g, ' ') + ')').join(' | ')))`) {
			t.Errorf("%d px, %s: %s", c.width, c.scheme, v)
		}
	}
}

// TestAHundredThousandRecordsOpen is about what such a page holds; how long it took is logged.
func TestAHundredThousandRecordsOpen(t *testing.T) {
	browser := chromium(t)
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

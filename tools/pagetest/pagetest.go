// Package pagetest opens pages in Chromium. A test fails if its page reports an error or loads another file. The method
// Axe finds what is not accessible.
package pagetest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/twinstart/twinstart/tools/need"
)

// Chromium starts a browser with its own profile.
func Chromium(t testing.TB) context.Context {
	t.Helper()
	need.Time(t)
	path := need.Tool(t, "chromium", "chromium-browser", "google-chrome")
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.DisableGPU, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-component-update", true))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("starting %s: %v", path, err)
	}
	return ctx
}

// Tab is a page and the errors that it has reported.
type Tab struct {
	context.Context
	t testing.TB

	mu       sync.Mutex
	troubles []string
	requests []string
}

// Open opens a page in a window with a width and a theme, and waits until all its pictures are drawn.
func Open(t testing.TB, browser context.Context, html []byte, width int64, scheme string) *Tab {
	t.Helper()
	path := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(path, html, 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	p := &Tab{Context: ctx, t: t}
	if err := chromedp.Listen(ctx, p.listen); err != nil {
		t.Fatal(err)
	}
	send(p, network.Enable, network.EnableParams{})
	send(p, log.Enable, cdp.Empty{})
	theme := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}
	send(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: theme})
	p.Do(chromedp.EmulateViewport(width, 900), chromedp.Navigate("file://"+path))
	p.Drawn()
	t.Cleanup(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, s := range p.troubles {
			t.Errorf("the page reports: %s", s)
		}
		if p.requests = slices.Compact(p.requests); len(p.requests) != 1 { // a page may be loaded again
			t.Errorf("requests: %q, want the file alone", p.requests)
		}
	})
	return p
}

// For makes steps on the page report failures to t until t ends, and then to the earlier test again.
func (p *Tab) For(t testing.TB) {
	was := p.t
	p.t = t
	t.Cleanup(func() { p.t = was })
}

func (p *Tab) listen(event any) {
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

// limit is the longest time of one step, on a busy machine.
const limit = time.Minute

// Do runs actions.
func (p *Tab) Do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p, limit)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatal(err)
	}
}

func send[P, R any](p *Tab, command cdp.Command[P, R], params P) {
	p.t.Helper()
	if _, err := chromedp.Call(p, command, params); err != nil {
		p.t.Fatal(err)
	}
}

// Eval returns the value of an expression. If the value is a promise, Eval awaits it.
func Eval[T any](p *Tab, script string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p, limit)
	defer cancel()
	out, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatal(err)
	}
	return out
}

// Until waits for a condition.
func (p *Tab) Until(condition string) {
	p.t.Helper()
	p.Do(chromedp.Poll[chromedp.Void](condition))
}

// Drawn waits until all pictures are drawn.
func (p *Tab) Drawn() {
	p.t.Helper()
	p.Until(`document.documentElement.dataset.drawn === "true"`)
}

// Run runs statements.
func (p *Tab) Run(script string) {
	p.t.Helper()
	Eval[bool](p, "{"+script+"}; true")
}

// Axe returns the violations of axe-core's rules. only is "" or some of axe's options in JavaScript, for example
// runOnly.
func (p *Tab) Axe(repository, only string) []string {
	p.t.Helper()
	axe, err := os.ReadFile(filepath.Join(repository, "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		p.t.Fatalf("npm ci first (make setup does): %v", err)
	}
	p.Run(string(axe))
	return Eval[[]string](p, `axe.run(document, {`+only+` resultTypes: ['violations']}).then((r) => r.violations.map((v) =>
		v.id + ': ' + v.help + ' - ' + v.nodes.length + ' x ' + v.nodes.slice(0, 2).map((n) =>
			n.html.slice(0, 160) + ' (' + n.failureSummary.replace(/\s+/g, ' ') + ')').join(' | ')))`)
}

// Wider returns the elements that make the page wider than its window.
func (p *Tab) Wider() []string {
	p.t.Helper()
	return Eval[[]string](p, `
		Math.max(document.documentElement.scrollWidth, document.body.scrollWidth) <= innerWidth ? [] :
		[...document.querySelectorAll('body *')]
			.filter((e) => !e.closest('.scroll, svg') && e.getBoundingClientRect().right > innerWidth)
			.map((e) => e.outerHTML.slice(0, 120)).concat(document.documentElement.scrollWidth + ' px wide')`)
}

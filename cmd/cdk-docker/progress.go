package main

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"sync"

	"github.com/mattn/go-isatty"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/twinstart/twinstart/packages/builder"
)

// display shows progress: on a terminal a bar for each layer with lines above the bars, elsewhere a line for each
// big layer, because the CDK CLI passes each line on. Each line names its subject, because the CDK CLI mixes the
// lines of several calls.
type display struct {
	bars *mpb.Progress // nil if the output is not a terminal
	mu   sync.Mutex
	w    io.Writer
	of   string // the image that lines are about
}

func newDisplay(w io.Writer) *display {
	if f, ok := w.(*os.File); ok && isatty.IsTerminal(f.Fd()) {
		bars := mpb.New(mpb.WithOutput(w), mpb.WithWidth(32))
		return &display{bars: bars, w: bars}
	}
	return &display{w: w}
}

// stop must be called before the program ends.
func (d *display) stop() {
	if d.bars != nil {
		d.bars.Wait()
	}
}

var assetHash = regexp.MustCompile(`[0-9a-f]{64}$`)

// about sets the image that lines are about. The names of the CDK CLI's images, in the store and in ECR, end with
// the hash of their asset: its first digits are enough.
func (d *display) about(image string) {
	if hash := assetHash.FindString(image); hash != "" {
		image = hash[:12]
	}
	d.of = image + ": "
}

// Note writes one line.
func (d *display) Note(line string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	fmt.Fprintln(d.w, "cdk-docker: "+d.of+line)
}

// worthALine is the size, in bytes, from which a layer takes long enough to have a line.
const worthALine = 1e6

// Start shows a layer when it begins. The call's last line reports the result of all layers.
func (d *display) Start(what string, bytes int64) builder.Task {
	if d.bars != nil {
		return layerBar{d.bars.AddBar(max(bytes, 1),
			mpb.PrependDecorators(decor.Name(what, decor.WCSyncSpaceR)),
			mpb.AppendDecorators(decor.Any(func(s decor.Statistics) string {
				return fmt.Sprintf("%s of %s ", bytesText(s.Current), bytesText(s.Total))
			}), decor.AverageETA(decor.ET_STYLE_GO)))}
	}
	if bytes >= worthALine {
		d.Note(fmt.Sprintf("%s, %s", what, bytesText(bytes)))
	}
	return nil
}

type layerBar struct{ *mpb.Bar }

func (b layerBar) Add(bytes int64) { b.IncrInt64(bytes) }

func (b layerBar) Done(err error) {
	if err != nil {
		b.Abort(false)
		return
	}
	b.SetTotal(-1, true)
}

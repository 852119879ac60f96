package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/measure"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/assembly"
)

// openLab starts the lab in this process. It is reached through Lambda's API on loopback, as by any client.
func openLab(ctx context.Context, s subject, std streams) (*source, error) {
	found, err := resolve(ctx, s.assemblyFlags, s.variantFlags, s.args, std)
	if err != nil {
		return nil, err
	}
	if len(s.args) > 0 || s.varied() {
		numbered(found.functions)
	}
	if s.counter != nil || s.load != nil { // a run, which measures
		if err := found.leaveRestoresOut(len(s.args) > 0); err != nil {
			return nil, err
		}
	}
	if s.counter != nil {
		s.counter.all(found.functions)
	}
	l, err := lab.New(s.labOptions(found))
	if err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		l.Close()
		return nil, fmt.Errorf("listening on loopback: %w", err)
	}
	asked := found.failed
	if len(s.args) > 0 {
		asked = append(asked, l.NotMeasured()...)
	}
	var targets []measure.Target
	for _, f := range l.Functions() {
		arms, absent := targetsOf(f, measure.Target{FunctionName: f.Name()}, s.load != nil, assembly.LayerARN)
		targets, found.notMeasured = append(targets, arms...), append(found.notMeasured, absent...)
	}
	if len(targets) == 0 {
		listener.Close()
		l.Close()
		return nil, errors.New(arm.Reasons(slices.Concat(found.notMeasured, l.NotMeasured())))
	}
	server := api.NewServer(l)
	go server.Serve(listener) //nolint:errcheck // it returns after Close below
	return &source{name: record.Lab, client: measure.NewLabClient("http://" + listener.Addr().String()), targets: targets,
		notMeasured: slices.Concat(found.failed, found.notMeasured, l.NotMeasured()), lacking: asked,
		digests: found.digests, warnings: l.Warnings(), close: func() error {
			server.Close()
			return l.Close()
		}}, nil
}

// leaveRestoresOut removes functions with SnapStart, because the lab makes no snapshots. If they were asked for by
// name, the run is incomplete without them.
func (r *named) leaveRestoresOut(asked bool) error {
	to := &r.notMeasured
	if asked {
		to = &r.failed
	}
	r.functions = slices.DeleteFunc(r.functions, func(f assembly.Function) bool {
		if f.SnapStart {
			why := report.NoRestoreHere + ", because the lab makes no snapshots: twinstart run --source aws"
			*to = append(*to, arm.NotMeasured{Arm: f.Identity.Arm, Why: why})
		}
		return f.SnapStart
	})
	if len(r.functions) == 0 {
		return errors.New(arm.Reasons(*to))
	}
	return nil
}
